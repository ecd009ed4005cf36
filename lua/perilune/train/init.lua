-- init.lua -- perilune.Trainer, perilune.callbacks, perilune.loggers.  A file is loaded when its name is first used.
local function folder(path, files)
  local place = {}
  local function find(_, name)
    if not files[name] then return nil end
    place[name] = require(path .. files[name])
    return place[name]
  end
  local function find_all()
    for name in pairs(files) do find(nil, name) end
    return next, place, nil
  end
  return setmetatable(place, { __index = find, __pairs = find_all })
end

return {
  Trainer = require "perilune.train.trainer",
  callbacks = folder("perilune.train.callbacks.", { Callback = "callback", ModelCheckpoint = "model_checkpoint",
    EarlyStopping = "early_stopping", LearningRateMonitor = "learning_rate_monitor", ProgressBar = "progress_bar",
    Pruning = "pruning", Timer = "timer" }),
  loggers = folder("perilune.train.loggers.", { Logger = "logger", CSVLogger = "csv",
    TensorBoardLogger = "tensorboard" }),
}
