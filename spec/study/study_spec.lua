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

  it("takes a tensor of one element for a number, and names what is none", function()
    local s, warnings = study.create(), {}
    local log = require "perilune.study.log"
    study.set_verbosity("warning")
    log.set_sink(function(line) warnings[#warnings + 1] = line:match("error: (.*)$") end)
    finally(function()
      log.set_sink(function(line) io.stderr:write(line, "\n") end)
      study.set_verbosity("off")
    end)
    local returned = { perilune.tensor(3), perilune.tensor { { 0.25 } }, perilune.tensor { 1, 2 }, perilune.tensor { true },
      "3", true, {}, { 1, 2 }, print, 0 / 0 }
    s:optimize(function(trial)
      trial:report(perilune.tensor { 2.5 }, 1)
      return returned[trial.number + 1]
    end, { n_trials = 11 })
    local trials = s.trials
    assert.same({ 3.0, 0.25, 2.5 }, { trials[1].value, trials[2].value, trials[1].intermediate_values[1] })
    assert.equal("float", math.type(trials[1].value))
    for i = 3, 11 do assert.equal("FAIL", trials[i].state) end
    local not_a = "the objective must return a number, not "
    assert.same({ not_a .. "a tensor of shape (2).", not_a .. "a tensor of shape (1).", not_a .. 'the string "3".',
      not_a .. "the boolean true.", not_a .. "a table.", "2 values for 1 objective.", not_a .. "a function.",
      not_a .. "nan.", not_a .. "nil." }, warnings)
    local two = study.create { directions = { "minimize", "maximize" } }
    two:optimize(function() return perilune.tensor { 1.5 }, 2 end, { n_trials = 1 })
    assert.same({ 1.5, 2.0 }, two.trials[1].values)
    two:tell(two:ask(), { 1, "x" })
    two:tell(two:ask(), 1)
    assert.same({ 'the objective must return a number for each direction, not the string "x".', "1 values for 2 objectives." },
      { warnings[10], warnings[11] })
    raises("a COMPLETE trial needs a number per objective: the objective must return a number, not nil", s.tell, s, s:ask(), nil,
      { state = "COMPLETE" })
    raises('value must be a number, got "x"', s:ask().report, s:ask(), "x", 1)
  end)

  it("passes on an error with the lines of the script that led to it, and an object as it is", function()
    local s = study.create()
    local function helper(x) return x.y.z end
    local function objective() return (helper {}) end
    local fine, message = pcall(s.optimize, s, objective, { n_trials = 1 })
    assert.is_false(fine)
    local line = debug.getinfo(helper, "S").linedefined
    assert.equal(("spec/study/study_spec.lua:%d: attempt to index a nil value (field 'y')\n\tcalled from "
      .. "spec/study/study_spec.lua:%d"):format(line, line + 1), (message:gsub("%.?/?[^ :]*spec/study/", "spec/study/")))
    local thrown = { text = "mine" }
    assert.equal(thrown, select(2, pcall(s.optimize, s, function() error(thrown) end)))
    fine, message = pcall(s.optimize, s, function() error("boom", 0) end)
    assert.is_false(fine)
    assert.matches("^boom\n\tcalled from [^\n]*study_spec.lua:%d+$", message)
    local function endless(n) return 1 + endless(n + 1) end
    fine, message = pcall(s.optimize, s, function() return (endless(1)) end, { n_trials = 1 })
    assert.is_false(fine)
    assert.matches("stack overflow", message, 1, true)
    assert.matches("\n\tcalled from %.%.%.$", message)
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

  it("begins no trial after the timeout, and shows a bar of all trials", function()
    local s, bar = study.create(), { updates = 0 }
    s:optimize(function() return 1 end, { timeout = 0, n_trials = 3 })
    assert.equal(0, #s.trials)
    s:optimize(function()
      local stop = os.clock() + 0.03
      while os.clock() < stop do stop = stop + 0 end
      return 1
    end, { timeout = 0.02, n_trials = 5 })
    assert.is_true(#s.trials <= 1)
    local progress = require "perilune.progress"
    local real = progress.progress
    finally(function() progress.progress = real end)
    progress.progress = function(given)
      bar.total = given.total
      return setmetatable({ update = function(_, n) bar.updates = bar.updates + n end }, { __close = function() bar.closed = true end })
    end
    local before = #s.trials
    s:optimize(function() return 1 end, { timeout = 1000, total_trials = before + 6, n_trials = 9, show_progress_bar = true })
    assert.same({ total = 6, updates = 6, closed = true }, bar)
    assert.equal(before + 6, #s.trials)
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

  it("takes the first of equals for the best, in whatever order they ended", function()
    for _, direction in ipairs { "minimize", "maximize" } do
      local s = study.create { direction = direction }
      local asked = {}
      for i = 1, 4 do asked[i] = s:ask() end
      for _, i in ipairs { 3, 2, 4 } do s:tell(asked[i], 1) end
      assert.equal(1, s.best_trial.number)
      s:tell(asked[1], direction == "minimize" and math.huge or -math.huge)
      assert.equal(1, s.best_trial.number)
    end
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

  it("asks for parameters at once, those that are enqueued first", function()
    local s = study.create { sampler = study.samplers.Random { seed = 4 } }
    s:enqueue_trial { x = 0.25 }
    local wanted = { x = study.FloatDistribution(0, 1), n = study.IntDistribution(1, 9), k = study.CategoricalDistribution { "a" } }
    local first, second = s:ask(wanted), s:ask(wanted)
    assert.equal(0.25, first.params.x)
    assert.same({ x = study.draw(4, 1, "x"), k = "a", n = second:suggest_int("n", 1, 9) }, second.params)
    raises("'x' was another kind of parameter", s.ask, s, { x = study.IntDistribution(0, 1) })
    assert.equal("FAIL", s.trials[3].state)
    raises("it takes a table { name = distribution }, got 3", s.ask, s, 3)
    raises('"x" has no distribution', s.ask, s, { x = 3 })
    assert.equal(3, #s.trials)
  end)

  it("finds samplers and pruners by name", function()
    for name, class in pairs { tpe = "TPESampler", CmaEs = "CmaEsSampler", cma_es = "CmaEsSampler", QMC = "QMCSampler" } do
      assert.equal(class, study.create({ sampler = name }).sampler.class_name)
    end
    assert.equal("HyperbandPruner", study.create({ pruner = "Hyperband" }).pruner.class_name)
    raises('there is no pruner "TPE"; perilune.study.pruners: Hyperband, Median', study.create, { pruner = "TPE" })
  end)

  it("refuses misuse", function()
    raises("there is no sampler", study.create, { sampler = "none" })
    raises("low <= high", study.FloatDistribution, 2, 1)
    local t = study.create():ask()
    t:suggest_int("n", 1, 3)
    raises("another kind", t.suggest_float, t, "n", 1, 3)
  end)

  -- Each message names the call, what was wrong with it, and this file.
  it("says what is wrong with an argument, at the user's line", function()
    local s, distributions = study.create(), { x = study.FloatDistribution(0, 1) }
    local t = s:ask()
    local function one() return 1 end
    local cases = {
      { "study.create: sampler must be a name or an object such as", study.create, { sampler = {} } },
      { "study.create: sampler must be a name or an object such as", study.create, { sampler = study.samplers.TPE } },
      { "study.create: pruner must be a name or an object such as", study.create, { pruner = { 1 } } },
      { "study.create: storage must be a URL such as", study.create, { storage = {} } },
      { "optimize: the objective must be a function", s.optimize, s },
      { "optimize: n_trials must be an integer of at least 0, got -1", s.optimize, s, one, { n_trials = -1 } },
      { "optimize: total_trials must be an integer", s.optimize, s, one, { total_trials = -1 } },
      { "optimize: timeout must be a number", s.optimize, s, one, { timeout = 0 / 0 } },
      { "optimize: callback 1 must be a function", s.optimize, s, one, { callbacks = { 3 } } },
      { "optimize: catch must be true, false or a function", s.optimize, s, one, { catch = "all" } },
      { "suggest_float: name must be a string, got 0", t.suggest_float, t, 0, 1 },
      { "suggest_float: 'x': low and high must be finite numbers", t.suggest_float, t, "x", 2, 1 },
      { "suggest_float: 'x': unknown option 'lg'", t.suggest_float, t, "x", 1, 2, { lg = true } },
      { "suggest_int: 'x': step must be positive", t.suggest_int, t, "x", 1, 2, { step = 0 } },
      { "suggest_categorical: 'x': choice 2 must be", t.suggest_categorical, t, "x", { 1, 0 / 0 } },
      { "report: step must be an integer of at least 0, got nil", t.report, t, 1 },
      { "JSON has no function", t.set_user_attr, t, "f", print },
      { "JSON has no function", s.set_user_attr, s, "f", print },
      { "set_user_attr: key must be a string, got nil", s.set_user_attr, s },
      { "set_metric_names: a name must be a string, got 1", s.set_metric_names, s, { 1 } },
      { "add_trials: it takes a list of trials, got nil", s.add_trials, s },
      { "add_trial: a COMPLETE trial needs a number", s.add_trial, s },
      { "add_trial: 'x' has no distribution", s.add_trial, s, { value = 1, params = { x = 1 }, distributions = { x = 3 } } },
      { "is not in its range", s.add_trial, s, { value = 1, params = { x = 2 }, distributions = distributions } },
      { "add_trial: intermediate_values are", s.add_trial, s, { value = 1, intermediate_values = { a = 1 } } },
      { "add_trial: datetime_start is written", s.add_trial, s, { value = 1, datetime_start = "yesterday" } },
      { "get_param_importances: the first argument must be a study", study.importance.get_param_importances },
    }
    for _, case in ipairs(cases) do
      local fine, message = pcall(function()
        local result = case[2](table.unpack(case, 3))
        return result
      end)
      assert.is_false(fine, "no error: " .. case[1])
      assert.matches(case[1], message, 1, true)
      assert.matches("study_spec.lua:%d+: ", message)
    end
    assert.equal(1, #s.trials)
  end)
end)
