-- fit.lua -- the training loop.  The order of events is Lightning's:
--
--   on_train_start
--     on_train_epoch_start
--       on_train_batch_start, training_step, backward, optimizer step, on_train_batch_end, [validation]   ...
--     on_train_epoch_end; schedules with interval "epoch"; EarlyStopping, ModelCheckpoint
--   on_train_end
--
-- It runs inside interrupt.run: boundary() stands wherever the run may be left and taken up again.
-- Tensors that training_step makes are freed when its batch is over; trainer:keep(t) lets one out.
local core = require "perilune.core"
local checkpoint = require "perilune.train.checkpoint"
local evaluate = require "perilune.train.evaluate"
local hooks = require "perilune.train.hooks"
local options = require "perilune.options"
local schedule = require "perilune.train.schedule"
local utils = require "perilune.nn.utils"

local fit = {}

-- one batch -------------------------------------------------------------------------------------------------------

local function loss_of(outputs)
  if outputs == nil then return nil end
  local loss = outputs
  if type(outputs) == "table" then loss = outputs.loss end
  if not core.is_tensor(loss) or loss:numel() ~= 1 then
    core.raise(string.format("training_step: it must return the loss, a tensor of one element, or { loss = ... }, or "
      .. "nil, got %s%s", type(outputs) == "table" and "a table whose loss is " or "", options.described(loss)))
  end
  if not loss.requires_grad then
    core.raise("training_step: no parameter that requires a gradient has a part in the loss; were all frozen, or was "
      .. "the loss detached?")
  end
  return loss
end

-- With this step a loss that is not finite would spread to every parameter.
local function check_finite(self, loss)
  if not self.options.terminate_on_nan then return end
  local value = loss:item()
  if value - value == 0 then return end
  self._not_finite = true
  core.raise(string.format("training_step: the loss is %s in epoch %d, batch %d, after %d optimizer steps; Trainer { "
    .. "detect_anomaly = true } names the operation that made a NaN, terminate_on_nan = false goes on",
    options.described(value), self.current_epoch, self._loop.batch + 1, self.global_step))
end

local function clip_gradients(self)
  local chosen = self.options
  if (chosen.gradient_clip_val or 0) == 0 then return end
  if chosen.gradient_clip_algorithm == "value" then
    utils.clip_grad_value_(self._parameters, chosen.gradient_clip_val)
  else
    utils.clip_grad_norm_(self._parameters, chosen.gradient_clip_val)
  end
end

local function step_optimizer(self)
  local optimizer = self.optimizer
  hooks.call(self, "on_before_optimizer_step", optimizer)
  clip_gradients(self)
  optimizer:step()
  self._loop.accumulated = 0
  self.global_step = self.global_step + 1
  schedule.step(self._scheduler, "step", self.global_step, self.callback_metrics)
end

-- Gradients are added up over a window of batches; the last window of an epoch may be shorter.
local function learn(self, loss, i)
  local loop, window = self._loop, self.options.accumulate_grad_batches
  if loop.accumulated == 0 then
    hooks.call(self, "on_before_zero_grad", self.optimizer)
    self.optimizer:zero_grad()
  end
  if window > 1 then loss = loss / window end
  hooks.call(self, "on_before_backward", loss)
  loss:backward()
  hooks.call(self, "on_after_backward")
  loop.accumulated = loop.accumulated + 1
  if i % window == 0 or i == self.num_training_batches then step_optimizer(self) end
end

local function train_batch(self, batch, i)
  local scope <close> = core.scope() -- luacheck: ignore
  local metrics, first = self._metrics.train, batch[1]
  metrics.batch_size = core.is_tensor(first) and first:dim() > 0 and first.shape[1] or 1
  hooks.call(self, "on_train_batch_start", batch, i)
  metrics.in_batch = true
  local before = self.global_step
  local outputs = self.module:training_step(batch, i)
  local loss = loss_of(outputs)
  if loss then
    self._got_a_loss = true
    check_finite(self, loss)
    learn(self, loss, i)
  end
  metrics.in_batch = false
  self._loop.batch, self._loop.phase = i, "batch"
  self:_publish_batch(self.global_step > before)
  hooks.call(self, "on_train_batch_end", outputs, batch, i)
end

-- validation ------------------------------------------------------------------------------------------------------

local function validation_is_due(self)
  local batch = self._loop.batch
  if not self._val_loader or self.num_val_batches == 0 or self._loop.phase ~= "batch" then return false end
  if self.current_epoch % self.options.check_val_every_n_epoch ~= 0 then return false end
  return batch % self._val_every == 0
end

-- Should the run be interrupted within, its checkpoint says what was true before.
local function validate(self, boundary)
  local loader = self._val_loader
  self._before_validation = { rng = core.random.get_rng_state(), val_loader = checkpoint.loader_state(loader, true) }
  local metrics = evaluate.run(self, "validate", loader, self.num_val_batches, function()
    self.interrupted = boundary()
    return self.interrupted
  end)
  if metrics then self._before_validation = nil end
