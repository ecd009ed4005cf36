-- Against the sequences that PyTorch's schedules make (spec/reference/schedulers.py).
local perilune = require "perilune"
local cjson = require "cjson"
local optim = perilune.optim
local schedules = optim.lr_scheduler

local function raises(text, f, ...)
  local fine, message = pcall(f, ...)
  assert.is_false(fine, "no error")
  assert.matches(text, message, 1, true)
end

local file = assert(io.open("spec/reference/schedulers.json"))
local recorded = cjson.decode(file:read("a"))
file:close()

local LAMBDAS = { ["1 / (1 + epoch)"] = function(epoch) return 1 / (1 + epoch) end }
local INTEGERS = { step_size = true, T_max = true, total_steps = true, epochs = true, steps_per_epoch = true,
  patience = true, cooldown = true }

-- cjson makes floats of all numbers.
local function with_integers(given)
  local result = {}
  for name, value in pairs(given) do
    if INTEGERS[name] then value = math.tointeger(value) end
    if name == "milestones" then
      for i, epoch in ipairs(value) do value[i] = math.tointeger(epoch) end
    end
    if name == "lr_lambda" then value = LAMBDAS[value] end
    result[name] = value
  end
  return result
end

local function make_optimizer(case)
  return optim[case.optimizer]({ { params = { perilune.zeros(2) }, lr = 0.05 },
    { params = { perilune.zeros(3) }, lr = 0.01 } }, case.optimizer_options)
end

local function check_groups(case, step, optimizer)
  for g, group in ipairs(optimizer.param_groups) do
    local lr, momentum = case.lrs[step][g], case.momenta[step][g]
    assert.is_true(math.abs(group.lr - lr) <= 1e-12 + 1e-9 * lr,
      string.format("step %d, group %d: lr is %.15g, not %.15g", step - 1, g, group.lr, lr))
    local mine = group.betas and group.betas[1] or group.momentum
    assert.is_true(math.abs(mine - momentum) < 1e-9, string.format("step %d, group %d: momentum is %.12g, not %.12g",
      step - 1, g, mine, momentum))
  end
end

