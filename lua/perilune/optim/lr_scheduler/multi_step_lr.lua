-- multi_step_lr.lua -- the lr is multiplied by gamma at each of the milestones.
local core = require "perilune.core"
local options = require "perilune.options"

---@class perilune.optim.MultiStepLR: perilune.optim.Scheduler
--- Options: milestones (a list, must be given), gamma = 0.1.
---@overload fun(optimizer: perilune.optim.Optimizer, given: table): perilune.optim.MultiStepLR
local MultiStepLR = require "perilune.optim.lr_scheduler.base".define("MultiStepLR", {
  { "milestones", nil, "table" }, { "gamma", 0.1 },
})

function MultiStepLR:check(chosen)
  if chosen.milestones == nil then core.raise("MultiStepLR: the option milestones is needed: { 30, 80 }") end
  self.times = {}   -- an epoch that is there twice counts twice
  for _, epoch in ipairs(chosen.milestones) do
    options.integer("MultiStepLR", "milestones", epoch, 0)
    self.times[epoch] = (self.times[epoch] or 0) + 1
  end
end

function MultiStepLR:next_lr(group, _, _, t)
  return group.lr * self.options.gamma ^ (self.times[t] or 0)
end

return MultiStepLR
