-- pruners/median.lua -- Optuna's default: the percentile pruner at 50.
local percentile = require "perilune.study.pruners.percentile"

--- Prunes a trial that is worse than the median of the complete trials at its step.
--- Options: n_startup_trials 5, n_warmup_steps 0, interval_steps 1, n_min_trials 1.
---@param given? table
---@return table
return function(given) return percentile(50, given) end