describe("schedules", function()
  for number, case in ipairs(recorded.cases) do
    local title = string.format("%s (case %d)", case.name, number)

    local function advance(schedule, step)
      if case.name == "ReduceLROnPlateau" then schedule:step(recorded.metrics[step]) else schedule:step() end
    end

    it(title .. " make PyTorch's sequence", function()
      local optimizer = make_optimizer(case)
      local schedule = schedules[case.name](optimizer, with_integers(case.options))
      check_groups(case, 1, optimizer)
      for step = 1, #case.lrs - 1 do
        advance(schedule, step)
        check_groups(case, step + 1, optimizer)
        assert.equal(optimizer.param_groups[2].lr, schedule:get_last_lr()[2])
      end
    end)

    it(title .. " go on from a saved state", function()
      local optimizer = make_optimizer(case)
      local schedule = schedules[case.name](optimizer, with_integers(case.options))
      for step = 1, 4 do advance(schedule, step) end
      local tensors, metadata = perilune.state.flatten { optimizer = optimizer:state_dict(),
        schedule = schedule:state_dict() }
      local saved = perilune.state.unflatten(tensors, metadata)
      optimizer = make_optimizer(case)
      schedule = schedules[case.name](optimizer, with_integers(case.options))
      optimizer:load_state_dict(saved.optimizer)
      schedule:load_state_dict(saved.schedule)
      for step = 5, #case.lrs - 1 do
        advance(schedule, step)
        check_groups(case, step + 1, optimizer)
      end
    end)
  end

  it("refuse bad arguments", function()
    local optimizer = optim.SGD({ perilune.zeros(1) }, { lr = 1 })
    raises("StepLR: an optimizer is needed, got 3", schedules.StepLR, 3)
    raises("StepLR: step_size must be an integer of at least 1, got nil", schedules.StepLR, optimizer)
    raises("StepLR: unknown option 'step'; known: step_size, gamma", schedules.StepLR, optimizer, { step = 3 })
    raises("MultiStepLR: the option milestones is needed", schedules.MultiStepLR, optimizer)
    raises("OneCycleLR: give total_steps, or epochs and steps_per_epoch", schedules.OneCycleLR, optimizer,
      { max_lr = 1 })
    raises("OneCycleLR: max_lr must be a number", schedules.OneCycleLR, optimizer, { total_steps = 3 })
    raises("anneal_strategy must be one of cos, linear", schedules.OneCycleLR, optimizer,
      { max_lr = 1, total_steps = 3, anneal_strategy = "exp" })
    raises("OneCycleLR: cycle_momentum needs", schedules.OneCycleLR, optim.Adagrad { perilune.zeros(1) },
      { max_lr = 1, total_steps = 3 })
    raises("factor must be less than 1", schedules.ReduceLROnPlateau, optimizer, { factor = 1.0 })
    raises("ReduceLROnPlateau:step: the watched number is needed",
      schedules.ReduceLROnPlateau(optimizer).step, schedules.ReduceLROnPlateau(optimizer))
    raises("LambdaLR: lr_lambda must be a function, got nil", schedules.LambdaLR, optimizer)
    local schedule = schedules.StepLR(optimizer, { step_size = 2 })
    raises("this is not the state of a schedule", schedule.load_state_dict, schedule, {})
    raises("the table has 2 parameter groups but the optimizer has 1", schedule.load_state_dict, schedule,
      { last_epoch = 1, base_lrs = { 1, 2 } })
  end)

  it("raise past the end of the cycle", function()
    local optimizer = optim.SGD({ perilune.zeros(1) }, { lr = 1 })
    local schedule = schedules.OneCycleLR(optimizer, { max_lr = 1, total_steps = 3 })
    for _ = 1, 3 do schedule:step() end
    raises("OneCycleLR: step 4, but the cycle has 3 steps", schedule.step, schedule)
  end)

  it("leave things as they were when a step fails", function()
    local function fails(text, schedule, ...)
      local group = schedule.optimizer.param_groups[1]
      local before = { schedule.last_epoch, group.lr, group.momentum }
      raises(text, schedule.step, schedule, ...)
      assert.same(before, { schedule.last_epoch, group.lr, group.momentum })
    end
    local function fresh(n)
      local groups = {}
      for g = 1, n do groups[g] = { params = { perilune.zeros(1) } } end
      return optim.SGD(groups, { lr = 1, momentum = 0.5 })
    end
    local cycle = schedules.OneCycleLR(fresh(1), { max_lr = 1, total_steps = 3 })
    for _ = 1, 3 do cycle:step() end
    fails("OneCycleLR: step 4, but the cycle has 3 steps", cycle)
    fails("OneCycleLR: step 4, but the cycle has 3 steps", cycle)
    local scale = 1
    local lambda = schedules.LambdaLR(fresh(1), { lr_lambda = function() return scale end })
    scale = nil
    fails("LambdaLR: lr_lambda must return a number, got nil for epoch 1", lambda)

    local late = "the schedule was made for 1 parameter groups but the optimizer has 2; call add_param_group before"
    for name, given in pairs { LambdaLR = { lr_lambda = math.abs }, CosineAnnealingLR = { T_max = 3 },
      OneCycleLR = { max_lr = 1, total_steps = 3 }, ReduceLROnPlateau = { min_lr = { 0.1 } } } do
      local schedule = schedules[name](fresh(1), given)
      schedule.optimizer:add_param_group { params = { perilune.zeros(2) } }
      fails(name .. ": " .. late, schedule, 3)
    end
    local step = schedules.ExponentialLR(fresh(1), { gamma = 0.5 })
    step.optimizer:add_param_group { params = { perilune.zeros(2) }, lr = 4 }
    step:step()
    assert.same({ 0.5, 2 }, step:get_last_lr())

    local two = fresh(2)
    raises("ReduceLROnPlateau: min_lr has 1 numbers for 2 parameter groups", schedules.ReduceLROnPlateau, two,
      { min_lr = { 0.1 } })
    raises("ReduceLROnPlateau: min_lr must be a number", schedules.ReduceLROnPlateau, two, { min_lr = "x" })
    raises("OneCycleLR: max_lr has 1 numbers for 2 parameter groups", schedules.OneCycleLR, two,
      { max_lr = { 0.1 }, total_steps = 3 })
    raises("OneCycleLR: max_lr must be a number", schedules.OneCycleLR, two, { max_lr = { 0.1, "x" }, total_steps = 3 })
    assert.same({ 1, 1 }, { two.param_groups[1].lr, two.param_groups[2].lr })
  end)
end)
