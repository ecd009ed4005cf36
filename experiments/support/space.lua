--- What the search looks through: the settings of an auto-encoder and of its training.
local perilune = require "perilune"

local M = {}

M.optimizers = { "Adam", "SGD", "RMSprop" }

--- One setting.  Momentum is asked for only where the optimizer has one.
---@param trial table
---@return table setting
function M.suggest(trial)
  local setting = {
    encoded_space_dim = trial:suggest_int("encoded_space_dim", 2, 32),
    n_channels = trial:suggest_int("n_channels", 4, 12),
    optimizer = trial:suggest_categorical("optimizer", M.optimizers),
    learning_rate = trial:suggest_float("learning_rate", 1e-4, 1e-1, { log = true }),
    weight_decay = trial:suggest_float("weight_decay", 1e-6, 1e-3, { log = true }),
  }
  if setting.optimizer ~= "Adam" then setting.momentum = trial:suggest_float("momentum", 0.0, 0.95) end
  return setting
end

--- The optimizer of a setting.
function M.optimizer(setting, parameters)
  return perilune.optim[setting.optimizer](parameters, { lr = setting.learning_rate,
    weight_decay = setting.weight_decay, momentum = setting.momentum })
end

return M
