--- perilune.study.samplers: what suggests parameters.
return {
  Random = require "perilune.study.samplers.random",
  TPE = require "perilune.study.samplers.tpe",
}
