-- adam.lua -- Kingma & Ba, ICLR 2015.  weight_decay is added to the gradient (L2); see adamw.lua for the other way.

---@class perilune.optim.Adam: perilune.optim.Optimizer
--- Options: lr = 1e-3, betas = { 0.9, 0.999 }, eps = 1e-8, weight_decay = 0, amsgrad = false, maximize = false.
---@overload fun(parameters: table, given?: table): perilune.optim.Adam
return require "perilune.optim.optimizer".define("Adam", "adam", {
  { "lr", 1e-3 }, { "betas", { 0.9, 0.999 } }, { "eps", 1e-8 }, { "weight_decay", 0.0 }, { "amsgrad", false },
  { "maximize", false },
}, { "step", "exp_avg", "exp_avg_sq" }, { "max_exp_avg_sq" })
