-- init.lua -- perilune.optim: optimizers and schedules.  A file is loaded when its name is first used.
local FILES = { SGD = "sgd", Adam = "adam", AdamW = "adamw", RMSprop = "rmsprop", Adagrad = "adagrad",
  Optimizer = "optimizer", lr_scheduler = "lr_scheduler" }

local optim = {}

local function find(_, name)
  if not FILES[name] then return nil end
  optim[name] = require("perilune.optim." .. FILES[name])
  return optim[name]
end

local function find_all()
  for name in pairs(FILES) do find(nil, name) end
  return next, optim, nil
end

return setmetatable(optim, { __index = find, __pairs = find_all })
