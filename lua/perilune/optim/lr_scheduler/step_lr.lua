-- step_lr.lua -- the lr is multiplied by gamma after every step_size epochs.
local options = require "perilune.options"

---@class perilune.optim.StepLR: perilune.optim.Scheduler
--- Options: step_size (must be given), gamma = 0.1.
---@overload fun(optimizer: perilune.optim.Optimizer, given: table): perilune.optim.StepLR
local StepLR = require "perilune.optim.lr_scheduler.base".define("StepLR", {
  { "step_size", nil, "integer" }, { "gamma", 0.1 },
})

function StepLR.check(_, chosen)
  options.integer("StepLR", "step_size", chosen.step_size)
end

function StepLR:next_lr(group, _, _, t)
  if t == 0 or t % self.options.step_size ~= 0 then return group.lr end
  return group.lr * self.options.gamma
end

return StepLR
