local Dots = require "perilune.plot.marks.dots"
local color = require "perilune.plot.color"
local common = require "perilune.plot.common"
local quantity = require "perilune.plot.quantity"
local options = require "perilune.options"
local theme = require "perilune.plot.theme"
local view = require "perilune.study.visualization.view"

local WHAT = "slice"
local read = options.reader(WHAT, { { "params", nil, "table" }, view.TARGET[1], view.TARGET[2],
  { "yscale", "linear" }, { "title", "" } })
local read_panel = common.reader(WHAT, {})

--- For each parameter the values of the COMPLETE trials over it; later trials are darker.
-- Options: params (a list of names; default all), target, target_name, yscale ("linear", "log"), title.
---@param study table
---@param given? table
---@return perilune.plot.Figure
local function slice(study, given)
  local option = read(given)
  local trials = view.trials(WHAT, study)
  local target, name = view.target(WHAT, study, option)
  local title = option.title ~= "" and option.title or study.study_name
  if #trials == 0 then return view.nothing(WHAT, title) end
  local values, numbers = view.values(trials, target), {}
  for i, trial in ipairs(trials) do numbers[i] = trial.number end
  local parameters = view.parameters(WHAT, trials, option.params)
  if #parameters == 0 then return view.nothing(WHAT, title, "no parameters") end
  local bar = quantity.bar(WHAT, { color_label = "trial", color_scale = "linear", colormap = "blues" }, 0,
    math.max(1, numbers[#numbers]))
  bar.scale.integers = true
  local colors, figures, ylim = {}, {}, view.limits(values, option.yscale)
  for i, number in ipairs(numbers) do colors[i] = color.faded(quantity.color(bar, number), 0.9) end
  for i, parameter in ipairs(parameters) do
    local axis, kind = view.axis(parameter)
    local panel = read_panel { xlabel = parameter.name, ylabel = i % view.COLUMNS == 1 and name or "", xscale = kind,
      yscale = option.yscale, ylim = ylim }
    figures[i] = common.figure(WHAT, panel, { x = axis, marks = {
      Dots.new { xs = parameter.values, ys = values, colors = colors, radius = 3.2, stroke = theme.axis } } })
  end
  return view.grid(figures, title, bar)
end

return slice
