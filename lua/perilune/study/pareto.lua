-- pareto.lua -- the trials that no other is at least as good as in everything and better in something.
--
-- The front is kept as trials come in, so that a trial is compared with the front, not with all others.
local class = require "perilune.train.class"

local Front = class.new("Front")

function Front:init(directions)
  self.signs, self.trials = {}, {}
  for i, direction in ipairs(directions) do self.signs[i] = direction == "maximize" and -1 or 1 end
end

local function dominates(self, a, b)
  local is_better = false
  for i, sign in ipairs(self.signs) do
    if sign * a.values[i] > sign * b.values[i] then return false end
    is_better = is_better or a.values[i] ~= b.values[i]
  end
  return is_better
end

--- Takes a COMPLETE trial in, if it belongs to the front, and throws out those that it dominates.
---@param trial table
function Front:add(trial)
  for _, other in ipairs(self.trials) do
    if dominates(self, other, trial) then return end
  end
  local kept = {}
  for _, other in ipairs(self.trials) do
    if not dominates(self, trial, other) then kept[#kept + 1] = other end
  end
  kept[#kept + 1] = trial
  self.trials = kept
end

--- The front by number.
---@return table[]
function Front:list()
  local list = table.move(self.trials, 1, #self.trials, 1, {})
  table.sort(list, function(a, b) return a.number < b.number end)
  return list
end

return Front
