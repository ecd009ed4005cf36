--- perilune.study.pruners: what ends hopeless trials early.
return {
  Hyperband = require "perilune.study.pruners.hyperband",
  Median = require "perilune.study.pruners.median",
  Nop = require "perilune.study.pruners.nop",
  Patient = require "perilune.study.pruners.patient",
  Percentile = require "perilune.study.pruners.percentile",
  SuccessiveHalving = require "perilune.study.pruners.successive_halving",
  Threshold = require "perilune.study.pruners.threshold",
}
