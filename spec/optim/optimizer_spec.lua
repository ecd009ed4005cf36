-- What the optimizers compute is compared with PyTorch in spec/kernels; this is about groups, state and options.
local perilune = require "perilune"
local nn, optim = perilune.nn, perilune.optim

local function raises(text, f, ...)
  local fine, message = pcall(f, ...)
  assert.is_false(fine, "no error")
  assert.matches(text, message, 1, true)
end

local function small_model()
  perilune.manual_seed(5)
  return nn.Sequential { nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2) }
end

local function train(model, optimizer, n_steps)
  perilune.manual_seed(6)
  local x = perilune.randn(16, 4)
  local target = perilune.cat({ x:narrow(2, 1, 1), x:narrow(2, 2, 1) * 2 }, 2)
  local loss
  for _ = 1, n_steps do
    loss = nn.functional.mse_loss(model(x), target)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
  end
  return loss:item()
end

local ALL = { SGD = { lr = 0.1, momentum = 0.9, nesterov = true }, Adam = { lr = 0.05, amsgrad = true },
  AdamW = { lr = 0.05 }, RMSprop = { lr = 0.02, momentum = 0.5, centered = true }, Adagrad = { lr = 0.2 } }

describe("optimizers", function()
  it("take no list with a hole", function()
    local p = perilune.zeros(1, { requires_grad = true })
    raises("SGD: item 2 of the list is nil, but item 3 is not", optim.SGD, { p, nil, perilune.zeros(1) })
    raises("SGD: item 1 of the list is nil", optim.SGD, { { params = { nil, p } } })
  end)

  for name, given in pairs(ALL) do
    it(name .. " make a loss small", function()
      local model = small_model()
      assert.is_true(train(model, optim[name](model:parameters(), given), 200) < 0.05)
    end)

    it(name .. " go on from a saved state as if nothing had happened", function()
      local one = small_model()
      local optimizer = optim[name](one:parameters(), given)
      train(one, optimizer, 5)
      local dict, weights = optimizer:state_dict(), {}
      for key, tensor in pairs(one:state_dict()) do weights[key] = tensor:clone() end
      train(one, optimizer, 5)

      local tensors, metadata = perilune.state.flatten(dict)
      local restored = perilune.state.unflatten(tensors, metadata)
      local two = small_model()
      two:load_state_dict(weights)
      local other = optim[name](two:parameters())
      other:load_state_dict(restored)
      train(two, other, 5)
      for key, tensor in pairs(one:state_dict()) do
        assert.same(tensor:totable(), two:state_dict()[key]:totable(), key)
      end
    end)
  end

  it("have groups with options of their own", function()
    local a, b = nn.Parameter(perilune.ones(1)), nn.Parameter(perilune.ones(1))
    local c = nn.Parameter(perilune.ones(1))
    local optimizer = optim.SGD({ { params = { a }, lr = 1 }, { params = b } }, { lr = 0.5, weight_decay = 0 })
    optimizer:add_param_group { params = { c }, lr = 0.25 };
    (a + b + c):backward(perilune.ones(1))
    optimizer:step()
    assert.same({ 0, 0.5, 0.75 }, { a:detach():item(), b:detach():item(), c:detach():item() })
    optimizer.param_groups[1].lr = 2
    optimizer:step()
    assert.equal(-2, a:detach():item())
    optimizer:zero_grad()
    assert.is_nil(b.grad)
    optimizer:step()
    assert.equal(0, b:detach():item())
    assert.matches("group 3: 1 parameter, lr = 0.25", tostring(optimizer), 1, true)
  end)

  it("call a closure first", function()
    local a = nn.Parameter(perilune.ones(1))
    local optimizer = optim.SGD({ a }, { lr = 1 })
    assert.equal("loss", optimizer:step(function()
      (a * 3):sum():backward()
      return "loss"
    end))
    assert.equal(-2, a:detach():item())
  end)

  it("refuse bad arguments", function()
    local a = nn.Parameter(perilune.ones(1))
    raises("Adam: got an empty list of parameters", optim.Adam, {})
    raises("Adam: a list of parameters is needed, such as model:parameters(), got a tensor", optim.Adam, a)
    raises("Adam: a list of parameters is needed", optim.Adam)
    raises("Adam: unknown option 'learning_rate'; known: lr, betas, eps", optim.Adam, { a }, { learning_rate = 1 })
    raises("SGD: option nesterov must be true or false, got 1", optim.SGD, { a }, { nesterov = 1 })
    raises("Adam: a list of parameters is needed, got a module: give model:parameters()", optim.Adam, nn.Linear(1, 1))
    raises("SGD: parameters must be tensors, got 3", optim.SGD, { { params = { a, 3 } } })
    raises("SGD: parameters must be float32 or float64, got int64", optim.SGD, { perilune.arange(1, 3) })
    raises("SGD: only leaf tensors can be optimized", optim.SGD, { a * 2 })
    raises("SGD: a parameter is in the lists twice", optim.SGD, { a, a })
    raises("SGD: got an empty list of parameters", optim.SGD, { { params = {} } })
    raises("lr is -1; it must be 0 or more", optim.SGD, { a }, { lr = -1.0 })
    raises("lr must be a number, not nan", optim.SGD, { a }, { lr = 0 / 0 })
    raises("beta", optim.Adam, { a }, { betas = { 0.9, 1.0 } })
    raises("unknown option 'momentu'", optim.SGD, { { params = { a }, momentu = 0.5 } })
  end)

  it("refuse a state that is not theirs, and keep their own", function()
    local one, two = small_model(), nn.Linear(3, 3)
    local optimizer = optim.Adam(one:parameters())
    train(one, optimizer, 2)
    local other = optim.Adam(two:parameters())
    raises("group 1 has 4 parameters in the table but 2 in the optimizer", other.load_state_dict, other,
      optimizer:state_dict())
    raises("the table needs state and param_groups", other.load_state_dict, other, {})
    local twisted = optim.Adam { one[1].bias, one[1].weight, one[3].weight, one[3].bias }
    raises("exp_avg", twisted.load_state_dict, twisted, optimizer:state_dict())
    local bad = optimizer:state_dict()
    bad.param_groups[1].momentum = 3
    raises("load_state_dict: unknown option 'momentum'", optimizer.load_state_dict, optimizer, bad)
    assert.equal(2, optimizer:state_dict().state[1].step)
    assert.is_nil(next(other:state_dict().state))
  end)

  it("pass on why a file could not be read", function()
    local optimizer = optim.Adam(small_model():parameters())
    local schedule = optim.lr_scheduler.StepLR(optimizer, { step_size = 1 })
    for _, holder in ipairs { optimizer, schedule } do
      raises("load_state_dict: cannot open '/no/such/file'", holder.load_state_dict, holder, perilune.load("/no/such/file"))
      raises("state.unflatten: cannot open '/no/such/file'", function()
        holder:load_state_dict(perilune.state.unflatten(perilune.load("/no/such/file")))
      end)
      raises("this is a Trainer's checkpoint; trainer:fit goes on from it with { ckpt_path", holder.load_state_dict,
        holder, { ["state_dict/weight"] = perilune.ones(1) }, {})
      raises("this is a Trainer's checkpoint", holder.load_state_dict, holder, { state_dict = {}, loop = {} })
    end
  end)

  it("refuse a state that is incomplete or has other shapes", function()
    local weight = nn.Parameter(perilune.ones(2, 3))
    local optimizer = optim.Adam({ weight }, { lr = 0.25 })
    weight:sum():backward()
    optimizer:step()
    local function fails(text, change)
      local dict = optimizer:state_dict()
      change(dict.state[1], dict.param_groups[1])
      local fine, message = pcall(optimizer.load_state_dict, optimizer, dict)
      assert.is_false(fine)
      assert.matches("load_state_dict: " .. text, message, 1, true)
      assert.equal(1, select(2, message:gsub("spec%.lua:%d+: ", "")))
      assert.equal(0.25, optimizer.param_groups[1].lr)
      assert.same({ 2, 3 }, optimizer.param_groups[1].states[1].exp_avg.shape)
    end
    fails("the state of parameter 1 has no exp_avg", function(state) state.exp_avg = nil end)
    fails("the state of parameter 1 has no step", function(state) state.step = nil end)
    fails("step of parameter 1 must be an integer", function(state) state.step = 1.5 end)
    fails("exp_avg of parameter 1 is float32 (3, 2) but the parameter is float32 (2, 3)",
      function(state) state.exp_avg = perilune.zeros(3, 2) end)
    fails("exp_avg of parameter 1 is float64 (2, 3)", function(state) state.exp_avg = state.exp_avg:to("float64") end)
    fails("exp_avg of parameter 1 must be a tensor, got 3", function(state) state.exp_avg = 3 end)
    fails("the state of parameter 1 has sum, which Adam does not know", function(state) state.sum = perilune.ones(2, 3) end)
    fails("group 1 has no lr", function(_, group) group.lr = nil end)
    fails("adam: lr is -1", function(_, group) group.lr = -1.0 end)
    fails("option eps must be a number", function(_, group) group.eps = "x" end)
    local plain = optim.SGD({ weight }, { lr = 1 })
    raises("load_state_dict: the state of parameter 1 has ", plain.load_state_dict, plain,
      { state = optimizer:state_dict().state, param_groups = plain:state_dict().param_groups })
  end)
end)

describe("an optimizer inside a scope", function()
  it("keeps the state that its first step made there", function()
    local x = perilune.ones(3, { requires_grad = true })
    local optimizer = perilune.optim.Adam({ x }, { lr = 0.1 })
    for _ = 1, 3 do
      local scope <close> = perilune.scope() -- luacheck: ignore
      optimizer:zero_grad()
      ;(x * x):sum():backward()
      optimizer:step()
    end
    assert.is_true(x[1]:item() < 0.8)
  end)
end)
