--- perilune.study: the search for hyper-parameters, with Optuna's names.
local distributions = require "perilune.study.distributions"

return {
  create_study = require("perilune.study.study").create,
  RandomSampler = require "perilune.study.samplers.random",
  NopPruner = require "perilune.study.pruners.nop",
  MedianPruner = require "perilune.study.pruners.median",
  PercentilePruner = require "perilune.study.pruners.percentile",
  FloatDistribution = distributions.FloatDistribution,
  IntDistribution = distributions.IntDistribution,
  CategoricalDistribution = distributions.CategoricalDistribution,
  draw = require "perilune.study.draw",
}
