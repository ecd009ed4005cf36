-- learning_rate_monitor.lua -- perilune.callbacks.LearningRateMonitor: logs the learning rates.
local options = require "perilune.options"
local shown = require "perilune.shown"

---@class perilune.callbacks.LearningRateMonitor
local LearningRateMonitor = require "perilune.train.callbacks.callback":extend("LearningRateMonitor")

local read = options.reader("LearningRateMonitor", { { "logging_interval", nil, "string" }, { "log_momentum", false } })

LearningRateMonitor.__tostring = shown.by(read)

--- Logs the learning rate as "lr-Adam" (one name for each parameter group: "lr-Adam/pg1", ...).
---
--- Options: logging_interval = "step" or "epoch" (default: as the schedule steps), log_momentum = false: also
--- "lr-SGD-momentum".  "step" means every log_every_n_steps.
---@param given? table
function LearningRateMonitor:init(given)
  self.options = read(given)
  if self.options.logging_interval then
    options.choice("LearningRateMonitor", "logging_interval", self.options.logging_interval, { "step", "epoch" })
  end
end

local function log(self, trainer)
  local optimizer, values = trainer.optimizer, {}
  for g, group in ipairs(optimizer.param_groups) do
    local name = "lr-" .. optimizer.class_name .. (#optimizer.param_groups > 1 and "/pg" .. g or "")
    values[name] = group.lr
    if self.options.log_momentum then
      values[name .. "-momentum"] = group.betas and group.betas[1] or group.momentum or 0.0
    end
  end
  for name, value in pairs(values) do trainer.callback_metrics[name] = value end
  trainer:log_metrics(values)
end

local function interval(self, trainer)
  return self.options.logging_interval or trainer._scheduler and trainer._scheduler.interval or "epoch"
end

function LearningRateMonitor:on_train_batch_start(trainer)
  if trainer.global_step % trainer.options.log_every_n_steps == 0 and interval(self, trainer) == "step" then
    log(self, trainer)
  end
end

function LearningRateMonitor:on_train_epoch_start(trainer)
  if interval(self, trainer) == "epoch" then log(self, trainer) end
end

return LearningRateMonitor
