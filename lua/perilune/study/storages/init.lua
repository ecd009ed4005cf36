--- perilune.study.storages: where the trials of studies are kept.
return require "perilune.lazy" ("perilune.study.storages", {
  InMemory = "perilune.study.storages.in_memory",
  RDB = "perilune.study.storages.rdb",
})
