local Curve = require "perilune.plot.marks.curve"
local color = require "perilune.plot.color"
local common = require "perilune.plot.common"
local palette = require "perilune.plot.palette"
local view = require "perilune.study.visualization.view"

local WHAT = "intermediate_values"
local read = common.reader(WHAT, {})

local STATES = { "COMPLETE", "PRUNED", "RUNNING", "FAIL" }
local SHOWN = { COMPLETE = true, PRUNED = true, RUNNING = true, FAIL = true }

-- The reported values by step.
local function curve_of(trial, c)
  local steps, values = {}, {}
  for step in pairs(trial.intermediate_values) do steps[#steps + 1] = step end
  table.sort(steps)
  for i, step in ipairs(steps) do values[i] = trial.intermediate_values[step] end
  return Curve.new { xs = steps, ys = values, color = color.faded(c, 0.7), line_width = 1.4,
    dash = trial.state ~= "COMPLETE" and { 4, 3 } or nil, marker = trial.state ~= "COMPLETE" and "circle" or nil }
end

--- What the trials reported, step by step: COMPLETE ones as unbroken lines, all others dashed, in a colour for each
-- state.
-- Options: those of all plots: title, ylabel, yscale, width, height ...
---@param study table
---@param given? table
---@return perilune.plot.Figure
local function intermediate_values(study, given)
  local option = read(given)
  local colors, color_of, counts, marks = palette.classes(WHAT, #STATES), {}, {}, {}
  for i, state in ipairs(STATES) do color_of[state] = colors[i] end
  for _, trial in ipairs(view.trials(WHAT, study, SHOWN)) do
    if next(trial.intermediate_values) then
      marks[#marks + 1] = curve_of(trial, color_of[trial.state])
      counts[trial.state] = (counts[trial.state] or 0) + 1
    end
  end
  local entries = {}
  for _, state in ipairs(STATES) do
    if counts[state] then
      entries[#entries + 1] = { text = ("%s (%d)"):format(state:lower(), counts[state]), color = color_of[state],
        shape = "line", line_width = 2, dash = state ~= "COMPLETE" and { 4, 3 } or nil }
    end
  end
  if option.title == "" then option.title = study.study_name end
  if option.xlabel == "" then option.xlabel = "step" end
  if option.ylabel == "" then option.ylabel = "intermediate value" end
  return common.figure(WHAT, option, { legend = entries, legend_place = "right", marks = marks,
    nothing = "no intermediate values", x = { integers = true } })
end

return intermediate_values
