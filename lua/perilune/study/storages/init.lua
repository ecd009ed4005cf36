--- perilune.study.storages: where the trials of studies are kept.
return {
  InMemory = require "perilune.study.storages.in_memory",
  RDB = require "perilune.study.storages.rdb",
}
