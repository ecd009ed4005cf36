--- What a trial costs (ask, five mixed suggestions, tell), in memory and in an SQLite file; median milliseconds.
--   lua5.4 experiments/bench/study.lua; the peers: python3 experiments/bench/study_python.py
-- On two cores of an AMD EPYC (Optuna 5.0 and Rustuna 0.2 with the same history):
--                 TPE     Optuna  Rustuna   Random
--   1,000 trials  0.24    20.8    1.07      0.015
--   10,000        1.24    123     9.70      0.014
-- In SQLite, on a disk that needs 0.9 ms for one of the seven transactions of a trial: TPE 8.5 and 9.1.
local perilune = require "perilune"
package.path = (arg[0]:match("^(.*/)") or "./") .. "?.lua;" .. package.path
local timing = require "support.timing"
local study = perilune.study

local REPEATS = { [1000] = 500, [10000] = 100 }

local function suggest(trial)
  local x = trial:suggest_float("x", -5, 5)
  local rate = trial:suggest_float("rate", 1e-5, 1e-1, { log = true })
  local n = trial:suggest_int("n", 1, 64)
  local width = trial:suggest_int("width", 1, 1024, { log = true })
  local kind = trial:suggest_categorical("kind", { "a", "b", "c", "d" })
  return (x - 1) ^ 2 + math.abs(rate - 1e-3) + (n / 20 - 1) ^ 2 + (width / 16 - 1) ^ 2 / 100 + (kind ~= "c" and 1 or 0)
end

local function one_trial(s)
  local trial = s:ask()
  s:tell(trial, suggest(trial))
end

local function report(name, sampler, size, storage)
  local filled = study.create { sampler = study.samplers.Random { seed = 2 } }
  if storage then filled:optimize(suggest, { n_trials = size }) end
  local s = study.create { sampler = sampler, storage = storage }
  if storage then s:add_trials(filled.trials) end
  for _ = 1, storage and 0 or size do one_trial(s) end
  local seconds = timing.seconds(function() one_trial(s) end, REPEATS[size])
  timing.report(("%s, %d trials"):format(name, size), 1000 * seconds, "ms")
end

for _, size in ipairs { 1000, 10000 } do
  report("TPE", study.samplers.TPE { seed = 1, n_startup_trials = size }, size)
  report("Random", study.samplers.Random { seed = 1 }, size)
  local path = os.tmpname()
  report("TPE in SQLite", study.samplers.TPE { seed = 1 }, size, "sqlite:///" .. path)
  os.remove(path)
end
