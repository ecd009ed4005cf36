-- pruners/percentile.lua -- stops a trial whose best value so far is worse than a percentile of the complete trials'
-- values at the same step (linear interpolation, NaN left out); the 50th is the median.
local Pruner = require "perilune.study.pruners.base"
local options = require "perilune.options"
local reports = require "perilune.study.reports"
local settings = require "perilune.study.settings"

local Percentile = Pruner:extend("PercentilePruner")

settings(Percentile, { { "n_startup_trials", 5, least = 0 }, { "n_warmup_steps", 0, least = 0 },
  { "interval_steps", 1, least = 1 }, { "n_min_trials", 1, least = 1 } },
  function(self) return ("%g"):format(self.percentile) end)

function Percentile:init(percentile, given)
  self:configure(given)
  self.percentile = options.number("PercentilePruner", "percentile", percentile, 0, 100)
  self.seen = setmetatable({}, { __mode = "k" }) -- by study: complete trials' values by step
end

-- Keeps the values sorted as they come (NaN are only counted), so that no call sorts all of them again.
local function insert(values, value)
  values.count = values.count + 1
  if value ~= value then return end
  local low, high = 1, #values + 1
  while low < high do
    local middle = (low + high) // 2
    if values[middle] <= value then low = middle + 1 else high = middle end
  end
  table.insert(values, low, value)
end

-- Values of the complete trials by step, with what finished since the last call.
local function history(self, study)
  local seen = self.seen[study] or { cursor = 0, complete = 0, steps = {} }
  self.seen[study] = seen
  local fresh
  fresh, seen.cursor = study:finished_since(seen.cursor)
  for _, trial in ipairs(fresh) do
    if trial.state == "COMPLETE" then
      seen.complete = seen.complete + 1
      for step, value in pairs(trial.intermediate_values) do
        seen.steps[step] = seen.steps[step] or { count = 0 }
        insert(seen.steps[step], value)
      end
    end
  end
  return seen
end

local function percentile_of(sorted, percentile)
  if #sorted == 0 then return nil end
  local at = percentile / 100 * (#sorted - 1)
  local below = math.floor(at)
  local first, second = sorted[below + 1], sorted[math.min(below + 2, #sorted)]
  if first == second then return first end
  local part, gap = at - below, second - first
  return part < 0.5 and first + part * gap or second - (1 - part) * gap   -- NumPy's, also where one is infinite
end

function Percentile:prune(study, trial)
  local seen = history(self, study)
  if seen.complete == 0 or seen.complete < self.n_startup_trials then return false end
  local step, previous = reports.last_two(trial.intermediate_values)
  if not step or not reports.is_due(step, previous, self.n_warmup_steps, self.interval_steps) then return false end
  local sign = reports.sign(study)
  local best, values = reports.best(trial.intermediate_values, sign), seen.steps[step]
  if not best then return true end
  if not values or values.count < self.n_min_trials then return false end
  local limit = percentile_of(values, sign < 0 and 100 - self.percentile or self.percentile)
  return limit ~= nil and best > sign * limit
end

--- Prunes a trial that is worse than this percentile (25: keeps about the best quarter) of the complete trials.
--- Options: n_startup_trials 5 complete trials before the first is pruned, n_warmup_steps 0, interval_steps 1,
--- n_min_trials 1 that reported at the step.
---@param percentile number
---@param given? table
---@return table
return function(percentile, given) return Percentile(percentile, given) end
