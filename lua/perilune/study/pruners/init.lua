--- perilune.study.pruners: what ends hopeless trials early.
return require "perilune.lazy" ("perilune.study.pruners", {
  Hyperband = "perilune.study.pruners.hyperband",
  Median = "perilune.study.pruners.median",
  Nop = "perilune.study.pruners.nop",
  Patient = "perilune.study.pruners.patient",
  Percentile = "perilune.study.pruners.percentile",
  SuccessiveHalving = "perilune.study.pruners.successive_halving",
  Threshold = "perilune.study.pruners.threshold",
})
