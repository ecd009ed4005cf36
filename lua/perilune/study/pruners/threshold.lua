-- pruners/threshold.lua -- stops a trial whose last value leaves a given range, or is NaN.
local Pruner = require "perilune.study.pruners.base"
local core = require "perilune.core"
local reports = require "perilune.study.reports"
local settings = require "perilune.study.settings"

local Threshold = Pruner:extend("ThresholdPruner")

settings(Threshold, { { "lower", nil, "number" }, { "upper", nil, "number" }, { "n_warmup_steps", 0, least = 0 },
  { "interval_steps", 1, least = 1 } })

function Threshold:init(given)
  self:configure(given)
  if not self.lower and not self.upper then core.raise("ThresholdPruner: give lower, upper or both") end
  self.lower, self.upper = self.lower or -math.huge, self.upper or math.huge
  if self.lower > self.upper then core.raise("ThresholdPruner: lower must not be above upper") end
end

function Threshold:prune(_, trial)
  local step, previous = reports.last_two(trial.intermediate_values)
  if not step or not reports.is_due(step, previous, self.n_warmup_steps, self.interval_steps) then return false end
  local value = trial.intermediate_values[step]
  return not (value >= self.lower and value <= self.upper)
end

--- Prunes a trial whose last value is below lower, above upper, or NaN.  Options: lower, upper (one of them at least);
--- n_warmup_steps 0: steps before the first check; interval_steps 1 between checks.
---@param given table  { lower, upper, n_warmup_steps = 0, interval_steps = 1 }
---@return table
return function(given) return Threshold(given) end
