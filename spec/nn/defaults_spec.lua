-- Every layer and loss, made with nothing but its required arguments, runs forward and backward.
local perilune = require "perilune"
local nn = perilune.nn

local function image() return perilune.randn(3, 4, 6, 6, { requires_grad = true }) end
local function rows() return perilune.randn(5, 4, { requires_grad = true }) end
local function odds() return perilune.rand(5, 4):mul_(0.8):add_(0.1):requires_grad_() end
local function labels() return perilune.tensor { 1, 4, 2, 3, 3 } end

-- name -> the layer, its inputs
local LAYERS = {
  Conv2d = function() return nn.Conv2d(4, 2, 3), image() end,
  ConvTranspose2d = function() return nn.ConvTranspose2d(4, 2, 3), image() end,
  Linear = function() return nn.Linear(4, 3), rows() end,
  Embedding = function() return nn.Embedding(4, 3), labels() end,
  BatchNorm1d = function() return nn.BatchNorm1d(4), rows() end,
  BatchNorm2d = function() return nn.BatchNorm2d(4), image() end,
  LayerNorm = function() return nn.LayerNorm(4), rows() end,
  MaxPool2d = function() return nn.MaxPool2d(2), image() end,
  AvgPool2d = function() return nn.AvgPool2d(2), image() end,
  AdaptiveAvgPool2d = function() return nn.AdaptiveAvgPool2d(2), image() end,
  Upsample = function() return nn.Upsample { scale_factor = 2 }, image() end,
  Unflatten = function() return nn.Unflatten(2, { 2, 2 }), rows() end,
  Flatten = function() return nn.Flatten(), image() end,
  Softmax = function() return nn.Softmax(2), rows() end,
  LogSoftmax = function() return nn.LogSoftmax(-1), rows() end,
  Sequential = function() return nn.Sequential { nn.Linear(4, 3) }, rows() end,
  MSELoss = function() return nn.MSELoss(), rows(), rows():detach() end,
  L1Loss = function() return nn.L1Loss(), rows(), rows():detach() end,
  SmoothL1Loss = function() return nn.SmoothL1Loss(), rows(), rows():detach() end,
  BCELoss = function() return nn.BCELoss(), odds(), odds():detach() end,
  BCEWithLogitsLoss = function() return nn.BCEWithLogitsLoss(), rows(), odds():detach() end,
  NLLLoss = function() return nn.NLLLoss(), rows(), labels() end,
  CrossEntropyLoss = function() return nn.CrossEntropyLoss(), rows(), labels() end,
  KLDivLoss = function() return nn.KLDivLoss(), rows(), odds():detach() end,
}
for _, name in ipairs { "Dropout", "Identity", "ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Softplus", "Sigmoid", "Tanh" } do
  LAYERS[name] = function() return nn[name](), rows() end
end

local NO_LAYERS = { Module = true, ModuleList = true, Parameter = true, init = true, functional = true, utils = true }

local function check_gradient(tensor, name)
  assert.is_not_nil(tensor.grad, name)
  assert.same(tensor.shape, tensor.grad.shape)
  assert.is_true(tensor.grad:isfinite():all():item(), name)
end

describe("with its required arguments only", function()
  it("every layer and loss is here", function()
    for name in pairs(nn) do
      assert.is_true(LAYERS[name] ~= nil or NO_LAYERS[name] == true, "there is no case for nn." .. name)
    end
  end)

  for name, make in pairs(LAYERS) do
    it("nn." .. name .. " runs forward and backward", function()
      perilune.manual_seed(7)
      local layer, x, target = make()
      local y = layer(x, target)
      assert.is_true(y:isfinite():all():item())
      assert.equal(target and 0 or y:dim(), y:dim())   -- a loss is one number
      local weights = perilune.randn_like(y)
      ;(y * weights):sum():backward()
      if x.dtype == "float32" then check_gradient(x, "the input") end
      for parameter_name, tensor in layer:named_parameters() do check_gradient(tensor, parameter_name) end
      layer:eval()
      assert.same(y.shape, layer(x, target).shape)
      assert.matches("^" .. name .. "%(", tostring(layer))
    end)
  end
end)
