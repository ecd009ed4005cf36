-- study.lua make|continue|check URL FILE -- our side of the check: makes or goes on with the study "both" and writes what
-- it holds as JSON, or compares the study with such a file, which Optuna wrote.
local perilune = require "perilune"
local json = require "perilune.study.json"
local study = perilune.study
local action, url, path = arg[1], arg[2], arg[3]

local function objective(trial)
  local x = trial:suggest_float("x", -1, 1)
  local lr = trial:suggest_float("lr", 1e-5, 1e-1, { log = true })
  local half = trial:suggest_float("half", 0, 1, { step = 0.25 })
  local n = trial:suggest_int("n'ü", 1, 9, { step = 2 })
  local kind = trial:suggest_categorical("kind", { "it's", true, 3, 1.5, study.null })
  if kind == true then trial:suggest_int("only", 1, 100, { log = true }) end
  trial:report(0 / 0, 0)
  trial:report(math.huge, 1)
  trial:report(x, 2)
  trial:set_user_attr("note \"'", { 1, 2.5, { deep = "ü" } })
  if trial.number % 7 == 3 then trial:prune() end
  if trial.number % 7 == 4 then error("a trial that fails") end
  return x * x + lr + half + n / 10
end

local function described(distribution) return json.decode(distribution:encode()) end

local function contents(s)
  local list = {}
  for i, record in ipairs(s.trials) do
    local kinds, reports = {}, {}
    for name, distribution in pairs(record.distributions) do kinds[name] = described(distribution) end
    for step, value in pairs(record.intermediate_values) do reports[tostring(step)] = value end
    list[i] = { number = record.number, state = record.state, values = record.values or json.null, params = record.params,
      distributions = kinds, intermediate_values = reports, user_attrs = record.user_attrs,
      start = record.datetime_start, complete = record.datetime_complete }
  end
  return { trials = list, best = s.best_trial.number, user_attrs = s.user_attrs, direction = s.directions[1] }
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" or a == json.null or b == json.null then
    return a == b and math.type(a) == math.type(b) or a ~= a and b ~= b
  end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

study.set_verbosity("off")
local s = action == "make" and study.create { study_name = "ours", storage = url, direction = "minimize" }
  or study.load { study_name = arg[4] or study.list({ storage = url })[#study.list { storage = url }].study_name, storage = url }
if action == "check" then
  local file = assert(io.open(path))
  local expected, found = json.decode(file:read("a")), contents(s)
  for i, trial in ipairs(expected.trials) do
    for key, value in pairs(trial) do
      assert(same(value, found.trials[i][key]), ("trial %d, %s: they have %s, we %s"):format(i - 1, key, json.encode(value),
        json.encode(found.trials[i][key])))
    end
  end
  expected.trials, found.trials = #expected.trials, #found.trials
  assert(same(expected, found), json.encode(expected) .. " against " .. json.encode(found))
else
  s:set_user_attr("author", { name = "é'" })
  s:enqueue_trial { x = 0.125, kind = study.null }
  s:optimize(objective, { n_trials = 20, catch = true })
  local file = assert(io.open(path, "w"))
  file:write(json.encode(contents(s)))
  file:close()
end
