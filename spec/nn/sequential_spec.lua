local perilune = require "perilune"
local core = require "perilune.core"
local nn = perilune.nn

local function raises(text, f, ...)
  local fine, message = pcall(f, ...)
  assert.is_false(fine, "no error")
  assert.matches(text, message, 1, true)
end

-- The layers one by one, through their forward.
local function by_hand(model, x)
  for i = 1, #model do x = model[i]:forward(x) end
  return x
end

describe("nn.Sequential", function()
  it("runs its children in order", function()
    local model = nn.Sequential { nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), nn.Identity(), nn.Tanh() }
    local x = perilune.randn(5, 3)
    assert.equal(5, #model)
    assert.same(by_hand(model, x):totable(), model(x):totable())
  end)

  it("names children by position or as given", function()
    local model = nn.Sequential {
      { "encoder", nn.Sequential { nn.Linear(3, 2) } }, nn.ReLU(), { "decoder", nn.Linear(2, 3) },
    }
    local keys = {}
    for key in pairs(model:state_dict()) do keys[#keys + 1] = key end
    assert.same({ "encoder.0.weight", "encoder.0.bias", "decoder.weight", "decoder.bias" }, keys)
    assert.equal(model.encoder, model[1])
    local other = nn.Linear(3, 2)
    model.encoder = other
    assert.same({ 4, 3 }, model(perilune.ones(4, 3)).shape)
    assert.equal(other, model[1])
    model[3] = nn.Linear(2, 5)
    assert.same({ 4, 5 }, model(perilune.ones(4, 3)).shape)
    assert.equal(model.decoder, model[3])
  end)

  it("notices replaced, added and removed children", function()
    local model = nn.Sequential { nn.Linear(3, 4), nn.ReLU() }
    local x = perilune.randn(5, 3)
    model(x)
    model[2] = nn.Sigmoid()
    assert.same(by_hand(model, x):totable(), model(x):totable())
    model:append(nn.Linear(4, 1))
    assert.same({ 5, 1 }, model(x).shape)
    model[3] = nil
    assert.same({ 5, 4 }, model(x).shape)
    assert.same({ 2, 3 }, nn.Sequential()(perilune.ones(2, 3)).shape)
  end)

  it("calls hooks of layers that it would otherwise fuse", function()
    local model = nn.Sequential { nn.Linear(3, 4), nn.ReLU() }
    local x = perilune.randn(5, 3)
    local y = model(x):totable()
    local low
    local handle = model[1]:register_forward_hook(function(_, _, output) low = output:min():item() end)
    assert.same(y, model(x):totable())
    assert.is_true(low < 0)
    handle.remove()
    low = nil
    assert.same(y, model(x):totable())
    assert.is_nil(low)
    local calls = 0
    model[2]:register_forward_hook(function() calls = calls + 1 end)
    model(x)
    assert.equal(1, calls)
  end)

  it("uses a forward that an instance was given", function()
    local model = nn.Sequential { nn.Linear(3, 4), nn.ReLU() }
    model(perilune.ones(1, 3))
    model[2].forward = function(_, x) return x * 0 + 9 end
    assert.same({ { 9, 9, 9, 9 } }, model(perilune.ones(1, 3)):totable())
  end)

  it("gives the same gradients as the layers one by one", function()
    for _, layers in ipairs {
      { nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3), nn.ReLU() },
      { nn.Unflatten(2, { 1, 2, 3 }), nn.Conv2d(1, 2, 2), nn.ReLU(), nn.ConvTranspose2d(2, 2, 2), nn.ReLU(),
        nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten() },
      { nn.Sequential { nn.Linear(6, 4) }, nn.ReLU(), nn.Sequential { nn.Dropout(0), nn.Softplus() } },
    } do
      local model = nn.Sequential(layers)
      local x = perilune.randn(5, 6)
      model(x):sum():backward()
      local fused = {}
      for i, tensor in ipairs(model:parameters()) do fused[i] = tensor.grad:totable() end
      model:zero_grad()
      by_hand(model, x):sum():backward()
      for i, tensor in ipairs(model:parameters()) do assert.same(fused[i], tensor.grad:totable()) end
    end
  end)

  it("gives intermediates back at once", function()
    local model = nn.Sequential { nn.Linear(100, 1000), nn.Sigmoid(), nn.Sequential { nn.Linear(1000, 1000) },
      nn.Sigmoid(), nn.Linear(1000, 10) }
    local x = perilune.ones(64, 100)
    perilune.no_grad(function()
      model(x)
      collectgarbage()
      collectgarbage("stop")
      local before = perilune.memory().live_bytes
      local y = model(x)
      local kept = perilune.memory().live_bytes - before
      collectgarbage("restart")
      assert.is_true(kept < 16 * 1024, kept .. " bytes are alive")
      assert.same({ 64, 10 }, y.shape)
    end)
  end)

  it("never gives back what somebody may have kept", function()
    local Probe = nn.Module:extend("Probe")
    function Probe:forward(x)
      self.kept = x
      return x
    end
    local probe, last = Probe(), Probe()
    local model = nn.Sequential { nn.Identity(), nn.Dropout(), nn.Linear(3, 3), probe, nn.Sigmoid(),
      nn.Sequential { nn.Linear(3, 3), last }, nn.Flatten(), nn.Tanh() }
    model:eval()
    local x = perilune.ones(2, 3)
    local y = model(x)
    collectgarbage()
    assert.same({ 2, 3 }, probe.kept.shape)
    assert.same({ 2, 3 }, last.kept.shape)
    assert.same({ 2, 3 }, x.shape)
    assert.same({ 2, 3 }, y.shape)
    local flat = nn.Sequential { nn.Sigmoid(), nn.Flatten(), nn.Identity() } (perilune.ones(2, 3, 4))
    assert.same({ 2, 12 }, flat.shape)
    assert.is_true(core.is_tensor(flat))
    local seen
    model[3]:register_forward_hook(function(_, _, output) seen = output end)
    model(x)
    assert.same({ 2, 3 }, seen.shape)
  end)

  it("refuses what is no module", function()
    raises("give the children in one table", nn.Sequential, nn.Linear(2, 2))
    raises("Sequential: item 2 of the list is nil, but item 3 is not", nn.Sequential, { nn.ReLU(), nil, nn.ReLU() })
    raises("Sequential: item 1 of the list is nil", nn.Sequential, { nil, nn.ReLU() })
    raises("ModuleList: item 2 of the list is nil", nn.ModuleList, { nn.ReLU(), nil, nn.ReLU(), nil })
    raises("ModuleList: give the modules in one table", nn.ModuleList, 3)
    raises("Sequential: child 2 must be a module, got 3", nn.Sequential, { nn.ReLU(), 3 })
    raises("child 1 must be a module or { name, module }", nn.Sequential, { { "a", 3 } })
    raises("the name 'forward' of child 1 is taken", nn.Sequential, { { "forward", nn.ReLU() } })
    raises("the name 'a' of child 2 is taken", nn.Sequential, { { "a", nn.ReLU() }, { "a", nn.ReLU() } })
    raises("Sequential:append: a module is needed", nn.Sequential {}.append, nn.Sequential {}, 3)
  end)
end)

describe("nn.ModuleList", function()
  it("is a list whose modules are found", function()
    local list = nn.ModuleList { nn.Linear(2, 2), nn.Linear(2, 3) }
    list:append(nn.ReLU())
    assert.equal(3, #list)
    local keys = {}
    for key in pairs(list:state_dict()) do keys[#keys + 1] = key end
    assert.same({ "0.weight", "0.bias", "1.weight", "1.bias" }, keys)
    raises("ModuleList: forward is not defined", list, perilune.ones(1))
    raises("ModuleList: a module is needed, got 3", list.append, list, 3)
  end)
end)
