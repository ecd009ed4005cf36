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
    assert.matches("2 arguments but 1 fields", select(2, pcall(core.layer_chain, { {}, "weight" }, core.ops.linear, 2)))
  end)

  it("may be as long as a network is deep", function()
    local layers = {}
    for i = 1, 300 do layers[i] = nn.Linear(2, 2) end
    local model, x = nn.Sequential(layers), perilune.randn { 1, 2 }
    perilune.no_grad(function()
      for _ = 1, 2 do assert.are.same(layer_by_layer(model, x):totable(), model(x):totable()) end
      local links = {}
      for i = 1, 60, 2 do links[i], links[i + 1] = core.ops.relu, 0 end
      links[#links + 1], links[#links + 2] = core.ops.linear, 2
      assert.matches("weight is missing", select(2, pcall(core.chain(table.unpack(links)), x)))
    end)
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

  it("frees what lies between two of them, one sequence in another", function()
    local model, x = nn.Sequential { network(), nn.Sequential { nn.Flatten(), nn.Linear(8, 3) } }, input(3)
    perilune.no_grad(model, x)
    collectgarbage() collectgarbage()
    collectgarbage("stop")
    local before = perilune.memory().tensors
    local y = perilune.no_grad(model, x)
    local after = perilune.memory().tensors
    collectgarbage("restart")
    assert.are.equal(before + 1, after)
    assert.are.same({ 3, 3 }, { y:size(1), y:size(2) })
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

-- Where nothing is recorded, the second call with samples of the same kind repeats what the first one did.
describe("a chain that is run again", function()
  local REPEATED <const> = 4   -- allocations: header, storage and data of the result, and what lies between

  local function small()
    perilune.manual_seed(6)
    return nn.Sequential {
      nn.Conv2d(2, 8, 3, { stride = 2, padding = 2 }), nn.ReLU(), nn.Conv2d(8, 20, 3, { padding = 1, groups = 2 }),
      nn.SiLU(), nn.Flatten(), nn.Linear(500, 30), nn.ReLU(), nn.Linear(30, 24, { bias = false }), nn.Tanh(),
      nn.Unflatten(2, { 6, 2, 2 }), nn.ConvTranspose2d(6, 5, 3, { stride = 2, output_padding = 1 }), nn.Sigmoid(),
    }
  end

  local function image(n) return perilune.randn { n, 2, 8, 8 } end

  local function run(model, x) return perilune.no_grad(model, x) end

  local function expect_layers(model, x)
    local y, expected = run(model, x), perilune.no_grad(layer_by_layer, model, x)
    assert.are.same(expected:totable(), y:totable())
    return y
  end

  -- Does the call take that many blocks, and not one less?
  local function expect_allocations(n, model, x)
    core.debug.fail_allocation(n + 1)
    assert.is_true(pcall(run, model, x))
    core.debug.fail_allocation(n)
    assert.matches("not enough memory", select(2, pcall(run, model, x)))
    core.debug.fail_allocation(0)
  end

  local function expect_repeated(model, x) expect_allocations(REPEATED, model, x) end

  it("gives the bits of the layers for any batch, in any order of calls", function()
    local model = small()
    for _, n in ipairs { 1, 1, 8, 3, 15, 16, 2, 40, 5 } do expect_layers(model, image(n)) end
    run(model, image(4))
    for _, n in ipairs { 1, 7, 15 } do expect_repeated(model, image(n)) end
  end)

  it("gives its result the order in memory that the layers give", function()
    local model = nn.Sequential { nn.Conv2d(2, 6, 3), nn.Tanh(), nn.Conv2d(6, 5, 1), nn.ReLU() }
    for _ = 1, 2 do
      local x = image(3)
      assert.are.same(perilune.no_grad(layer_by_layer, model, x):stride(), run(model, x):stride())
    end
    expect_repeated(model, image(3))
  end)

  it("has one result for samples of other sizes, numbers and orders, too", function()
    local function expect_same(model, x)
      for _ = 1, 2 do
        local y = expect_layers(model, x)
        assert.are.same(perilune.no_grad(layer_by_layer, model, x):stride(), y:stride())
      end
    end
    local convolutions = nn.Sequential { nn.Conv2d(2, 3, 3), nn.Tanh(), nn.Conv2d(3, 3, 1), nn.ReLU() }
    for _, n in ipairs { 3, 9, 3 } do expect_same(convolutions, image(n)) end
    expect_same(convolutions, image(3):narrow(4, 1, 7))
    local activations = nn.Sequential { nn.Tanh(), nn.ReLU() }
    expect_same(activations, perilune.randn { 8, 3 })
    expect_same(activations, perilune.randn { 8, 3 }:lanes())
    expect_same(activations, perilune.randn { 3, 2, 6 })
    expect_same(activations, perilune.randn { 3, 2, 6 }:narrow(3, 1, 4))
    expect_same(activations, perilune.randn { 3, 6, 2 }:transpose(2, 3))
    local split = nn.Sequential { nn.Unflatten(1, { 1, 1 }), nn.Tanh() }
    expect_same(split, perilune.randn { 1, 4 })
    assert.matches("cannot be split", select(2, pcall(run, split, perilune.randn { 2, 4 })))
  end)

  it("takes samples that lie anywhere", function()
    local model, many = small(), image(12)
    for _ = 1, 2 do
      expect_layers(model, image(2))
      expect_layers(model, many:narrow(1, 3, 5))
      expect_layers(model, perilune.randn { 12, 4, 8, 8 }:narrow(2, 2, 2))
      expect_layers(model, many:permute(1, 2, 4, 3))
      expect_layers(model, many:permute(1, 3, 4, 2):contiguous():permute(1, 4, 2, 3))
      expect_layers(model, image(1):expand(4, 2, 8, 8))
    end
    local dense = nn.Sequential { nn.Linear(3, 4), nn.Tanh() }
    local columns = perilune.randn { 3, 6 }:transpose(1, 2)
    for _ = 1, 2 do
      expect_layers(dense, columns)
      expect_layers(dense, perilune.randn { 6, 3 })
      expect_layers(dense, perilune.randn { 2, 6, 3 })
      expect_layers(dense, perilune.randn(3))
    end
  end)

  it("leaves networks whose activations are large to the layers", function()
    local model = nn.Sequential { nn.Conv2d(2, 8, 3, { padding = 1 }), nn.ReLU(), nn.Conv2d(8, 8, 1), nn.ReLU() }
    for _ = 1, 2 do expect_layers(model, perilune.randn { 1, 2, 100, 100 }) end
  end)

  it("notices that a weight has other values", function()
    local model, x = small(), image(2)
    local function expect_change(change)
      local before = expect_layers(model, x):totable()
      expect_repeated(model, x)
      perilune.no_grad(change)
      assert.are_not.same(before, expect_layers(model, x):totable())
      expect_repeated(model, x)
    end
    local state = small():state_dict()
    for _, tensor in pairs(state) do tensor:mul_(0.5) end
    expect_change(function() model[1].weight:mul_(2) end)
    expect_change(function() model[3].bias:add_(1) end)
    expect_change(function() model[6].weight[3] = 0.25 end)
    expect_change(function() model:load_state_dict(state) end)
    local optimizer = perilune.optim.SGD(model:parameters(), { lr = 0.1 })
    model(x):sum():backward()
    expect_change(function() optimizer:step() end)
  end)

  it("notices that a field is another one", function()
    local model, x = small(), image(2)
    local function settle()
      expect_layers(model, x)
      expect_repeated(model, x)
    end
    settle()
    model[1].weight = nn.Parameter(perilune.randn { 8, 2, 3, 3 })
    settle()
    model[8].bias = nn.Parameter(perilune.randn { 24 })
    settle()
    model[6].bias = nil
    settle()
    model[10].sizes = { 6, 1, 4 }
    settle()
    model[10].sizes[2], model[10].sizes[3] = 2, 2
    settle()
    model[5].start_dim = 3
    assert.matches("linear: x is", select(2, pcall(run, model, x)))
    model[5].start_dim = 2
    settle()
    model:to("float64")
    for _ = 1, 2 do expect_layers(model, x:to("float64")) end
    assert.matches("float64", select(2, pcall(run, model, x)))
    model:to("float32")
    settle()
  end)

  it("notices a freed weight", function()
    local run_chain = core.chain(core.ops.relu, 0, core.ops.linear, 1)
    local x, weight = perilune.randn { 2, 3 }, perilune.randn { 4, 3 }
    perilune.no_grad(function()
      local expected = x:relu():matmul(weight:transpose(1, 2)):totable()
      for _ = 1, 2 do assert.are.same(expected, run_chain(x, weight):totable()) end
      core.release(weight)
      assert.matches("was freed", select(2, pcall(run_chain, x, weight)))
      assert.matches("weight is missing", select(2, pcall(run_chain, x, {})))
      core.release(x)
      assert.matches("was freed", select(2, pcall(run_chain, x, perilune.randn { 4, 3 })))
    end)
  end)

  it("reads options at each call", function()
    local run_chain = core.chain(core.ops.relu, 0, core.ops.linear, 3)
    local x, weight, options = perilune.randn { 2, 3 }, perilune.randn { 4, 3 }, {}
    perilune.no_grad(function()
      for _ = 1, 2 do assert.is_true(run_chain(x, weight, nil, options):min():item() < 0) end
      options.activation = "relu"
      assert.are.equal(0, run_chain(x, weight, nil, options):min():item())
    end)
  end)

  it("records, runs hooks and looks for NaN as ever", function()
    local model, x = small(), image(2)
    run(model, x)
    expect_repeated(model, x)
    assert.is_true(model(x).requires_grad)
    assert.is_true(model:requires_grad_(false)(x:clone():requires_grad_()).requires_grad)
    local seen = 0
    local hook = model[6]:register_forward_hook(function() seen = seen + 1 end)
    run(model, x)
    hook.remove()
    run(model, x)
    assert.are.equal(1, seen)
    run(model, x)
    perilune.detect_anomaly(function()
      assert.matches("NaN", select(2, pcall(run, model, perilune.full({ 2, 2, 8, 8 }, 0 / 0))))
    end)
  end)

  it("keeps no memory beyond the chain, also where allocations fail", function()
    local function settled() collectgarbage() collectgarbage() return perilune.memory().live_blocks end
    local before = settled()
    do
      local model, x = small(), image(2)
      local failures = 0
      for n = 1, 80 do
        core.debug.fail_allocation(n)
        failures = failures + (pcall(run, model, x) and 0 or 1)
        core.debug.fail_allocation(0)
        if n % 7 == 0 then perilune.no_grad(function() model[1].bias:add_(1) end) end
      end
      assert.is_true(failures >= 10)
      expect_layers(model, x)
      expect_repeated(model, x)
    end
    assert.are.equal(before, settled())
  end)
end)
