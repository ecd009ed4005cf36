--- perilune.study.importance: which parameters matter for the objective.
local core = require "perilune.core"
local options = require "perilune.options"
local ped_anova = require "perilune.study.importance.ped_anova"
local shown = require "perilune.shown"

local importance = {
  Fanova = require "perilune.study.importance.fanova",
  PedAnova = ped_anova,
}

local read = options.reader("get_param_importances", { { "evaluator", nil, "table" }, { "params", nil, "table" },
  { "target", nil, "function" }, { "normalize", true } })

-- COMPLETE trials with finite values, the values beside them.
local function usable(study, target)
  local trials, values = {}, {}
  for _, trial in ipairs(study.trials) do
    local value = trial.state == "COMPLETE" and (target and target(trial) or trial.value)
    if value and value - value == 0 then trials[#trials + 1], values[#values + 1] = trial, value end
  end
  return trials, values
end

local function check_params(study, params)
  local known = {}
  for _, trial in ipairs(study.trials) do
    for name in pairs(trial.state == "COMPLETE" and trial.distributions or {}) do known[name] = true end
  end
  for _, name in ipairs(params or {}) do
    if not known[name] then
      core.raise(("get_param_importances: no complete trial has the parameter %s"):format(options.described(name)))
    end
  end
end

local function normalized(found)
  local sum, count, shares = 0, 0, {}
  for _, value in pairs(found) do sum, count = sum + value, count + 1 end
  for name, value in pairs(found) do shares[name] = sum > 0 and value / sum or 1 / count end
  return shares
end

--- How important each parameter is, { name = share } with a sum of 1, and the names, the most important first.
--- Options: evaluator, default importance.PedAnova(); params: names, default all that the evaluator can judge (Fanova
--- only those that every trial has); target: a function of a trial that gives the value to explain, low being good
--- (needed for a study with several objectives); normalize true: false leaves the evaluator's own scale.  Raises where
--- no COMPLETE trial has a finite value.
---@param study table
---@param given? table  { evaluator, params, target, normalize = true }
---@return table
---@return string[]
function importance.get_param_importances(study, given)
  local chosen = read(given)
  if type(study) ~= "table" or type(study.directions) ~= "table" then
    core.raise("get_param_importances: the first argument must be a study, got " .. options.described(study))
  end
  if #study.directions > 1 and not chosen.target then
    core.raise("get_param_importances: a study with several objectives needs a target, such as "
      .. "function(trial) return trial.values[1] end")
  end
  check_params(study, chosen.params)
  local trials, values = usable(study, chosen.target)
  if #trials == 0 then
    core.raise("get_param_importances: there are no completed trials whose value is finite; run some first")
  end
  local is_lower_better = chosen.target ~= nil or study.directions[1] == "minimize"
  local found = (chosen.evaluator or ped_anova()):evaluate(trials, values, chosen.params, is_lower_better)
  if chosen.normalize then found = normalized(found) end
  local names = {}
  for name in pairs(found) do names[#names + 1] = name end
  table.sort(names, function(a, b)
    if found[a] ~= found[b] then return found[a] > found[b] end
    return a < b
  end)
  return found, names
end

return setmetatable(importance, { __tostring = shown.place("perilune.study.importance", importance) })
