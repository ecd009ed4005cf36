-- samplers/random.lua -- each parameter by itself, uniformly (with log: in its logarithm).
local Sampler = require "perilune.study.samplers.base"
local draw = require "perilune.study.draw"
local options = require "perilune.options"

local Random = Sampler:extend("RandomSampler")

local read = options.reader("RandomSampler", { { "seed", nil, "integer" } })

local function clipped(x, low, high) return math.max(low, math.min(high, x)) end

local function numeric(u, distribution)
  local low, high, step = distribution.low, distribution.high, distribution.step
  if distribution.log then
    local half = step and 0.5 or 0   -- each integer gets the width of its rounding
    local first, last = math.log(low - half), math.log(high + half)
    local x = math.exp(first + u * (last - first))
    return clipped(step and math.floor(x + 0.5) or x, low, high) + 0.0
  end
  if not step then return clipped(low + u * (high - low), low, high) end
  local count = math.floor((high - low) / step + 0.5) + 1
  return math.min(low + math.floor(u * count) * step, high) + 0.0
end

function Random:sample_independent(_, trial, name, distribution)
  local u = draw(self.seed, trial.number, name, 0)
  if distribution.choices then return math.floor(u * #distribution.choices) + 0.0 end
  return numeric(u, distribution)
end

--- Draws each parameter by itself, uniformly.  Options: seed (without one, another at each run).
---@param given? table  { seed }
---@return table
return function(given) return Random(read(given).seed) end
