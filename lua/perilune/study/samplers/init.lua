--- perilune.study.samplers: what suggests parameters.
return {
  Random = require "perilune.study.samplers.random",
}
