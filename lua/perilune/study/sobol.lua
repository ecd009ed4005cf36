-- sobol.lua -- Sobol's sequence (Sobol, 1967), in the order of the Gray code (Antonov & Saleev, 1979).
--
-- Coordinate j of point k is the exclusive or of those direction numbers of dimension j whose bits are set in k's Gray
-- code.  They follow from a primitive polynomial and a few first ones, here those of S. Joe and F. Y. Kuo, made so that
-- pairs of dimensions are even, too (SIAM J. Sci. Comput. 30, 2008; their file new-joe-kuo-6, (c) 2008 F. Y. Kuo and
-- S. Joe).  Scrambled: each dimension's numbers go through a random lower triangular matrix, and its points are moved
-- by a random digital shift (Matousek, J. Complexity 14, 1998), which keep the evenness.
local class = require "perilune.train.class"
local draw = require "perilune.study.draw"

local Sobol = class.new("Sobol")

local BITS <const> = 53

-- For dimensions 2, 3, ...: the inner coefficients of the polynomial as bits, then the first direction numbers, as many
-- as its degree.
local NUMBERS <const> = {
  { 0, 1 }, { 1, 1, 3 }, { 1, 1, 3, 1 }, { 2, 1, 1, 1 }, { 1, 1, 1, 3, 3 }, { 4, 1, 3, 5, 13 }, { 2, 1, 1, 5, 5, 17 },
  { 4, 1, 1, 5, 5, 5 }, { 7, 1, 1, 7, 11, 19 }, { 11, 1, 1, 5, 1, 1 }, { 13, 1, 1, 1, 3, 11 }, { 14, 1, 3, 5, 5, 31 },
  { 1, 1, 3, 3, 9, 7, 49 }, { 13, 1, 1, 1, 15, 21, 21 }, { 16, 1, 3, 1, 13, 27, 49 }, { 19, 1, 1, 1, 15, 7, 5 },
  { 22, 1, 3, 1, 15, 13, 25 }, { 25, 1, 1, 5, 5, 19, 61 }, { 1, 1, 3, 7, 11, 23, 15, 103 },
  { 4, 1, 3, 7, 13, 13, 15, 69 }, { 7, 1, 1, 3, 13, 7, 35, 63 }, { 8, 1, 3, 5, 9, 1, 25, 53 },
  { 14, 1, 3, 1, 13, 9, 35, 107 }, { 19, 1, 3, 1, 5, 27, 61, 31 }, { 21, 1, 1, 5, 11, 19, 41, 61 },
  { 28, 1, 3, 5, 3, 3, 13, 69 }, { 31, 1, 1, 7, 13, 1, 19, 1 }, { 32, 1, 3, 7, 5, 13, 19, 59 },
  { 37, 1, 1, 3, 9, 25, 29, 41 }, { 41, 1, 3, 5, 13, 23, 1, 55 }, { 42, 1, 3, 7, 3, 13, 59, 17 },
  { 50, 1, 3, 1, 3, 5, 53, 69 }, { 55, 1, 1, 5, 5, 23, 33, 13 }, { 56, 1, 1, 7, 7, 1, 61, 123 },
  { 59, 1, 1, 7, 9, 13, 61, 49 }, { 62, 1, 3, 3, 5, 3, 55, 33 }, { 14, 1, 3, 1, 15, 31, 13, 49, 245 },
  { 21, 1, 3, 5, 15, 31, 59, 63, 97 }, { 22, 1, 3, 1, 11, 11, 11, 77, 249 }, { 38, 1, 3, 1, 11, 27, 43, 71, 9 },
  { 47, 1, 1, 7, 15, 21, 11, 81, 45 }, { 49, 1, 3, 7, 3, 25, 31, 65, 79 }, { 50, 1, 3, 1, 1, 19, 11, 3, 205 },
  { 52, 1, 1, 5, 9, 19, 21, 29, 157 }, { 56, 1, 3, 7, 11, 1, 33, 89, 185 }, { 67, 1, 3, 3, 3, 15, 9, 79, 71 },
  { 70, 1, 3, 7, 11, 15, 39, 119, 27 }, { 84, 1, 1, 3, 1, 11, 31, 97, 225 }, { 97, 1, 1, 1, 3, 23, 43, 57, 177 },
  { 103, 1, 3, 7, 7, 17, 17, 37, 71 }, { 115, 1, 3, 1, 5, 27, 63, 123, 213 }, { 122, 1, 1, 3, 5, 11, 43, 53, 133 },
  { 8, 1, 3, 5, 5, 29, 17, 47, 173, 479 }, { 13, 1, 3, 3, 11, 3, 1, 109, 9, 69 },
  { 16, 1, 1, 1, 5, 17, 39, 23, 5, 343 }, { 22, 1, 3, 1, 5, 25, 15, 31, 103, 499 },
  { 25, 1, 1, 1, 11, 11, 17, 63, 105, 183 }, { 44, 1, 1, 5, 11, 9, 29, 97, 231, 363 },
  { 47, 1, 1, 5, 15, 19, 45, 41, 7, 383 }, { 52, 1, 3, 7, 7, 31, 19, 83, 137, 221 },
  { 55, 1, 1, 1, 3, 23, 15, 111, 223, 83 }, { 59, 1, 1, 5, 13, 31, 15, 55, 25, 161 },
  { 62, 1, 1, 3, 13, 25, 47, 39, 87, 257 }
}

Sobol.dimensions = #NUMBERS + 1

-- v_1 .. v_BITS of dimension j, as integers of BITS bits.
local function direction_numbers(j)
  local first, v = NUMBERS[j - 1] or { 0 }, {}
  local coefficients, degree = first[1], #first - 1
  for i = 1, BITS do
    if j == 1 or i <= degree then
      v[i] = (first[i + 1] or 1) << (BITS - i)
    else
      v[i] = v[i - degree] ~ (v[i - degree] >> degree)
      for k = 1, degree - 1 do v[i] = v[i] ~ (coefficients >> (degree - 1 - k) & 1) * v[i - k] end
    end
  end
  return v
end

local function random_bits(seed, j, k) return math.floor(draw(seed, j, "sobol", k) * 0x1p53) end

-- Each bit takes random ones of the lower bits along.
local function scrambled(v, seed, j)
  local columns, mixed = {}, {}
  for i = 1, BITS do
    local bit = 1 << (BITS - i)
    columns[i] = bit | random_bits(seed, j, i) & (bit - 1)
  end
  for i = 1, BITS do
    mixed[i] = 0
    for k = 1, BITS do mixed[i] = mixed[i] ~ (v[i] >> (BITS - k) & 1) * columns[k] end
  end
  return mixed
end

--- A sequence; the seed matters where it is scrambled.
---@param seed integer
---@param scramble boolean
function Sobol:init(seed, scramble) self.seed, self.scramble, self.tables = seed, scramble, {} end

local function table_of(self, j)
  local known = self.tables[j]
  if known then return known end
  known = { v = direction_numbers(j), shift = 0 }
  if self.scramble then
    known.v, known.shift = scrambled(known.v, self.seed, j), random_bits(self.seed, j, 0)
  end
  self.tables[j] = known
  return known
end

--- Coordinate j of point k.
---@param k integer  from 0
---@param j integer  1 .. Sobol.dimensions
---@return number  in [0, 1)
function Sobol:coordinate(k, j)
  local known, gray, i = table_of(self, j), k ~ (k >> 1), 1
  local x = known.shift
  while gray ~= 0 do
    if gray & 1 == 1 then x = x ~ known.v[i] end
    gray, i = gray >> 1, i + 1
  end
  return x * 0x1p-53
end

return Sobol
