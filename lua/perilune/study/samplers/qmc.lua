-- samplers/qmc.lua -- points that fill the space evenly: Halton's sequence, with permuted digits.
--
-- Coordinate j of point k is k written backwards behind the point in the j-th prime base (Halton, 1960).  In higher
-- bases neighbouring coordinates march in step; a random permutation of the digits at each place (Owen, arXiv
-- 1706.02808) breaks that and keeps the evenness.  A trial's point is its number, so that workers share one sequence.
local Random = require "perilune.study.samplers.random"
local Sampler = require "perilune.study.samplers.base"
local draw = require "perilune.study.draw"
local history = require "perilune.study.history"
local options = require "perilune.options"
local search_space = require "perilune.study.search_space"
local unit = require "perilune.study.unit"

local QMC = Sampler:extend("QMCSampler")

local read = options.reader("QMCSampler", { { "seed", nil, "integer" }, { "scramble", true } })

-- The parameters of the first trial are what is sampled.
local function add(state, record)
  if record.state ~= "COMPLETE" and record.state ~= "PRUNED" then return end
  if state.first and state.first < record.number then return end
  state.first, state.space = record.number, search_space.open(record.distributions)
end

function QMC:init(given)
  local chosen = read(given)
  Sampler.init(self, chosen.seed)
  self.scramble, self.permutations, self.primes = chosen.scramble, {}, { 2 }
  self.random = Random { seed = self.seed }
  self.history = history(function() return {} end, add)
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
---@param k integer
---@param j integer
---@return number
function QMC:coordinate(k, j)
  local base, place, scale, sum = prime(self, j), 0, 1.0, 0.0
  while scale > 0x1p-53 and (self.scramble or k > 0) do
    scale = scale / base
    sum = sum + permutation(self, base, place)[k % base + 1] * scale
    k, place = k // base, place + 1
  end
  return math.min(sum, 1 - 0x1p-53)
end

function QMC:infer_relative_search_space(study, trial) return self.history(study, trial.record).space or {} end

function QMC:sample_relative(study, trial)
  local space, values = self.history(study, trial.record).space, {}
  for j, name in ipairs(search_space.names(space)) do
    values[name] = unit.value(self:coordinate(trial.number, j), space[name])
  end
  return values
end

function QMC:sample_independent(...) return self.random:sample_independent(...) end

--- Fills the space more evenly than chance: Halton's sequence with random permutations of its digits (Owen, arXiv
--- 1706.02808).  The first trial is random, and so are parameters that it did not have.  Options: seed (without one,
--- another at each run; workers on one study must share it); scramble true: permute the digits.
---@param given? table  { seed, scramble = true }
---@return table
return function(given) return QMC(given) end
