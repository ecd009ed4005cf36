--- perilune.study.samplers: what suggests parameters.
return {
  CmaEs = require "perilune.study.samplers.cma_es",
  Grid = require "perilune.study.samplers.grid",
  NSGAII = require "perilune.study.samplers.nsgaii",
  PartialFixed = require "perilune.study.samplers.partial_fixed",
  QMC = require "perilune.study.samplers.qmc",
  Random = require "perilune.study.samplers.random",
  TPE = require "perilune.study.samplers.tpe",
}
