-- optimize.lua -- Study:optimize, the loop around ask, the objective and tell.
local Trial = require "perilune.study.trial"
local core = require "perilune.core"
local options = require "perilune.options"

local read = options.reader("Study:optimize", { { "n_trials", nil, "integer" }, { "total_trials", nil, "integer" },
  { "timeout", nil, "number" }, { "catch", false }, { "callbacks", {} }, { "show_progress_bar", false } })

local function trace(message)
  return type(message) == "string" and { text = message, traceback = debug.traceback(message, 2) } or message
end

local function run_trial(study, objective, catch)
  local trial = study:ask()
  local results = table.pack(xpcall(objective, trace, trial))
  if results[1] then
    local values = results[2]
    if results.n > 2 then values = table.pack(table.unpack(results, 2, results.n)) end
    return study:tell(trial, values)
  end
  local failure = results[2]
  if failure == Trial.PRUNED then return study:tell(trial, nil, { state = "PRUNED" }) end
  local told = study:tell(trial, nil, { state = "FAIL" })
  local text = type(failure) == "table" and failure.text or nil
  if not catch or (text and text:find("interrupted!", 1, true)) then error(text and failure.traceback or failure, 0) end
  return told
end

-- How many trials this call may still run.
local function allowance(study, chosen)
  local left = chosen.n_trials or math.huge
  if chosen.total_trials then left = math.min(left, chosen.total_trials - study:count_finished()) end
  return left
end

local function bar_for(chosen, left)
  if not chosen.show_progress_bar or left <= 0 or left == math.huge then return nil end
  return require("perilune.progress").progress { total = left, unit = "trial" }
end

return function(study, objective, given)
  local chosen = read(given)
  if type(objective) ~= "function" then core.raise("Study:optimize: the objective must be a function of a trial") end
  local left, start, clock = allowance(study, chosen), core.terminal.now(), core.terminal.now
  local bar = bar_for(chosen, left)
  study.stopped = false
  while left > 0 and not study.stopped and not (chosen.timeout and clock() - start >= chosen.timeout) do
    local finished = run_trial(study, objective, chosen.catch)
    for _, callback in ipairs(chosen.callbacks) do callback(study, finished) end
    if bar then bar:update(1) end
    left = left - 1
  end
  if bar then bar:finish() end
end
