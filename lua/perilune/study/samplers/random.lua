-- samplers/random.lua -- each parameter by itself, uniformly (with log: in its logarithm).
local Sampler = require "perilune.study.samplers.base"
local draw = require "perilune.study.draw"
local settings = require "perilune.study.settings"
local unit = require "perilune.study.unit"

local Random = Sampler:extend("RandomSampler")

settings(Random, { { "seed", nil, "integer" } })

function Random:init(given)
  self:configure(given)
  Sampler.init(self, self.seed)
end

function Random:sample_independent(_, trial, name, distribution)
  return unit.value(draw(self.seed, trial.number, name, 0), distribution)
end

--- Draws each parameter by itself, uniformly.  Options: seed (without one, another at each run).
---@param given? table  { seed }
---@return table
return function(given) return Random(given) end
