-- pruners/successive_halving.lua -- asynchronous successive halving (Li et al., arXiv 1810.05934), with Optuna's rules.
--
-- Rung k is reached at step min_resource * reduction_factor^(k + min_early_stopping_rate).  There a trial must be among
-- the best 1/reduction_factor of those that got so far; the value with which it came is kept as the note
-- "completed_rung_<k>", which other workers read.
local Pruner = require "perilune.study.pruners.base"
local core = require "perilune.core"
local reports = require "perilune.study.reports"
local settings = require "perilune.study.settings"

local SuccessiveHalving = Pruner:extend("SuccessiveHalvingPruner")

settings(SuccessiveHalving, { { "min_resource", "auto", "any", least = 1, is_integer = true },
  { "reduction_factor", 4, least = 2 }, { "min_early_stopping_rate", 0, least = 0 },
  { "bootstrap_count", 0, least = 0 } })

-- belongs(study, record), default all: which trials compete.
function SuccessiveHalving:init(given, belongs)
  self:configure(given)
  if self.bootstrap_count > 0 and not self.min_resource then
    core.raise("SuccessiveHalvingPruner: bootstrap_count needs a min_resource that is a number")
  end
  self.belongs = belongs or function() return true end
  self.seen = setmetatable({}, { __mode = "k" })   -- by study: cursor, rungs = { [k] = ascending values }, last_step
end

local function rung_key(k) return "completed_rung_" .. k end

-- How many of the ascending values are below x.
local function count_below(values, x)
  local low, high = 1, #values + 1
  while low < high do
    local middle = (low + high) // 2
    if values[middle] < x then low = middle + 1 else high = middle end
  end
  return low - 1
end

local function add(seen, record, sign)
  local k, value = 0, record.system_attrs[rung_key(0)]
  while value do
    local rung = seen.rungs[k] or {}
    seen.rungs[k] = rung
    table.insert(rung, count_below(rung, sign * value) + 1, sign * value)
    k = k + 1
    value = record.system_attrs[rung_key(k)]
  end
  if record.state == "COMPLETE" then
    seen.last_step = math.max(seen.last_step, reports.last_two(record.intermediate_values) or -1)
  end
end

local function history(self, study, sign)
  local seen = self.seen[study] or { cursor = 0, rungs = {}, last_step = -1, min_resource = self.min_resource }
  self.seen[study] = seen
  local fresh
  fresh, seen.cursor = study:finished_since(seen.cursor)
  for _, record in ipairs(fresh) do
    if self.belongs(study, record) then add(seen, record, sign) end
  end
  if not seen.min_resource and seen.last_step >= 0 then seen.min_resource = math.max(seen.last_step // 100, 1) end
  return seen
end

-- Competitors on a rung, this trial among them, and how many of them are better.
local function competition(self, study, seen, trial, k, value, sign)
  local rung = seen.rungs[k] or {}
  local count, better = #rung + 1, count_below(rung, sign * value)
  for _, record in ipairs(study:active_trials()) do
    local other = record.number ~= trial.number and record.system_attrs[rung_key(k)]
    if other and self.belongs(study, record) then
      count, better = count + 1, better + (sign * other < sign * value and 1 or 0)
    end
  end
  return count, better
end

function SuccessiveHalving:prune(study, trial)
  local step = reports.last_two(trial.intermediate_values)
  if not step then return false end
  local sign, k = reports.sign(study), 0
  local seen = history(self, study, sign)
  if not seen.min_resource then return false end
  while trial.system_attrs[rung_key(k)] do k = k + 1 end
  local value = trial.intermediate_values[step]
  while step >= seen.min_resource * self.reduction_factor ^ (self.min_early_stopping_rate + k) do
    if value ~= value then return true end
    study:set_system_attr(trial, rung_key(k), value)
    local count, better = competition(self, study, seen, trial, k, value, sign)
    if count <= self.bootstrap_count then return true end
    if better > math.max(count // self.reduction_factor - 1, 0) then return true end
    k = k + 1
  end
  return false
end

--- Asynchronous successive halving (Li et al., arXiv 1810.05934): at steps that grow by reduction_factor only the best
--- 1/reduction_factor of the trials go on.  Options: min_resource "auto" (a hundredth of the longest complete trial) or
--- the first step at which trials are compared; reduction_factor 4; min_early_stopping_rate 0: rungs left out at the
--- beginning; bootstrap_count 0: so many must reach a rung before anybody leaves it.
---@param given? table
---@return table
return function(given, belongs) return SuccessiveHalving(given, belongs) end
