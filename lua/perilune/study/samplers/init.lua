--- perilune.study.samplers: what suggests parameters.
return require "perilune.lazy" ("perilune.study.samplers", {
  CmaEs = "perilune.study.samplers.cma_es",
  Grid = "perilune.study.samplers.grid",
  NSGAII = "perilune.study.samplers.nsgaii",
  PartialFixed = "perilune.study.samplers.partial_fixed",
  QMC = "perilune.study.samplers.qmc",
  Random = "perilune.study.samplers.random",
  TPE = "perilune.study.samplers.tpe",
})
