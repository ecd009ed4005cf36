-- init.lua -- perilune.optim: optimizers and schedules.
return require "perilune.lazy" ("perilune.optim", {
  SGD = "perilune.optim.sgd", Adam = "perilune.optim.adam", AdamW = "perilune.optim.adamw",
  RMSprop = "perilune.optim.rmsprop", Adagrad = "perilune.optim.adagrad", Optimizer = "perilune.optim.optimizer",
  lr_scheduler = "perilune.optim.lr_scheduler",
})