end

-- Two batches of validation before the first of training, so that a mistake there shows at once.  Leaves no trace.
local function sanity_check(self, boundary)
  local n = math.min(self.options.num_sanity_val_steps, self.num_val_batches)
  if self.options.num_sanity_val_steps < 0 then n = self.num_val_batches end
  local loader = self._val_loader
  if not loader or n == 0 or self._loop.epoch > 0 then return end
  local random = core.random.get_rng_state()
  local position = checkpoint.loader_state(loader, true)
  self.sanity_checking = true
  hooks.call(self, "on_sanity_check_start")
  evaluate.run(self, "validate", loader, n, function()
    self.interrupted = boundary()
    return self.interrupted
  end)
  hooks.call(self, "on_sanity_check_end")
  self.sanity_checking = false
  if position then loader:load_state_dict(position) end
  core.random.set_rng_state(random)
end

-- epochs ----------------------------------------------------------------------------------------------------------

local function is_long_enough(self)
  local chosen = self.options
  return self.global_step >= (chosen.min_steps or 0) and self.current_epoch >= (chosen.min_epochs or 0)
end

local function steps_are_done(self)
  local max_steps = self.options.max_steps
  return max_steps >= 0 and self.global_step >= max_steps
end

-- Whether the loop ends here, in the middle of an epoch or after it.
local function is_done(self)
  return self.interrupted or steps_are_done(self) or self.should_stop and is_long_enough(self)
end

local function after_batch(self, boundary)
  self.interrupted = boundary()
  if not self.interrupted and validation_is_due(self) then validate(self, boundary) end
end

-- A loader that cannot be placed begins anew, and what was done is passed over.
local function open_loader(self, resumed)
  local loader = self._train_loader
  local next_batch = loader:iter()
  if resumed and type(loader.load_state_dict) ~= "function" then
    local random = core.random.get_rng_state()
    for _ = 1, self._loop.batch do next_batch() end
    core.random.set_rng_state(random)
  end
  return next_batch
end

-- Returns whether all batches of the epoch are done.
local function train_batches(self, boundary, resumed)
  local loop, limit = self._loop, self.num_training_batches
  if resumed then after_batch(self, boundary) end
  if loop.batch >= limit or is_done(self) then return loop.batch >= limit end
  local next_batch = open_loader(self, resumed)
  while loop.batch < limit and not is_done(self) do
    local batch = { next_batch() }
    if batch[1] == nil then return true end
    train_batch(self, batch, loop.batch + 1)
    after_batch(self, boundary)
  end
  return loop.batch >= limit
end

-- To pass over a batch is the module's right; an epoch of nothing else is a forgotten `return loss`.
local function check_learnt(self)
  if self._got_a_loss or self._loop.batch == 0 then return end
  core.raise(string.format("training_step: it returned nil for every batch of epoch %d, so nothing was learnt; does it "
    .. "end with return loss?", self.current_epoch))
end

-- A run that max_steps or should_stop ended within an epoch can be taken up there.
local function end_epoch(self, complete)
  hooks.first(self, "on_train_epoch_end")
  self:_publish_epoch("train", {})
  if complete then
    schedule.step(self._scheduler, "epoch", self.current_epoch, self.callback_metrics)
    self._loop.phase = "epoch_end"
  end
  hooks.last(self, "on_train_epoch_end")
end

local function run_epoch(self, boundary)
  local loop = self._loop
  local resumed = loop.phase ~= "epoch_end"
  if not resumed then
    loop.epoch, loop.batch, loop.phase, loop.accumulated = loop.epoch + 1, 0, "epoch_start", 0
    self.current_epoch = loop.epoch
    self._metrics.train:reset()
    hooks.call(self, "on_train_epoch_start")
  end
  self._got_a_loss = resumed   -- what the first part of a resumed epoch returned is not known
  local complete = train_batches(self, boundary, resumed)
  if self.interrupted then return end
  if complete then check_learnt(self) end
  end_epoch(self, complete)
end

local function is_finished(self)
  local max_epochs = self.options.max_epochs
  local all = max_epochs >= 0 and self._loop.epoch >= max_epochs and self._loop.phase == "epoch_end"
  return all or is_done(self)
end

--- The body of Trainer:fit, in its own coroutine.
---@param self perilune.Trainer
---@param boundary fun(): boolean
function fit.run(self, boundary)
  hooks.call(self, "on_fit_start")
  sanity_check(self, boundary)
  self.stage = "train"
  self.module:train()
  hooks.call(self, "on_train_start")
  while not is_finished(self) do run_epoch(self, boundary) end
  if self.interrupted then hooks.call(self, "on_exception", "interrupted!") end
  hooks.call(self, "on_train_end")
  hooks.call(self, "on_fit_end")
end

return fit
