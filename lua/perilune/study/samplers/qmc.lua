-- samplers/qmc.lua -- points that fill the space evenly: Sobol's sequence (sobol.lua) or Halton's (halton.lua).
--
-- A trial's point is the one of its number, so that workers share one sequence.
local Halton = require "perilune.study.halton"
local Learning = require "perilune.study.learning"
local Sobol = require "perilune.study.sobol"
local options = require "perilune.options"
local search_space = require "perilune.study.search_space"
local settings = require "perilune.study.settings"
local unit = require "perilune.study.unit"

local QMC = Learning:extend("QMCSampler")

settings(QMC, { { "qmc_type", "sobol" }, { "scramble", false }, { "seed", nil, "integer" } })

function QMC.make() return {} end

-- The parameters of the first trial are what is sampled.
function QMC.add(state, record)
  if record.state ~= "COMPLETE" and record.state ~= "PRUNED" then return end
  if state.first and state.first < record.number then return end
  state.first, state.space = record.number, search_space.open(record.distributions)
end

function QMC:init(given)
  Learning.init(self, given)
  options.choice("QMCSampler", "qmc_type", self.qmc_type, { "sobol", "halton" })
  self.sequence = (self.qmc_type == "sobol" and Sobol or Halton)(self.seed, self.scramble)
end

function QMC:infer_relative_search_space(study, trial) return self.history(study, trial.record).space or {} end

function QMC:sample_relative(study, trial)
  local space, values = self.history(study, trial.record).space, {}
  for j, name in ipairs(search_space.names(space)) do
    if j > self.sequence.dimensions then break end
    values[name] = unit.value(self.sequence:coordinate(trial.number, j), space[name])
  end
  return values
end

--- Fills the space more evenly than chance (quasi-Monte Carlo).  The first trial is random, and so are parameters that
--- it did not have.  Options: qmc_type "sobol" (best with a power of two of trials; parameters beyond 64 are random) or
--- "halton"; scramble false: whether the sequence is randomised by the seed, evenness kept (Sobol: Matousek, 1998;
--- Halton: Owen, arXiv 1706.02808); seed: without one, another at each run; workers on one study share it.
---@param given? table  { qmc_type = "sobol", scramble = false, seed }
---@return table
return function(given) return QMC(given) end
