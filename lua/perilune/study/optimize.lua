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

local FOLDER = debug.getinfo(1, "S").source:match("^(.*)study/optimize%.lua$")   -- the library's, "@" before it

local DEEPEST <const> = 60   -- a stack that overflowed is not walked to its end

-- The lines of the user's that led from the objective, which xpcall called, to an error; innermost first,
-- a recursion once.
local function way_to_here()
  local lines = {}
  for level = 3, DEEPEST do
    local frame = debug.getinfo(level, "Slf")
    if not frame or frame.func == xpcall then return lines end
    if frame.currentline > 0 and frame.source:sub(1, #FOLDER) ~= FOLDER then
      local line = ("%s:%d"):format(frame.short_src, frame.currentline)
      if line ~= lines[#lines] then lines[#lines + 1] = line end
    end
  end
  lines[#lines + 1] = "..."
  return lines
end

local Explained = {}   -- the metatable of what explain makes

-- An error of the objective's with the way to it.  The host adds its traceback to what optimize raises, so that only
-- those lines are added here that the host cannot know any more.
local function explain(message)
  if type(message) ~= "string" then return message end
  local lines, way = way_to_here(), ""
  local is_interrupted = message:find("interrupted!$")
  if is_interrupted and lines[1] then message = lines[1] .. ": interrupted!" end
  if lines[1] and message:sub(1, #lines[1] + 1) == lines[1] .. ":" then table.remove(lines, 1) end
  for _, line in ipairs(is_interrupted and {} or lines) do way = way .. "\n\tcalled from " .. line end
  return setmetatable({ text = message, way = way }, Explained)
end

local function is_explained(failure) return getmetatable(failure) == Explained end

local function text_of(failure) return is_explained(failure) and failure.text or tostring(failure) end

local function is_caught(chosen, failure)
  if text_of(failure):find("interrupted!$") then return false end
  if type(chosen.catch) == "function" then return chosen.catch(text_of(failure)) end
  return chosen.catch
end

-- What the objective returned, or how it failed.
local function run_objective(objective, trial)
  local interruptions = interrupt.count
  local results = table.pack(xpcall(objective, explain, trial))
  if not results[1] then return nil, results[2] end
  if interrupt.count > interruptions then return nil, "interrupted!" end   -- by a Trainer, which ended calmly
  if results.n > 2 then return table.pack(table.unpack(results, 2, results.n)) end
  return results[2]
end

-- Ends the trial; returns its record, or nil where optimize passes the failure on, and what was wrong.
local function end_trial(study, trial, values, failure, chosen)
  if failure == Trial.PRUNED then return (study:conclude(trial, nil, { state = "PRUNED" })) end
  if failure == nil then return study:conclude(trial, values) end
  local record = study:conclude(trial, nil, { state = "FAIL" })
  return is_caught(chosen, failure) and record or nil, text_of(failure)
end

local function pass_on(failure) error(is_explained(failure) and failure.text .. failure.way or failure, 0) end

-- One trial; false when there are enough of them.  job.trial is the one that runs, for who cleans up.
local function run_trial(study, objective, chosen, job)
  shield(function() job.trial = study:begin_trial(chosen.total_trials) end)
  local trial = job.trial
  if not trial then return false end
  local values, failure = run_objective(objective, trial)
  local finished, problem
  if trial.record.lost then
    study.running[trial.number] = nil
    log.warning(("Trial %d was given up by another worker, which had heard nothing of this one."):format(trial.number))
  else
    shield(function() finished, problem = end_trial(study, trial, values, failure, chosen) end)
    if finished then log.trial(study, finished, trial.order, problem) end
  end
  local is_over = finished or trial.record.lost
  job.trial = nil
  if not is_over then pass_on(failure) end
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

-- Ctrl-C that struck within the library, not within the objective, is reported at the user's line.
local function passing_interruptions(f, ...)
  local fine, message = pcall(f, ...)
  if fine then return end
  local is_ours = type(message) == "string" and (message == "interrupted!"
    or message:find("perilune/[%w_/]*%.lua:%d+: interrupted!$"))
  if is_ours then core.raise("interrupted!") end
  error(message, 0)
end

local function together(study, chosen)
  local bar <close> = bar_for(chosen, expected(study, chosen))
  workers.supervise(study, chosen, bar)
end

--- Runs trials: objective(trial) returns a number (a tensor of one element counts), or one for each objective; what is
--- no number, and NaN, fail the trial and are named in the log; trial:prune() ends it early; an error marks it FAIL and
--- is raised again with the lines of the script that led to it.
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
  if chosen.n_jobs == 1 then
    passing_interruptions(alone, study, objective, chosen)
  else
    passing_interruptions(together, study, chosen)
  end
end
