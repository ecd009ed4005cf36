-- reduce_lr_on_plateau.lua -- the lr is multiplied by factor when a watched number has not improved for more than
-- `patience` steps; then `cooldown` steps pass before bad ones are counted again.
--
-- Better than `best` means, for mode "min": less than best * (1 - threshold) with threshold_mode "rel",
-- less than best - threshold with "abs"; for "max" the other way round.
local core = require "perilune.core"
local options = require "perilune.options"

---@class perilune.optim.ReduceLROnPlateau: perilune.optim.Scheduler
--- Options: mode = "min" or "max", factor = 0.1, patience = 10, threshold = 1e-4, threshold_mode = "rel" or "abs",
--- cooldown = 0, min_lr = 0 (a number or one for each group), eps = 1e-8.
---@overload fun(optimizer: perilune.optim.Optimizer, given?: table): perilune.optim.ReduceLROnPlateau
local Plateau = require "perilune.optim.lr_scheduler.base".define("ReduceLROnPlateau", {
  { "mode", "min" }, { "factor", 0.1 }, { "patience", 10, "integer" }, { "threshold", 1e-4 },
  { "threshold_mode", "rel" }, { "cooldown", 0, "integer" }, { "min_lr", 0.0, "any" }, { "eps", 1e-8 },
})

Plateau.state_fields = { "best", "num_bad_epochs", "cooldown_counter" }

function Plateau:init(chosen)
  local what = "ReduceLROnPlateau"
  self.options = chosen
  options.choice(what, "mode", chosen.mode, { "min", "max" })
  options.choice(what, "threshold_mode", chosen.threshold_mode, { "rel", "abs" })
  options.number(what, "factor", chosen.factor, 0, 1)
  if chosen.factor == 1 then core.raise(what .. ": factor must be less than 1") end
  if type(chosen.min_lr) == "table" then
    local n = #self.optimizer.param_groups
    if #chosen.min_lr ~= n then
      core.raise(string.format("%s: min_lr has %d numbers for %d parameter groups", what, #chosen.min_lr, n))
    end
    for g = 1, n do options.number(what, "min_lr", chosen.min_lr[g], 0) end
    self.per_group = true
  else
    options.number(what, "min_lr", chosen.min_lr, 0)
  end
  self.last_epoch, self.base_lrs = 0, {}
  for g, group in ipairs(self.optimizer.param_groups) do self.base_lrs[g] = group.lr end
  self.best = chosen.mode == "min" and math.huge or -math.huge
  self.num_bad_epochs, self.cooldown_counter = 0, 0
end

local function is_better(self, value)
  local chosen, best = self.options, self.best
  local sign = chosen.mode == "min" and -1 or 1
  if chosen.threshold_mode == "abs" then
    return sign * value > sign * (best + sign * chosen.threshold)
  end
  return sign * value > sign * (best * (1 + sign * chosen.threshold))
end

local function reduce(self)
  local chosen = self.options
  for g, group in ipairs(self.optimizer.param_groups) do
    local least = chosen.min_lr
    if type(least) == "table" then least = least[g] end
    local lr = math.max(group.lr * chosen.factor, least)
    if group.lr - lr > chosen.eps then group.lr = lr end
  end
end

--- Takes the watched number of this epoch.
---@param metric number|perilune.Tensor
function Plateau:step(metric)
  if core.is_tensor(metric) then metric = metric:item() end
  if type(metric) ~= "number" then core.raise("ReduceLROnPlateau:step: the watched number is needed") end
  if self.per_group then self:check_groups() end
  self.last_epoch = self.last_epoch + 1
  if is_better(self, metric) then
    self.best, self.num_bad_epochs = metric, 0
  else
    self.num_bad_epochs = self.num_bad_epochs + 1
  end
  if self.cooldown_counter > 0 then
    self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
  end
  if self.num_bad_epochs > self.options.patience then
    reduce(self)
    self.cooldown_counter, self.num_bad_epochs = self.options.cooldown, 0
  end
end

return Plateau
