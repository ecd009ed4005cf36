local Curve = require "perilune.plot.marks.curve"
local Dots = require "perilune.plot.marks.dots"
local common = require "perilune.plot.common"
local palette = require "perilune.plot.palette"
local view = require "perilune.study.visualization.view"

local WHAT = "optimization_history"
local read = common.reader(WHAT, view.TARGET)

local function best_so_far(values, is_less_better)
  local best, list = nil, {}
  for i, value in ipairs(values) do
    if not best or (is_less_better and value < best) or (not is_less_better and value > best) then best = value end
    list[i] = best
  end
  return list
end

--- The value of each COMPLETE trial, and the best until then.
-- Options: target (a function from a trial to a number; needed where there are several objectives, and then there is no
-- best), target_name; and those of all plots: title, yscale, width, height ...
---@param study table
---@param given? table
---@return perilune.plot.Figure
local function optimization_history(study, given)
  local option = read(given)
  local trials = view.trials(WHAT, study)
  local target, name, is_less_better = view.target(WHAT, study, option)
  local values, numbers = view.values(trials, target), {}
  for i, trial in ipairs(trials) do numbers[i] = trial.number end
  local colors = palette.classes(WHAT, 4)
  local marks = { Dots.new { xs = numbers, ys = values, colors = colors[1], radius = 3 } }
  local entries = { { text = name, color = colors[1], shape = "circle" } }
  if is_less_better ~= nil then
    marks[2] = Curve.new { xs = numbers, ys = best_so_far(values, is_less_better), color = colors[4], line_width = 2,
      step = true }
    entries[2] = { text = "best value", color = colors[4], shape = "line", line_width = 2 }
  end
  if option.title == "" then option.title = study.study_name end
  if option.xlabel == "" then option.xlabel = "trial" end
  if option.ylabel == "" then option.ylabel = name end
  return common.figure(WHAT, option, { legend = entries, legend_place = "right", marks = marks,
    nothing = view.NOTHING, x = { integers = true } })
end

return optimization_history
