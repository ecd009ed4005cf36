-- lambda_lr.lua -- the first lr times a function of the epoch.
local core = require "perilune.core"

---@class perilune.optim.LambdaLR: perilune.optim.Scheduler
--- Options: lr_lambda, a function of the epoch, or a list with one for each group.
---@overload fun(optimizer: perilune.optim.Optimizer, given: table): perilune.optim.LambdaLR
local LambdaLR = require "perilune.optim.lr_scheduler.base".define("LambdaLR", { { "lr_lambda", nil, "any" } })
local options = require "perilune.options"

-- lr_lambda: one function for all groups, or a list with one for each.
function LambdaLR:check(chosen)
  local given, n = chosen.lr_lambda, #self.optimizer.param_groups
  self.functions = {}
  if type(given) == "table" and #given ~= n then
    core.raise(string.format("LambdaLR: %d functions for %d parameter groups", #given, n))
  end
  for g = 1, n do
    local one = given
    if type(given) == "table" then one = given[g] end
    if type(one) ~= "function" then
      core.raise("LambdaLR: lr_lambda must be a function, got " .. options.described(one))
    end
    self.functions[g] = one
  end
end

LambdaLR.per_group = true

function LambdaLR:next_lr(_, base_lr, g, t)
  local scale = self.functions[g](t)
  if type(scale) ~= "number" then
    core.raise(string.format("LambdaLR: lr_lambda must return a number, got %s for epoch %d",
      options.described(scale), t))
  end
  return base_lr * scale
end

return LambdaLR
