--- perilune.study: the search for hyper-parameters, with Optuna's names.
local distributions = require "perilune.study.distributions"

return {
  create = require("perilune.study.study").create,
  samplers = require "perilune.study.samplers",
  pruners = require "perilune.study.pruners",
  FloatDistribution = distributions.FloatDistribution,
  IntDistribution = distributions.IntDistribution,
  CategoricalDistribution = distributions.CategoricalDistribution,
  draw = require "perilune.study.draw",
}
