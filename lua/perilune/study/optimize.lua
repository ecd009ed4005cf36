-- optimize.lua -- Study:optimize, the loop around ask, the objective and tell.
--
-- Ctrl-C ends the objective, or the Trainer within it, at once; the trial is marked FAIL, and "interrupted!" is passed
-- on.  It never strikes within ask or tell (shield.lua).
local Trial = require "perilune.study.trial"
local core = require "perilune.core"
local interrupt = require "perilune.train.interrupt"
local log = require "perilune.study.log"
local options = require "perilune.options"
local shield = require "perilune.study.shield"
local workers = require "perilune.study.workers"

local read = options.reader("Study:optimize", { { "n_trials", nil, "integer" }, { "total_trials", nil, "integer" },
  { "timeout", nil, "number" }, { "n_jobs", 1 }, { "catch", false, "any" }, { "callbacks", {} },
  { "show_progress_bar", false } })

local function trace(message)
  return type(message) == "string" and { text = message, traceback = debug.traceback(message, 2) } or message
end

local function text_of(failure) return type(failure) == "table" and failure.text or tostring(failure) end

local function is_caught(chosen, failure)
  if text_of(failure):find("interrupted!$") then return false end
  if type(chosen.catch) == "function" then return chosen.catch(text_of(failure)) end
  return chosen.catch
end

-- What the objective returned, or how it failed.
local function run_objective(objective, trial)
  local interruptions = interrupt.count
  local results = table.pack(xpcall(objective, trace, trial))
  if not results[1] then return nil, results[2] end
  if interrupt.count > interruptions then return nil, "interrupted!" end   -- by a Trainer, which ended calmly
  if results.n > 2 then return table.pack(table.unpack(results, 2, results.n)) end
  return results[2]
end

-- Ends the trial; returns its record, or nil and the failure that optimize passes on.
local function end_trial(study, trial, values, failure, chosen)
  if failure == Trial.PRUNED then return study:tell(trial, nil, { state = "PRUNED" }) end
  if failure == nil then return study:tell(trial, values) end
  local record = study:tell(trial, nil, { state = "FAIL" })
  if is_caught(chosen, failure) then return record end
  return nil, type(failure) == "table" and failure.traceback or failure
end

-- One trial; false when there are enough of them.  job.trial is the one that runs, for who cleans up.
local function run_trial(study, objective, chosen, job)
  shield(function() job.trial = study:begin_trial(chosen.total_trials) end)
  local trial = job.trial
  if not trial then return false end
  local values, failure = run_objective(objective, trial)
  local finished, passed_on
  if trial.record.lost then
    study.running[trial.number] = nil
    log.warning(("Trial %d was given up by another worker, which had heard nothing of this one."):format(trial.number))
  else
    shield(function() finished, passed_on = end_trial(study, trial, values, failure, chosen) end)
    if not passed_on then log.trial(study, trial.record, trial.order, failure and text_of(failure)) end
  end
  job.trial = nil
  if passed_on then error(passed_on, 0) end
  for _, callback in ipairs(finished and chosen.callbacks or {}) do callback(study, finished) end
  return true
end

-- An error, or Ctrl-C, between the objective and tell: no trial is left RUNNING.
local function clean_up(study, job)
  local trial = job.trial
  if not trial or not study.running[trial.number] or trial.record.lost then return end
  pcall(shield, function() study:tell(trial, nil, { state = "FAIL" }) end)
end

-- How many trials this call will run, as far as one can say; infinite without a number.
local function expected(study, chosen)
  local left = chosen.n_trials or math.huge
  if chosen.total_trials then
    study.store:sync()
    left = math.min(left, chosen.total_trials - study.store:count())
  end
  return left
end

local function bar_for(chosen, left)
  if not chosen.show_progress_bar or left <= 0 or left == math.huge then return nil end
  return require("perilune.progress").progress { total = left, unit = "trial" }
end

-- may_go_on() is asked before each trial.
local function loop(study, objective, chosen, may_go_on, after)
  local job, start = {}, core.terminal.now()
  study.stopped = false
  while not study.stopped and not (chosen.timeout and core.terminal.now() - start >= chosen.timeout) and may_go_on() do
    local fine, more = pcall(run_trial, study, objective, chosen, job)
    if not fine then
      clean_up(study, job)
      error(more, 0)
    end
    if not more then return end
    after()
  end
end

local function alone(study, objective, chosen)
  local left = chosen.n_trials or math.huge
  local bar <close> = bar_for(chosen, expected(study, chosen))
  loop(study, objective, chosen, function()
    left = left - 1
    return left >= 0
  end, function()
    if bar then bar:update(1) end
  end)
end

local function check(chosen)
  options.integer("Study:optimize", "n_jobs", chosen.n_jobs)
  options.integer("Study:optimize", "n_trials", chosen.n_trials or 0, 0)
  options.integer("Study:optimize", "total_trials", chosen.total_trials or 0, 0)
  options.number("Study:optimize", "timeout", chosen.timeout or 0, 0)
  if type(chosen.catch) ~= "boolean" and type(chosen.catch) ~= "function" then
    core.raise("Study:optimize: catch must be true, false or a function of the message, got "
      .. options.described(chosen.catch))
  end
  for i, callback in ipairs(chosen.callbacks) do
    if type(callback) ~= "function" then
      core.raise(("Study:optimize: callback %d must be a function (study, finished trial), got %s"):format(i,
        options.described(callback)))
    end
  end
end

--- Runs trials: objective(trial) returns a number, or one for each objective; nil or NaN fail the trial, trial:prune()
--- ends it early, an error marks it FAIL and is raised again.
---
--- Options: n_trials (so many more), total_trials (until the study has so many, however many processes work on it),
--- timeout in seconds (no trial begins later), without any of them until stop() or Ctrl-C; n_jobs = 1; catch = false:
--- true, or a function of the message that says whether to go on after an error; callbacks: a list of functions (study,
--- finished trial); show_progress_bar = false.
---
--- n_jobs > 1 starts so many processes of the same script on the same storage, which must be a database.  Each of
--- them runs the script from its start to this call, where it takes part in the trials and ends: what stands before
--- must bear being run again (perilune.study.is_worker() tells).  In a worker, earlier optimize calls and whatever
--- would change a study (enqueue_trial, delete, ...) do nothing.  Callbacks run in the workers.
---@param study table
---@param objective fun(trial: table): number?, ...
---@param given? table
return function(study, objective, given)
  local chosen = read(given)
  if type(objective) ~= "function" then core.raise("Study:optimize: the objective must be a function of a trial") end
  check(chosen)
  local part = workers.part()
  if part == "skip" then return end
  if part == "work" then return workers.work(study, objective, chosen, loop) end
  if chosen.n_jobs == 1 then return alone(study, objective, chosen) end
  local bar <close> = bar_for(chosen, expected(study, chosen))
  workers.supervise(study, chosen, bar)
end
