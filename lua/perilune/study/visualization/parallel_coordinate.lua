local options = require "perilune.options"
local plot = require "perilune.plot"
local view = require "perilune.study.visualization.view"

local WHAT = "parallel_coordinate"
local read = options.reader(WHAT, { { "params", nil, "table" }, view.TARGET[1], view.TARGET[2], { "title", "" },
  { "color_scale", "linear" } })

-- The trials that have every one of the parameters.
local function whole(trials, parameters)
  local kept = {}
  for i, trial in ipairs(trials) do
    local fine = true
    for _, parameter in ipairs(parameters) do fine = fine and parameter.values[i] == parameter.values[i] end
    if fine then kept[#kept + 1] = trial end
  end
  return kept
end

local function axis_of(parameter)
  if not parameter.choices then return { name = parameter.name, values = parameter.values, scale = parameter.scale } end
  local names = {}
  for i, at in ipairs(parameter.values) do names[i] = parameter.choices[math.tointeger(at)] end
  return { name = parameter.name, values = names, scale = "category", choices = parameter.choices }
end

--- One line for each COMPLETE trial, over its value and its parameters.
-- Trials that lack one of the parameters are left out, as Optuna does: in a conditional space name the params.
-- Options: params (a list of names; default all), target, target_name, title, color_scale ("linear", "log").
---@param study table
---@param given? table
---@return perilune.plot.Figure
local function parallel_coordinate(study, given)
  local option = read(given)
  local trials = view.trials(WHAT, study)
  local target, name, is_less_better = view.target(WHAT, study, option)
  local title = option.title ~= "" and option.title or study.study_name
  if #trials == 0 then return view.nothing(WHAT, title) end
  trials = whole(trials, view.parameters(WHAT, trials, option.params))
  local values = view.values(trials, target)
  local axes = { { name = name, values = values, scale = option.color_scale } }
  for i, parameter in ipairs(view.parameters(WHAT, trials, option.params)) do axes[i + 1] = axis_of(parameter) end
  if #axes < 2 then return view.nothing(WHAT, title, "no parameters") end
  return plot.parallel_coordinates { axes = axes, color = values, color_label = name, color_scale = option.color_scale,
    best = is_less_better == false and "high" or "low", title = title,
    width = math.max(480, 150 * #axes) }
end

return parallel_coordinate
