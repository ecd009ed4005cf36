-- init.lua -- perilune.optim.lr_scheduler: schedules for the learning rate, loaded when first used.
local FILES = { StepLR = "step_lr", MultiStepLR = "multi_step_lr", ExponentialLR = "exponential_lr",
  CosineAnnealingLR = "cosine_annealing_lr", OneCycleLR = "one_cycle_lr", LambdaLR = "lambda_lr",
  ReduceLROnPlateau = "reduce_lr_on_plateau" }

local schedules = {}

local function find(_, name)
  if not FILES[name] then return nil end
  schedules[name] = require("perilune.optim.lr_scheduler." .. FILES[name])
  return schedules[name]
end

local function find_all()
  for name in pairs(FILES) do find(nil, name) end
  return next, schedules, nil
end

return setmetatable(schedules, { __index = find, __pairs = find_all })
