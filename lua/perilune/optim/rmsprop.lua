-- rmsprop.lua -- divides by a running root mean square of the gradient.  Hinton, Coursera lecture 6e, 2012.

---@class perilune.optim.RMSprop: perilune.optim.Optimizer
--- Options: lr = 1e-2, alpha = 0.99, eps = 1e-8, weight_decay = 0, momentum = 0, centered = false, maximize = false.
---@overload fun(parameters: table, given?: table): perilune.optim.RMSprop
return require "perilune.optim.optimizer".define("RMSprop", "rmsprop", {
  { "lr", 1e-2 }, { "alpha", 0.99 }, { "eps", 1e-8 }, { "weight_decay", 0.0 }, { "momentum", 0.0 },
  { "centered", false }, { "maximize", false },
}, { "step", "square_avg" }, { "momentum_buffer", "grad_avg" })
