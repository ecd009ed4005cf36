-- sgd.lua -- stochastic gradient descent with momentum.  Sutskever et al., ICML 2013, in PyTorch's form:
--   b <- momentum b + (1 - dampening) g;   p <- p - lr (nesterov and g + momentum b, or b)

---@class perilune.optim.SGD: perilune.optim.Optimizer
--- Options: lr = 1e-3, momentum = 0, dampening = 0, weight_decay = 0, nesterov = false, maximize = false.
---@overload fun(parameters: table, given?: table): perilune.optim.SGD
return require "perilune.optim.optimizer".define("SGD", "sgd", {
  { "lr", 1e-3 }, { "momentum", 0.0 }, { "dampening", 0.0 }, { "weight_decay", 0.0 }, { "nesterov", false },
  { "maximize", false },
}, {}, { "momentum_buffer" })
