-- exponential_lr.lua -- the lr is multiplied by gamma every epoch.
local core = require "perilune.core"

---@class perilune.optim.ExponentialLR: perilune.optim.Scheduler
--- Options: gamma (must be given).
---@overload fun(optimizer: perilune.optim.Optimizer, given: table): perilune.optim.ExponentialLR
local ExponentialLR = require "perilune.optim.lr_scheduler.base".define("ExponentialLR", { { "gamma", nil, "number" } })

function ExponentialLR.check(_, chosen)
  if chosen.gamma == nil then core.raise("ExponentialLR: the option gamma is needed") end
end

function ExponentialLR:next_lr(group, _, _, t)
  if t == 0 then return group.lr end
  return group.lr * self.options.gamma
end

return ExponentialLR
