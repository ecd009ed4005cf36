-- view.lua -- what the pictures of a study have in common: which trials they show, which value, which parameters.
local common = require "perilune.plot.common"
local core = require "perilune.core"
local data = require "perilune.plot.data"
local options = require "perilune.options"
local plot = require "perilune.plot"

local read_panel = common.reader("study", {})
local view = {}

--- What stands where the trials would be.
view.NOTHING = "no completed trials"

--- The options that say which value is shown; for several objectives target is needed.
view.TARGET = { { "target", nil, "any" }, { "target_name", nil, "string" } }

--- The trials of a study in one of these states (default: COMPLETE), by number.
---@param what string  the picture, for messages
---@param study table
---@param states? table<string, boolean>
---@return table[]
function view.trials(what, study, states)
  if type(study) ~= "table" or type(study.directions) ~= "table" then
    core.raise(("%s: the first argument must be a study, got %s"):format(what, options.described(study)))
  end
  states = states or { COMPLETE = true }
  local list = {}
  for _, trial in ipairs(study.trials) do
    if states[trial.state] then list[#list + 1] = trial end
  end
  return list
end

--- What a trial's value is, what it is called, and whether less of it is better (nil: that is not known).
---@return fun(trial: table): number value
---@return string name
---@return boolean|nil is_less_better
function view.target(what, study, option)
  local name = option.target_name or "objective value"
  if option.target then
    if type(option.target) ~= "function" then
      core.raise(("%s: option target must be a function of a trial, got %s"):format(what,
        options.described(option.target)))
    end
    return option.target, name, nil
  end
  if #study.directions > 1 then
    core.raise(("%s: the study has %d objectives; say which one: target = function(trial) return trial.values[1] end")
      :format(what, #study.directions))
  end
  return function(trial) return trial.value end, name, study.directions[1] == "minimize"
end

--- The values of some trials as a list.
function view.values(trials, target)
  local values = {}
  for i, trial in ipairs(trials) do values[i] = target(trial) end
  return values
end

-- The names to show: those that are wanted, else all that any trial has, in their order.
local function names_of(what, distributions, wanted)
  local names = {}
  for name in pairs(distributions) do names[#names + 1] = name end
  table.sort(names)
  if not wanted then return names end
  for _, name in ipairs(wanted) do
    if not distributions[name] then
      core.raise(("%s: no trial has the parameter %s; there are: %s"):format(what, options.described(name),
        table.concat(names, ", ")))
    end
  end
  return wanted
end

--- The parameters of some trials: { name, scale = "linear", "log" or "category", choices (their names), values };
--- values has a number for each trial, for categories the place among the choices, NaN where a trial lacks it.
---@param what string
---@param trials table[]
---@param wanted? string[]
---@return table[]
function view.parameters(what, trials, wanted)
  local distributions = {}
  for _, trial in ipairs(trials) do
    for name, distribution in pairs(trial.distributions) do distributions[name] = distribution end
  end
  local list = {}
  for i, name in ipairs(names_of(what, distributions, wanted)) do
    local distribution, values = distributions[name], {}
    local choices = distribution.choices and {}
    for k, choice in ipairs(distribution.choices or {}) do choices[k] = tostring(choice) end
    for k, trial in ipairs(trials) do
      local internal = trial.internal_params[name]
      values[k] = internal == nil and 0 / 0 or choices and internal + 1 or internal
    end
    list[i] = { name = name, values = values, choices = choices,
      scale = choices and "category" or distribution.log and "log" or "linear" }
  end
  return list
end

local ROOM <const> = 0.06

--- Limits of an axis that has all finite values on it, with some room; nil where there are none.
---@param values number[]
---@param kind string  "linear" or "log"
---@return number[]|nil
function view.limits(values, kind)
  local low, high = data.range(values)
  if not low or kind == "log" and low <= 0 or low == high then return nil end
  if kind == "log" then
    local room = (high / low) ^ ROOM
    return { low / room, high * room }
  end
  local room = ROOM * (high - low)
  return { low - room, high + room }
end

--- The wish for the axis of a parameter (panel.lua), and the scale that the shared options take.
function view.axis(parameter)
  if parameter.choices then return { names = parameter.choices }, "linear" end
  return { integers = data.all_whole(parameter.values) }, parameter.scale
end

--- How many figures stand in a row of view.grid.
view.COLUMNS = 3

--- Figures in rows, with one colour bar for all on the right.
function view.grid(figures, title, bar)
  local page = plot.subplots { figures = figures, columns = view.COLUMNS, title = title }
  page.panel.colorbar = bar
  return page
end

--- A figure without anything but the words that no trial is there to be shown.
function view.nothing(what, title, words)
  return common.figure(what, read_panel { title = title }, { marks = {}, nothing = words or view.NOTHING })
end

--- Seconds of "YYYY-MM-DD HH:MM:SS.ffffff", from some moment that is the same for all.
---@param moment string
---@return number
function view.seconds(moment)
  local year, month, day, hour, minute, second = moment:match("^(%d+)-(%d+)-(%d+) (%d+):(%d+):([%d.]+)$")
  local whole = os.time { year = year, month = month, day = day, hour = hour, min = minute, sec = 0, isdst = false }
  return whole + tonumber(second)
end

return view
