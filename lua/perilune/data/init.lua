-- init.lua -- perilune.data: data sets and the loader.
return require "perilune.lazy" ("perilune.data", {
  TensorDataset = { "perilune.data.dataset", "TensorDataset" }, Subset = { "perilune.data.dataset", "Subset" },
  random_split = { "perilune.data.dataset", "random_split" }, DataLoader = { "perilune.data.loader", "new" },
})
