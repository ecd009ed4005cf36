-- adamw.lua -- Adam with weight decay apart from the gradient.  Loshchilov & Hutter, ICLR 2019.

---@class perilune.optim.AdamW: perilune.optim.Optimizer
--- Options: lr = 1e-3, betas = { 0.9, 0.999 }, eps = 1e-8, weight_decay = 1e-2, amsgrad = false, maximize = false.
---@overload fun(parameters: table, given?: table): perilune.optim.AdamW
return require "perilune.optim.optimizer".define("AdamW", "adamw", {
  { "lr", 1e-3 }, { "betas", { 0.9, 0.999 } }, { "eps", 1e-8 }, { "weight_decay", 1e-2 }, { "amsgrad", false },
  { "maximize", false },
}, { "step", "exp_avg", "exp_avg_sq" }, { "max_exp_avg_sq" })
