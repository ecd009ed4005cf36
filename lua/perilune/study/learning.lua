-- learning.lua -- a sampler that learns from the finished trials, and draws at random what it has nothing to say about.
--
-- A class below it has the options of settings.lua, and two functions for history.lua: make(study) -> state, and
-- add(state, record, study).  Where it knows one objective only, one_objective is true.
local Random = require "perilune.study.samplers.random"
local Sampler = require "perilune.study.samplers.base"
local core = require "perilune.core"
local history = require "perilune.study.history"

local Learning = Sampler:extend("LearningSampler")

function Learning:init(given)
  self:configure(given)
  Sampler.init(self, self.seed)
  self.random = Random { seed = self.seed }
  self.history = history(self.make, self.add)
end

function Learning:before_trial(study)
  if self.one_objective and #study.directions > 1 then
    core.raise(self.class_name .. ": a study with several objectives needs another sampler, samplers.NSGAII")
  end
end

function Learning:sample_independent(...) return self.random:sample_independent(...) end

return Learning
