-- init.lua -- perilune.datasets: data sets to load.
return require "perilune.lazy" ("perilune.datasets", { FashionMNIST = { "perilune.datasets.fashion_mnist", "new" } })
