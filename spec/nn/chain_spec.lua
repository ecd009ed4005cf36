-- core.chain: several operations in one call, as nn.Sequential runs its layers.
local perilune = require "perilune"
local core = require "perilune.core"
local nn = perilune.nn

local function network()
  perilune.manual_seed(5)
  return nn.Sequential {
    nn.Conv2d(2, 5, 3, { stride = 2, padding = 1 }), nn.ReLU(), nn.ConvTranspose2d(5, 3, 2, { bias = false }),
    nn.LeakyReLU(0.2), nn.AvgPool2d(2), nn.Tanh(), nn.Sigmoid(), nn.Flatten(), nn.Linear(12, 6), nn.SiLU(),
    nn.Linear(6, 8, { bias = false }),
    nn.Softmax(2), nn.Unflatten(2, { 2, 4 }),
  }
end

local function layer_by_layer(model, x)
  for i = 1, #model do x = model[i](x) end
  return x
end

local function input(n) return perilune.randn { n, 2, 8, 8 } end

local function gradients(model)
  local list = {}
  for i, p in ipairs(model:parameters()) do list[i] = p.grad:totable() end
  model:zero_grad()
  return list
end

describe("a chain of operations", function()
  it("gives the bits of the layers, one after the other", function()
    local model = network()
    for _, n in ipairs { 1, 9, 17 } do
      local x = input(n)
      perilune.no_grad(function() assert.are.same(layer_by_layer(model, x):totable(), model(x):totable()) end)
      layer_by_layer(model, x):pow(2):sum():backward()
      local expected = gradients(model)
      model(x):pow(2):sum():backward()
      assert.are.same(expected, gradients(model))
    end
  end)

  it("reads the fields of its layers at each call", function()
    local model, x = network(), input(2)
    local before = model(x):detach():totable()
    model[9].weight = nn.Parameter(perilune.randn { 6, 12 })
    model[1].bias = nil
    local after = model(x):detach():totable()
    assert.are_not.same(before, after)
    assert.are.same(layer_by_layer(model, x):totable(), after)
    model[8].start_dim = 3
    assert.matches("linear: x is", select(2, pcall(model, x)))
  end)

  it("takes no further arguments than it was made for, and no value for a tensor", function()
    local run = core.chain(core.ops.relu, 0, core.ops.linear, 2)
    local x, weight = perilune.tensor { { -1.0, 2.0 } }, perilune.tensor { { 3.0, 4.0 } }
    assert.are.equal(8, run(x, weight):item())
    assert.are.equal(9, run(x, weight, perilune.tensor { 1.0 }):item())
    assert.matches("chain_spec.lua:%d+: linear: weight is missing", select(2, pcall(function() run(x) end)))
    assert.matches("relu: x must be a tensor, not string", select(2, pcall(run, "x", weight)))
    assert.matches("argument 3 must be one of core.ops", select(2, pcall(core.chain, core.ops.relu, 0, print, 0)))
    assert.matches("cat does not make one tensor from one", select(2, pcall(core.chain, core.ops.cat, 0)))
    assert.matches("give it operations", select(2, pcall(core.chain)))
  end)

  it("leaks nothing when a link fails", function()
    local run = core.chain(core.ops.exp, 0, core.ops.linear, 1)
    local x, weight = perilune.randn { 2, 3 }, perilune.randn { 4, 3 }
    local function settled() collectgarbage() collectgarbage() return perilune.memory().live_blocks end
    local before, failures = settled(), 0
    for n = 1, 12 do
      core.debug.fail_allocation(n)
      failures = failures + (pcall(run, x, weight) and 0 or 1)
      core.debug.fail_allocation(0)
    end
    assert.is_true(failures >= 4)
    pcall(run, x, perilune.randn { 4, 5 })
    assert.are.equal(before, settled())
  end)

  it("frees what lies between its links, and its result with the scope", function()
    local model, x = network(), input(3)
    perilune.no_grad(model, x)
    collectgarbage() collectgarbage()
    local before = perilune.memory().tensors
    local y = perilune.no_grad(model, x)
    local scoped
    assert.are.equal(before + 1, perilune.memory().tensors)
    do
      local _ <close> = perilune.scope()
      scoped = perilune.no_grad(model, x)
    end
    assert.are.equal(24, y:numel())
    assert.is_false((pcall(y.numel, scoped)))
  end)
end)
