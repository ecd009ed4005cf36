-- perilune.study in memory: spaces, states, best trials, the median pruner.
local perilune = require "perilune"
local study = perilune.study

local function raises(text, f, ...)
  local fine, message = pcall(f, ...)
  assert.is_false(fine, "no error")
  assert.matches(text, message, 1, true)
end

local function space(trial)
  local x = trial:suggest_float("x", -1, 1)
  trial:suggest_float("lr", 1e-5, 1e-1, { log = true })
  trial:suggest_float("half", 0, 1.2, { step = 0.5 })
  trial:suggest_int("n", 1, 10, { step = 4 })
  trial:suggest_int("m", 1, 100, { log = true })
  trial:suggest_categorical("kind", { "a", true, 3 })
  if x > 0 then trial:suggest_int("only", 7, 7) end
  return x * x
end

describe("perilune.study", function()
  setup(function() study.set_verbosity("off") end)
  teardown(function() study.set_verbosity("warning") end)

  it("keeps bounds, steps and types", function()
    local s = study.create { sampler = study.samplers.Random { seed = 1 } }
    s:optimize(space, { n_trials = 300 })
    local seen, nines = {}, 0
    for i, t in ipairs(s.trials) do
      local p = t.params
      assert.equal(i - 1, t.number)
      assert.is_true(p.x >= -1 and p.x < 1 and p.lr >= 1e-5 and p.lr <= 0.1)
      assert.is_true(p.half == 0 or p.half == 0.5 or p.half == 1)
      assert.is_true(p.n == 1 or p.n == 5 or p.n == 9)
      if p.n == 9 then nines = nines + 1 end
      assert.equal("integer", math.type(p.m))
      assert.is_true(p.only == (p.x > 0 and 7 or nil))
      assert.equal("float", math.type(t.internal_params.kind))
      seen[p.kind], seen[p.half], seen[p.n * 100] = true, true, true
    end
    for _, key in ipairs { "a", true, 3, 0.0, 0.5, 1.0, 100, 500, 900 } do assert.is_true(seen[key], tostring(key)) end
    assert.is_true(nines > 70 and nines < 130, "a third each, got " .. nines)
    assert.equal(s.best_trial.params, s.best_params)
    for _, t in ipairs(s.trials) do assert.is_true(s.best_value <= t.value) end
  end)

  it("draws by seed, number and name: stopping and going on changes nothing", function()
    local function values(parts)
      local s, list = study.create { sampler = study.samplers.Random { seed = 5 } }, {}
      for _, n in ipairs(parts) do s:optimize(space, { n_trials = n }) end
      for i, t in ipairs(s.trials) do list[i] = t.params end
      return list
    end
    assert.same(values { 10 }, values { 3, 7 })
    local mean = 0
    for number = 1, 2000 do mean = mean + study.draw(1, number, "x") / 2000 end
    assert.is_true(math.abs(mean - 0.5) < 0.03)
  end)

  it("tells states: nil and NaN fail, infinity counts, PRUNED takes the last report", function()
    local s = study.create()
    assert.equal("FAIL", s:tell(s:ask(), nil).state)
    assert.equal("FAIL", s:tell(s:ask(), 0 / 0).state)
    s:tell(s:ask(), math.huge)
    s:tell(s:ask(), 2)
    local t = s:ask()
    t:report(9, 1)
    t:report(8, 3)
    assert.equal(8.0, s:tell(t, nil, { state = "PRUNED" }).value)
    assert.equal(2.0, s.best_value)
    raises("is not running", s.tell, s, t, 1)
    raises("is finished", t.report, t, 1, 5)
    local fresh, cursor = s:finished_since(3)
    assert.same({ 2, 5 }, { #fresh, cursor })
    assert.same({}, (s:finished_since(cursor)))
  end)

  it("counts trials, catches errors, calls back, stops", function()
    local s, calls = study.create { direction = "maximize" }, 0
    local function objective(t)
      if t.number == 1 then error("boom") end
      if t.number == 2 then t:prune() end
      return t.number
    end
    raises("boom", s.optimize, s, objective, { n_trials = 5 })
    s:optimize(objective, { total_trials = 4, catch = true, callbacks = { function() calls = calls + 1 end } })
    assert.equal(2, calls)
    assert.equal("FAIL", s.trials[2].state)
    assert.equal("PRUNED", s.trials[3].state)
    assert.equal(3.0, s.best_value)
    s:optimize(objective, { n_trials = 9, callbacks = { function(it) it:stop() end } })
    assert.equal(5, #s.trials)
    raises("boom", s.optimize, s, function() error("boom") end, { n_trials = 1 })
  end)

  it("runs enqueued trials once, and refuses values out of range", function()
    local s = study.create()
    s:enqueue_trial { x = 0.25 }
    s:enqueue_trial { x = 9 }
    s:optimize(space, { n_trials = 3, catch = true })
    assert.equal(0.25, s.trials[1].params.x)
    assert.equal("FAIL", s.trials[2].state)
    assert.equal(3, #s.trials)
  end)

  it("shows the running trials, and keeps notes with them", function()
    local s = study.create()
    local first, second = s:ask(), s:ask()
    first:suggest_float("x", 0, 1)
    s:set_system_attr(second.record, "completed_rung_0", 0.5)
    local active = s:active_trials()
    assert.same({ first.record, second.record }, active)
    assert.equal(0.5, active[2].system_attrs.completed_rung_0)
    s:tell(first, 1)
    assert.same({ second.record }, s:active_trials())
  end)

  it("finds the Pareto front", function()
    local s = study.create { directions = { "minimize", "maximize" } }
    for _, values in ipairs { { 1, 1 }, { 2, 2 }, { 2, 1 }, { 1, 1 } } do s:tell(s:ask(), values) end
    local numbers = {}
    for i, t in ipairs(s.best_trials) do numbers[i] = t.number end
    assert.same({ 0, 1, 3 }, numbers)
  end)

  it("prunes below the median", function()
    local s = study.create { pruner = "median" }
    local function reported(value)
      local t = s:ask()
      t:report(value, 1)
      return t
    end
    for _, value in ipairs { 4, 1, 5, 3, 2 } do
      local t = reported(value)
      assert.is_false(t:should_prune())
      s:tell(t, value)
    end
    assert.is_false(reported(3):should_prune())
    assert.is_true(reported(3.01):should_prune())
    assert.is_true(reported(0 / 0):should_prune())
    assert.is_false(study.create { pruner = "nop" }:ask():should_prune())
  end)

  it("refuses misuse", function()
    raises("there is no sampler", study.create, { sampler = "none" })
    raises("low <= high", study.FloatDistribution, 2, 1)
    local t = study.create():ask()
    t:suggest_int("n", 1, 3)
    raises("another kind", t.suggest_float, t, "n", 1, 3)
  end)
end)
