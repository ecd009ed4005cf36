-- init.lua -- perilune.Trainer, perilune.callbacks, perilune.loggers.
local lazy = require "perilune.lazy"

local function folder(name, files)
  local entries = {}
  for class, file in pairs(files) do entries[class] = "perilune.train." .. name .. "." .. file end
  return lazy("perilune." .. name, entries)
end

return {
  Trainer = require "perilune.train.trainer",
  callbacks = folder("callbacks", { Callback = "callback", ModelCheckpoint = "model_checkpoint",
    EarlyStopping = "early_stopping", LearningRateMonitor = "learning_rate_monitor", ProgressBar = "progress_bar",
    Pruning = "pruning", Timer = "timer" }),
  loggers = folder("loggers", { Logger = "logger", CSVLogger = "csv", TensorBoardLogger = "tensorboard" }),
}
