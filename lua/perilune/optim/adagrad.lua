-- adagrad.lua -- divides by the root of the sum of all squared gradients.  Duchi, Hazan & Singer, JMLR 2011.

---@class perilune.optim.Adagrad: perilune.optim.Optimizer
--- Options: lr = 1e-2, lr_decay = 0, weight_decay = 0, eps = 1e-10, initial_accumulator_value = 0, maximize = false.
---@overload fun(parameters: table, given?: table): perilune.optim.Adagrad
return require "perilune.optim.optimizer".define("Adagrad", "adagrad", {
  { "lr", 1e-2 }, { "lr_decay", 0.0 }, { "weight_decay", 0.0 }, { "eps", 1e-10 },
  { "initial_accumulator_value", 0.0 }, { "maximize", false },
}, { "step", "sum" }, {})
