local importance = require "perilune.study.importance"
local options = require "perilune.options"
local plot = require "perilune.plot"
local view = require "perilune.study.visualization.view"

local WHAT = "param_importances"
local read = options.reader(WHAT, { { "evaluator", nil, "any" }, { "params", nil, "table" }, { "target", nil, "any" },
  { "title", "" } })

--- How much each parameter matters for the value; all together are 1.
-- Options: evaluator (see perilune.study.importance), params, target, title.
---@param study table
---@param given? table
---@return perilune.plot.Figure
local function param_importances(study, given)
  local option = read(given)
  local title = option.title ~= "" and option.title or study.study_name
  if #view.trials(WHAT, study) == 0 then return view.nothing(WHAT, title) end
  local found, names = importance.get_param_importances(study, { evaluator = option.evaluator,
    params = option.params, target = option.target })
  local values = {}
  for i, name in ipairs(names) do values[i] = found[name] end
  return plot.bar { names = names, values = values, horizontal = true, value_labels = "%.2f", xlabel = "importance",
    title = title, height = math.max(180, 60 + 40 * #names) }
end

return param_importances
