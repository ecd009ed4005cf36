-- pruners/patient.lua -- lets another pruner decide only after a trial has not improved for some reports.
local Pruner = require "perilune.study.pruners.base"
local core = require "perilune.core"
local options = require "perilune.options"
local reports = require "perilune.study.reports"
local settings = require "perilune.study.settings"

local Patient = Pruner:extend("PatientPruner")

settings(Patient, { { "min_delta", 0.0, least = 0 } },
  function(self) return tostring(self.pruner), "patience = " .. self.patience end)

function Patient:init(pruner, patience, given)
  if pruner ~= nil and type(pruner) ~= "table" then core.raise("PatientPruner: it takes a pruner or nil") end
  self.pruner = pruner
  self.patience = options.integer("PatientPruner", "patience", patience, 0)
  self:configure(given)
  if pruner and pruner.bracket_of then
    self.bracket_of = function(_, study, record) return pruner:bracket_of(study, record) end
  end
end

-- The lowest of sign * value over some steps, NaN left out.
local function best_of(values, steps, first, last, sign)
  local part = {}
  for i = first, last do part[steps[i]] = values[steps[i]] end
  return reports.best(part, sign)
end

-- Whether the last patience + 1 values are all worse, by more than min_delta, than the best before them.
local function is_stuck(self, study, values)
  local steps = {}
  for step in pairs(values) do steps[#steps + 1] = step end
  if #steps <= self.patience + 1 then return false end
  table.sort(steps)
  local sign, last_before = reports.sign(study), #steps - self.patience - 1
  local before = best_of(values, steps, 1, last_before, sign)
  local after = best_of(values, steps, last_before + 1, #steps, sign)
  return before ~= nil and after ~= nil and before + self.min_delta < after
end

function Patient:prune(study, trial)
  if not is_stuck(self, study, trial.intermediate_values) then return false end
  return self.pruner == nil or self.pruner:prune(study, trial)
end

--- Prunes when another pruner would (nil: always), but only if the last patience + 1 values are worse than the best one
--- before them by more than min_delta.  Options: min_delta 0.
---@param pruner? table
---@param patience integer
---@param given? table  { min_delta = 0 }
---@return table
return function(pruner, patience, given) return Patient(pruner, patience, given) end
