-- init.lua -- perilune.nn: modules, losses, initialisers.  Each file is loaded when one of its names is first used,
-- so that require "perilune" stays fast.

-- name -> file.  Where a file returns several classes, it returns them in a table.
local FILES = {
  Module = "module", Sequential = "sequential", ModuleList = "module_list",
  Conv2d = "conv2d", ConvTranspose2d = "conv_transpose2d", Linear = "linear", Embedding = "embedding",
  BatchNorm1d = "batch_norm", BatchNorm2d = "batch_norm", LayerNorm = "layer_norm", Dropout = "dropout",
  MaxPool2d = "pooling", AvgPool2d = "pooling", AdaptiveAvgPool2d = "pooling", Upsample = "upsample",
  Flatten = "shape", Unflatten = "shape", Identity = "shape",
  ReLU = "activations", LeakyReLU = "activations", ELU = "activations", GELU = "activations",
  SiLU = "activations", Softplus = "activations", Sigmoid = "activations", Tanh = "activations",
  Softmax = "activations", LogSoftmax = "activations",
  MSELoss = "losses", L1Loss = "losses", SmoothL1Loss = "losses", BCELoss = "losses",
  BCEWithLogitsLoss = "losses", NLLLoss = "losses", CrossEntropyLoss = "losses", KLDivLoss = "losses",
  init = "initializers", functional = "functional", utils = "utils",
}
local SEVERAL = { batch_norm = true, pooling = true, shape = true, activations = true, losses = true }

local nn = {}

local function find(_, name)
  if name == "Parameter" then
    nn.Parameter = require "perilune.nn.parameter".new
    return nn.Parameter
  end
  local file = FILES[name]
  if not file then return nil end
  local loaded = require("perilune.nn." .. file)
  nn[name] = SEVERAL[file] and loaded[name] or loaded
  return nn[name]
end

local function load_all()
  local _ = nn.Parameter
  for name in pairs(FILES) do _ = nn[name] end
  return next, nn, nil
end

return setmetatable(nn, { __index = find, __pairs = load_all })
