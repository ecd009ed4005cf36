-- halton.lua -- Halton's sequence (Halton, 1960).
--
-- Coordinate j of point k is k written backwards behind the point in the j-th prime base.  In higher bases neighbouring
-- coordinates march in step; scrambled, a random permutation of the digits at each place (Owen, arXiv 1706.02808)
-- breaks that and keeps the evenness.
local class = require "perilune.train.class"
local draw = require "perilune.study.draw"

local Halton = class.new("Halton")

Halton.dimensions = math.huge

--- A sequence; the seed matters where it is scrambled.
---@param seed integer
---@param scramble boolean
function Halton:init(seed, scramble)
  self.seed, self.scramble, self.permutations, self.primes = seed, scramble, {}, { 2 }
end

local function prime(self, j)
  local primes = self.primes
  while #primes < j do
    local candidate, at = primes[#primes] + 1, 1
    while primes[at] and primes[at] * primes[at] <= candidate do
      if candidate % primes[at] == 0 then candidate, at = candidate + 1, 0 end
      at = at + 1
    end
    primes[#primes + 1] = candidate
  end
  return primes[j]
end

-- What the digits 0 .. base - 1 become at a place, as a list.
local function permutation(self, base, place)
  local key = base * 64 + place
  local digits = self.permutations[key]
  if digits then return digits end
  digits = {}
  for i = 1, base do digits[i] = i - 1 end
  for i = base, 2, -1 do
    local j = self.scramble and 1 + math.floor(draw(self.seed, key, "digit", i) * i) or i
    digits[i], digits[j] = digits[j], digits[i]
  end
  self.permutations[key] = digits
  return digits
end

--- Coordinate j of point k.
---@param k integer  from 0
---@param j integer  from 1
---@return number  in [0, 1)
function Halton:coordinate(k, j)
  local base, place, scale, sum = prime(self, j), 0, 1.0, 0.0
  while scale > 0x1p-53 and (self.scramble or k > 0) do
    scale = scale / base
    sum = sum + permutation(self, base, place)[k % base + 1] * scale
    k, place = k // base, place + 1
  end
  return math.min(sum, 1 - 0x1p-53)
end

return Halton
