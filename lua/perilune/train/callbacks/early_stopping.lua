-- early_stopping.lua -- perilune.callbacks.EarlyStopping: ends a run that no longer gets better.
local core = require "perilune.core"
local options = require "perilune.options"
local shown = require "perilune.shown"

---@class perilune.callbacks.EarlyStopping
---@field wait_count integer  checks without an improvement
---@field stopped_epoch integer  0: not stopped
---@field best_score number
local EarlyStopping = require "perilune.train.callbacks.callback":extend("EarlyStopping")

EarlyStopping.monitoring = true

local read = options.reader("EarlyStopping", { { "monitor", nil, "string" }, { "mode", "min" },
  { "patience", 3, "integer" }, { "min_delta", 0.0, "number" }, { "check_finite", true },
  { "stopping_threshold", nil, "number" }, { "divergence_threshold", nil, "number" }, { "strict", true },
  { "check_on_train_epoch_end", nil, "boolean" } })

EarlyStopping.__tostring = shown.by(read)

--- Ends the run when monitor has not improved by more than min_delta for patience checks.
---
--- Options: monitor (the name of a logged metric), mode = "min" or "max", patience = 3, min_delta = 0, check_finite =
--- true: stop at NaN and infinity; stopping_threshold: good enough; divergence_threshold: hopeless; strict = true: a
--- metric that was not logged is an error; check_on_train_epoch_end: default true where validation is once an epoch or
--- not at all, else the check comes after each validation.
---@param given table
function EarlyStopping:init(given)
  local chosen = read(given)
  if not chosen.monitor then
    core.raise("EarlyStopping: monitor is needed: EarlyStopping { monitor = \"val_loss\" }")
  end
  options.choice("EarlyStopping", "mode", chosen.mode, { "min", "max" })
  options.integer("EarlyStopping", "patience", chosen.patience, 0)
  options.number("EarlyStopping", "min_delta", chosen.min_delta, 0)
  self.options, self.state_key = chosen, "EarlyStopping-" .. chosen.monitor:gsub("/", "-") .. "-" .. chosen.mode
  self.wait_count, self.stopped_epoch = 0, 0
  self.best_score = chosen.mode == "min" and math.huge or -math.huge
end

local function is_better(self, value, than)
  if self.options.mode == "min" then return value < than end
  return value > than
end

-- The reason to stop now, or nil.
local function verdict(self, value)
  local chosen = self.options
  local delta = chosen.mode == "min" and -chosen.min_delta or chosen.min_delta
  if chosen.check_finite and (value ~= value or math.abs(value) == math.huge) then return "is not finite" end
  if chosen.stopping_threshold and is_better(self, value, chosen.stopping_threshold) then return "is good enough" end
  if chosen.divergence_threshold and is_better(self, chosen.divergence_threshold, value) then return "diverges" end
  if is_better(self, value - delta, self.best_score) then
    self.best_score, self.wait_count = value, 0
    return nil
  end
  self.wait_count = self.wait_count + 1
  return self.wait_count >= chosen.patience and "has not improved" or nil
end

local function check(self, trainer)
  if trainer.sanity_checking or trainer.fast_dev_run then return end
  local chosen = self.options
  local value = trainer.callback_metrics[chosen.monitor]
  if value == nil then
    if not chosen.strict then return end
    core.raise(string.format("EarlyStopping: '%s' was not logged; logged: %s", chosen.monitor,
      trainer:metric_names()))
  end
  local reason = verdict(self, value)
  if not reason then return end
  self.stopped_epoch = trainer.current_epoch
  self.stopping_reason = chosen.monitor .. " " .. reason
  trainer.should_stop = true
end

local function at_epoch_end(self, trainer)
  local asked = self.options.check_on_train_epoch_end
  if asked ~= nil then return asked end
  return trainer:validates_once_an_epoch()
end

function EarlyStopping:on_train_epoch_end(trainer)
  if at_epoch_end(self, trainer) then check(self, trainer) end
end

function EarlyStopping:on_validation_end(trainer)
  if trainer.stage_of_run == "fit" and not at_epoch_end(self, trainer) then check(self, trainer) end
end

function EarlyStopping:state_dict()
  return { wait_count = self.wait_count, stopped_epoch = self.stopped_epoch, best_score = self.best_score }
end

function EarlyStopping:load_state_dict(dict)
  self.wait_count, self.stopped_epoch, self.best_score = dict.wait_count, dict.stopped_epoch, dict.best_score
end

return EarlyStopping
