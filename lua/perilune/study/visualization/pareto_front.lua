local core = require "perilune.core"
local options = require "perilune.options"
local plot = require "perilune.plot"
local view = require "perilune.study.visualization.view"

local WHAT = "pareto_front"
local read = options.reader(WHAT, { { "target_names", nil, "table" }, { "include_dominated_trials", true },
  { "title", "" } })

--- The values of the COMPLETE trials of two objectives; those that no other trial beats stand out.
-- Options: target_names (a list of two), include_dominated_trials = true, title.
---@param study table
---@param given? table
---@return perilune.plot.Figure
local function pareto_front(study, given)
  local option = read(given)
  local trials = view.trials(WHAT, study)
  if #study.directions ~= 2 then
    core.raise(("pareto_front: two objectives can be shown, the study has %d"):format(#study.directions))
  end
  local title = option.title ~= "" and option.title or study.study_name
  if #trials == 0 then return view.nothing(WHAT, title) end
  local is_best = {}
  for _, trial in ipairs(study.best_trials) do is_best[trial.number] = true end
  local xs, ys, label = {}, {}, {}
  for _, trial in ipairs(trials) do
    if is_best[trial.number] or option.include_dominated_trials then
      xs[#xs + 1], ys[#ys + 1], label[#label + 1] = trial.values[1], trial.values[2], is_best[trial.number] and 2 or 1
    end
  end
  local names = option.target_names or { "objective 1", "objective 2" }
  return plot.scatter { x = xs, y = ys, label = label, names = { "trial", "best trial" }, xlabel = names[1],
    ylabel = names[2], palette = { "#9aa7b0", "#D55E00" }, title = title }
end

return pareto_front
