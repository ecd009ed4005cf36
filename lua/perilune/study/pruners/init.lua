--- perilune.study.pruners: what ends hopeless trials early.
return {
  Nop = require "perilune.study.pruners.nop",
  Median = require "perilune.study.pruners.median",
  Percentile = require "perilune.study.pruners.percentile",
}
