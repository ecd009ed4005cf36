-- init.lua -- perilune.optim.lr_scheduler: schedules for the learning rate.
local entries = {}
for name, file in pairs { StepLR = "step_lr", MultiStepLR = "multi_step_lr", ExponentialLR = "exponential_lr",
  CosineAnnealingLR = "cosine_annealing_lr", OneCycleLR = "one_cycle_lr", LambdaLR = "lambda_lr",
  ReduceLROnPlateau = "reduce_lr_on_plateau" } do
  entries[name] = "perilune.optim.lr_scheduler." .. file
end
return require "perilune.lazy" ("perilune.optim.lr_scheduler", entries)
