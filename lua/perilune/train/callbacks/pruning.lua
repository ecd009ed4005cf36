-- pruning.lua -- perilune.callbacks.Pruning: tells a trial of a study how its training goes, and ends both in time.
local core = require "perilune.core"
local options = require "perilune.options"
local shown = require "perilune.shown"

---@class perilune.callbacks.Pruning
---@field trial table
local Pruning = require "perilune.train.callbacks.callback":extend("Pruning")

local read = options.reader("Pruning", { { "monitor", nil, "string" } })

Pruning.__tostring = shown.by(read)

--- Reports monitor to the trial after each validation of a fit (without a validation loader: after each epoch), with
--- the epoch, from 1, as the step; where the study's pruner gives the trial up, trial:prune() ends the fit and the
--- objective.
---
--- Options: monitor (the name of a logged metric; it must have been logged by then).
---@param trial table  what the objective of Study:optimize got
---@param given { monitor: string }
function Pruning:init(trial, given)
  if type(trial) ~= "table" or type(trial.should_prune) ~= "function" then
    core.raise("Pruning: the first argument must be the trial that the objective got, it is "
      .. options.described(trial))
  end
  local chosen = read(given)
  if not chosen.monitor then core.raise("Pruning: monitor is needed: Pruning(trial, { monitor = \"val_loss\" })") end
  self.trial, self.monitor = trial, chosen.monitor
end

local function check(self, trainer)
  local value = trainer.callback_metrics[self.monitor]
  if value == nil then
    core.raise(string.format("Pruning: '%s' was not logged; logged: %s", self.monitor, trainer:metric_names()))
  end
  self.trial:report(value, trainer.current_epoch)
  if self.trial:should_prune() then self.trial:prune() end
end

-- Training is the long part: other workers must not take this one for dead.
function Pruning:on_train_batch_end() self.trial:heartbeat() end

function Pruning:on_validation_end(trainer)
  if trainer.stage_of_run == "fit" and not trainer.sanity_checking then check(self, trainer) end
end

function Pruning:on_train_epoch_end(trainer)
  if trainer.num_val_batches == 0 then check(self, trainer) end
end

return Pruning
