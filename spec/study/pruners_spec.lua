-- What every pruner keeps to, and Optuna's decisions on a made-up history (spec/reference/pruners.py).
local perilune = require "perilune"
local json = require "cjson"
local study = perilune.study
study.set_verbosity("off")
local pruners = study.pruners

local file = assert(io.open("spec/reference/study/pruners.json"))
local reference = json.decode(file:read("a"))
file:close()

-- As they are called in the reference.
local MAKERS = {
  ["nop"] = pruners.Nop,
  ["median"] = pruners.Median,
  ["median later"] = function()
    return pruners.Median { n_startup_trials = 2, n_warmup_steps = 3, interval_steps = 4, n_min_trials = 6 }
  end,
  ["percentile"] = function() return pruners.Percentile(25, { n_startup_trials = 0 }) end,
  ["halving"] = pruners.SuccessiveHalving,
  ["halving 3"] = function()
    return pruners.SuccessiveHalving { min_resource = 2, reduction_factor = 3, min_early_stopping_rate = 1 }
  end,
  ["halving bootstrap"] = function()
    return pruners.SuccessiveHalving { min_resource = 1, reduction_factor = 2, bootstrap_count = 5 }
  end,
  ["hyperband"] = pruners.Hyperband,
  ["hyperband 27"] = function()
    return pruners.Hyperband { min_resource = 1, max_resource = 27, reduction_factor = 3 }
  end,
  ["hyperband 2"] = function()
    return pruners.Hyperband { min_resource = 2, max_resource = 20, reduction_factor = 2, bootstrap_count = 2 }
  end,
  ["threshold"] = function()
    return pruners.Threshold { lower = -0.5, upper = 1.5, n_warmup_steps = 2, interval_steps = 3 }
  end,
  ["patient"] = function() return pruners.Patient(nil, 2) end,
  ["patient median"] = function() return pruners.Patient(pruners.Median(), 1, { min_delta = 0.05 }) end,
}

local function each_pruner(run)
  local names = {}
  for name in pairs(MAKERS) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do run(name, MAKERS[name]) end
end

local function plain(value)
  if value == json.null then return 0 / 0 end
  return value == "inf" and math.huge or value
end

-- The decisions as a string; renew() gives a pruner, the same again or, as after a restart, a new one.
local function decisions(direction, renew)
  local s = study.create { study_name = "pruners", direction = direction, pruner = renew() }
  local trials, made = {}, {}
  for _, event in ipairs(reference.events) do
    local number, what, value = event[1], event[2], plain(event[3])
    while not trials[number] do
      local trial = s:ask()
      trials[trial.number] = trial
    end
    s.pruner = renew()
    if type(what) == "string" then
      s:tell(trials[number], what == "COMPLETE" and value or nil, { state = what })
    else
      trials[number]:report(value, math.tointeger(what))
      made[#made + 1] = trials[number]:should_prune() and "1" or "0"
    end
  end
  return table.concat(made)
end

-- Where two strings of decisions first differ.
local function check(expected, found, name)
  assert.equal(#expected, #found)
  for at = 1, #expected do
    local message = ("%s: report %d, expected %s"):format(name, at, expected:sub(at, at))
    assert.is_true(expected:byte(at) == found:byte(at), message)
  end
end

describe("every pruner", function()
  it("is in the reference", function()
    local names = {}
    for name in pairs(reference.decisions) do names[name] = true end
    for name in pairs(MAKERS) do assert.is_true(names[name], name) end
    for name in pairs(pruners) do
      local known = false
      for key in pairs(MAKERS) do
        local kind = name:lower():gsub("successive", "")
        known = known or key:sub(1, #kind) == kind
      end
      assert.is_true(known, name)
    end
  end)

  each_pruner(function(name, make)
    it("decides as Optuna's: " .. name, function()
      for direction, expected in pairs(reference.decisions[name]) do
        local pruner = make()
        check(expected, decisions(direction, function() return pruner end), name .. ", " .. direction)
      end
    end)

    it("keeps a trial without reports, and one that reported what others did: " .. name, function()
      local s = study.create { pruner = make(), study_name = "quiet" }
      for _ = 1, 8 do
        local trial = s:ask()
        assert.is_false(trial:should_prune())
        trial:report(0.5, 1)
        s:tell(trial, 0.5)
      end
    end)
  end)

  -- Those whose rules know of no first moment at which something is settled.
  for _, name in ipairs { "median", "percentile", "halving 3", "hyperband 27", "threshold", "patient median" } do
    it("decides the same after a restart: " .. name, function()
      check(reference.decisions[name].minimize, decisions("minimize", MAKERS[name]), name)
    end)
  end

  it("refuses options that make no sense", function()
    local refused = {
      { pruners.Threshold, {} }, { pruners.Threshold, { lower = 2, upper = 1 } }, { pruners.Patient, nil, -1 },
      { pruners.Patient, "median", 1 }, { pruners.SuccessiveHalving, { reduction_factor = 1 } },
      { pruners.SuccessiveHalving, { min_resource = "some" } }, { pruners.SuccessiveHalving, { bootstrap_count = 2 } },
      { pruners.Hyperband, { max_resource = 0 } }, { pruners.Hyperband, { bootstrap_count = 2 } },
      { pruners.Percentile, 101 }, { pruners.Median, { interval_steps = 0 } }, { pruners.Median, { unknown = 1 } },
    }
    for i, case in ipairs(refused) do assert.is_false(pcall(case[1], case[2], case[3]), "case " .. i) end
  end)
end)

describe("Hyperband", function()
  it("gives each bracket about the same number of steps, and its sampler only that bracket's trials", function()
    local pruner = pruners.Hyperband { min_resource = 1, max_resource = 9, reduction_factor = 3 }
    local s = study.create { study_name = "brackets", pruner = pruner, sampler = study.samplers.TPE { seed = 1 } }
    local counts = { [0] = 0, 0, 0 }
    for _ = 1, 60 do
      local trial = s:ask()
      local value = trial:suggest_float("x", 0, 1)
      counts[pruner:bracket_of(s, trial.record)] = counts[pruner:bracket_of(s, trial.record)] + 1
      s:tell(trial, value)
    end
    assert.is_true(counts[0] > counts[1] and counts[1] > counts[2] / 2 and counts[2] > 0)
    -- the next trial is what TPE makes of the same trials without the other brackets'
    local trial, kept = s:ask(), {}
    local bracket = pruner:bracket_of(s, trial.record)
    for _, t in ipairs(s.trials) do
      if t.state == "COMPLETE" and pruner:bracket_of(s, t) == bracket then kept[#kept + 1] = t end
    end
    local alone = { directions = { "minimize" }, pruner = pruners.Nop(), finished_since = function(_, cursor)
      return table.move(kept, cursor + 1, #kept, 1, {}), #kept
    end, active_trials = function() return {} end }
    assert.is_true(#kept < 60)
    local tpe, again = study.samplers.TPE { seed = 1 }, { number = trial.number, record = trial.record }
    local space = tpe:infer_relative_search_space(alone, again)
    if next(space) then
      assert.equal(tpe:sample_relative(alone, again, space).x, trial:suggest_float("x", 0, 1))
    else
      assert.equal(study.draw(1, trial.number, "x"), trial:suggest_float("x", 0, 1))
    end
  end)
end)
