--- perilune.study: the search for hyper-parameters, with Optuna's names.
local distributions = require "perilune.study.distributions"
local log = require "perilune.study.log"
local shown = require "perilune.shown"
local studies = require "perilune.study.studies"

local study = {
  create = studies.create, load = studies.load, delete = studies.delete, copy = studies.copy, list = studies.list,
  samplers = require "perilune.study.samplers",
  pruners = require "perilune.study.pruners",
  importance = require "perilune.study.importance",
  storages = require "perilune.study.storages",
  FloatDistribution = distributions.FloatDistribution,
  IntDistribution = distributions.IntDistribution,
  CategoricalDistribution = distributions.CategoricalDistribution,
  null = require("perilune.study.json").null,
  draw = require "perilune.study.draw",
  set_verbosity = log.set_verbosity, get_verbosity = log.get_verbosity,
  is_worker = require("perilune.study.workers").is_worker,
  visualization = require "perilune.study.visualization",
  Study = require "perilune.study.study", Trial = require "perilune.study.trial",
}

return setmetatable(study, { __tostring = shown.place("perilune.study", study) })
