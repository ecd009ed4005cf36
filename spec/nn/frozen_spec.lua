-- Frozen parameters: they do not move, and their part of the network costs no backward.
local perilune = require "perilune"
local nn, optim = perilune.nn, perilune.optim

-- A layer that counts its backwards.
local function counting()
  local Counted = nn.Module:extend("Counted")
  function Counted:init()
    self.backwards = 0
    self.apply = perilune.autograd.define { name = "counted", forward = function(_, x) return x + 0 end,
      backward = function(_, dy)
        self.backwards = self.backwards + 1
        return dy
      end }
  end
  function Counted:forward(x) return self.apply(x) end
  return Counted()
end

local function network()
  perilune.manual_seed(4)
  local counter = counting()
  local encoder = nn.Sequential { nn.Conv2d(1, 3, 3), nn.ReLU(), counter, nn.Flatten(), nn.Linear(108, 4) }
  return nn.Sequential { { "encoder", encoder }, { "head", nn.Linear(4, 2) } }, counter
end

local function values(module)
  local held = {}
  for name, tensor in pairs(module:state_dict()) do held[name] = tensor:clone() end
  return held
end

local function train(model, optimizer)
  local x, y = perilune.randn(6, 1, 8, 8), perilune.tensor { 1, 2, 1, 2, 1, 2 }
  for _ = 1, 3 do
    local loss = nn.functional.cross_entropy(model(x), y)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
  end
end

local OPTIMIZERS <const> = {
  SGD = function(parameters) return optim.SGD(parameters, { lr = 0.1, momentum = 0.9, weight_decay = 0.1 }) end,
  AdamW = function(parameters) return optim.AdamW(parameters, { lr = 0.1, weight_decay = 0.1 }) end,
}

describe("frozen parameters", function()
  for name, new in pairs(OPTIMIZERS) do
    it("do not move under " .. name .. ", with weight decay and all parameters in it", function()
      local model = network()
      model.encoder:requires_grad_(false)
      local before = values(model)
      train(model, new(model:parameters()))
      for key, tensor in pairs(values(model)) do
        assert.equal(key:find("^encoder") ~= nil, perilune.equal(before[key], tensor), key)
      end
      for _, parameter in ipairs(model.encoder:parameters()) do assert.is_nil(parameter.grad) end
    end)
  end

  it("cost no backward: nothing of their part is recorded", function()
    local model, counter = network()
    train(model, optim.SGD(model:parameters(), { lr = 0.1 }))
    assert.equal(3, counter.backwards)
    model.encoder:requires_grad_(false)
    assert.is_false(model.encoder(perilune.randn(2, 1, 8, 8)).requires_grad)
    train(model, optim.SGD(model:parameters(), { lr = 0.1 }))
    assert.equal(3, counter.backwards)
    model.encoder[1]:requires_grad_()   -- the first layer alone: its gradient has to pass through all
    train(model, optim.SGD(model:parameters(), { lr = 0.1 }))
    assert.equal(6, counter.backwards)
  end)

  it("move again when they are thawed", function()
    local model = network()
    model.encoder:requires_grad_(false)
    local optimizer = optim.SGD(model:parameters(), { lr = 0.1 })
    train(model, optimizer)
    model.encoder:requires_grad_()
    local before = values(model.encoder)
    train(model, optimizer)
    for key, tensor in pairs(values(model.encoder)) do assert.is_false(perilune.equal(before[key], tensor), key) end
  end)
end)
