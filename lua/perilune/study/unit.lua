-- unit.lua -- distributions as the interval [0, 1): uniform there is uniform in the parameter, or in its logarithm.
-- Each stepped value owns a piece of the interval: equal ones, or with log the logarithm of its half step to each side.
local unit = {}

local function clipped(x, low, high) return math.max(low, math.min(high, x)) end

-- The ends, half a step farther out, as they are or as logarithms.
local function ends(distribution)
  local half = (distribution.step or 0) / 2
  local low, high = distribution.low - half, distribution.high + half
  if distribution.log then return math.log(low), math.log(high) end
  return low, high
end

--- The internal value at u in [0, 1).
---@param u number
---@param distribution table
---@return number
function unit.value(u, distribution)
  if distribution.choices then return math.floor(u * #distribution.choices) + 0.0 end
  local first, last = ends(distribution)
  local low, high, step = distribution.low, distribution.high, distribution.step
  if distribution.log then
    local x = math.exp(first + u * (last - first))
    return clipped(step and math.floor(x + 0.5) or x, low, high) + 0.0
  end
  if not step then return clipped(low + u * (high - low), low, high) end
  local count = math.floor((high - low) / step + 0.5) + 1
  return math.min(low + math.floor(u * count) * step, high) + 0.0
end

--- Where an internal value of a numeric distribution lies; a stepped one in the middle of its piece.
---@param value number
---@param distribution table
---@return number
function unit.place(value, distribution)
  local first, last = ends(distribution)
  return ((distribution.log and math.log(value) or value) - first) / (last - first)
end

return unit
