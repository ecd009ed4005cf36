--- perilune.study: the search for hyper-parameters, with Optuna's names.
local distributions = require "perilune.study.distributions"

return {
  create = require("perilune.study.study").create,
  samplers = { Random = require "perilune.study.samplers.random" },
  pruners = {
    Nop = require "perilune.study.pruners.nop",
    Median = require "perilune.study.pruners.median",
    Percentile = require "perilune.study.pruners.percentile",
  },
  FloatDistribution = distributions.FloatDistribution,
  IntDistribution = distributions.IntDistribution,
  CategoricalDistribution = distributions.CategoricalDistribution,
  draw = require "perilune.study.draw",
}
