-- scale.lua -- from a value to its place on an axis, 0 (low end) .. 1 (high end).
--
-- Three kinds: "linear", "log" and "category" (the positions 1 .. n of a list of names).  Each has low and high,
-- position(value) and labels(wanted) -> places, their texts, minor places; the first two also value(position).
local core = require "perilune.core"
local data = require "perilune.plot.data"
local number_text = require "perilune.plot.number_text"
local ticks = require "perilune.plot.ticks"

local scale = {}

local Linear, Log, Category = {}, {}, {}
Linear.__index, Log.__index, Category.__index = Linear, Log, Category

function Linear:position(value) return (value - self.low) / (self.high - self.low) end

function Linear:value(share) return self.low + share * (self.high - self.low) end

function Linear:labels(wanted)
  if self.places then return self.places, number_text.of_list(self.places, self.step), {} end
  if self.integers then
    local places = ticks.integers(self.low, self.high, wanted)
    if places[1] then return places, number_text.of_list(places, places[2] and places[2] - places[1] or 1), {} end
  end
  local places, step = ticks.extended(self.low, self.high, wanted, true)
  return places, number_text.of_list(places, step), {}
end

function Log:position(value)
  return (math.log(value, 10) - self.low_exponent) / (self.high_exponent - self.low_exponent)
end

function Log:value(share)
  return 10.0 ^ (self.low_exponent + share * (self.high_exponent - self.low_exponent))
end

function Log:labels(wanted)
  if self.places then return self.places, number_text.of_powers(self.places), {} end
  local places, minor = ticks.logarithmic(self.low, self.high, wanted, self.integers)
  return places, number_text.of_powers(places), minor
end

function Category:position(value) return (value - self.low) / (self.high - self.low) end

function Category:labels()
  local places = {}
  for i = 1, #self.names do places[i] = i end
  return places, self.names, {}
end

local LEAST <const> = 1e-290     -- a step of the labels, much smaller than the range, must still be a normal number

-- Equal values, or as good as equal, get some room on both sides.
local function widened(low, high)
  local size = math.max(math.abs(low), math.abs(high))
  if high - low > math.max(1e-12 * size, LEAST) then return low, high end
  local room = size > LEAST and size * 0.05 or 0.5
  return low - room, high + room
end

--- A linear scale; padding: share of the range that is left free at both ends.
function scale.linear(low, high, padding)
  low, high = widened(low, high)
  local room = (padding or 0) * (high - low)
  return setmetatable({ kind = "linear", low = low - room, high = high + room }, Linear)
end

--- A logarithmic scale; low and high must be above 0.
function scale.log(low, high, padding)
  local from, to = math.log(low, 10), math.log(high, 10)
  if to - from < 1e-9 then from, to = from - 0.3, to + 0.3 end
  local room = (padding or 0) * (to - from)
  from, to = from - room, to + room
  return setmetatable({ kind = "log", low = 10.0 ^ from, high = 10.0 ^ to, low_exponent = from,
    high_exponent = to }, Log)
end

--- Widens a linear or logarithmic scale to the next labels around it, about `wanted`, which it then keeps: its ends
--- have one each.
---@param made table  a scale
---@param wanted integer
function scale.round(made, wanted)
  local is_log = made.kind == "log"
  local places, step = (is_log and ticks.around_logarithmic or ticks.around)(made.low, made.high, wanted, made.integers)
  if not places then return end
  made.places, made.step = places, step
  made.low, made.high = places[1], places[#places]
  if is_log then made.low_exponent, made.high_exponent = math.log(made.low, 10), math.log(made.high, 10) end
end

--- One place for each of a list of names.
function scale.category(names)
  return setmetatable({ kind = "category", low = 0.5, high = #names + 0.5, names = names }, Category)
end

--- What the options of an axis and the range of its data ask for.
---@param what string  the plot, for messages
---@param axis string  "x", "y" or "color"
---@param wish { scale: string, limits: number[]|nil, integers: boolean|nil }
---@param low number|nil  the data's range; nil: there are none
---@param high number|nil
---@param padding number
---@return table scale
function scale.fit(what, axis, wish, low, high, padding)
  local limits, is_log = wish.limits, wish.scale == "log"
  if limits then
    low, high = data.limits(what, axis == "color" and "limits" or axis .. "lim", limits)
    padding = 0
  end
  if not low then low, high = is_log and 1 or 0, is_log and 10 or 1 end
  if is_log and low <= 0 then
    core.raise(("%s: a logarithmic %s axis needs values above 0, but %g is among them"):format(what, axis, low))
  end
  local made = (is_log and scale.log or scale.linear)(low, high, padding)
  made.integers = wish.integers
  return made
end

return scale
