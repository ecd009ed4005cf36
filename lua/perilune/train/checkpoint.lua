-- checkpoint.lua -- all that a run needs to go on to the same bits, in one safetensors file.
--
-- Tensors: "state_dict/NAME" are the module's; "gradients/NAME" only within a window of accumulate_grad_batches; the
-- rest is a nested table under perilune.state's names: optimizer, scheduler, rng, loop (epoch, batch, global_step ...),
-- train_loader, val_loader, metrics (the running sums of the epoch), callbacks.  What the module's and the callbacks'
-- on_save_checkpoint(checkpoint) add is there for their on_load_checkpoint(checkpoint).
--
-- A checkpoint describes a boundary: loop.phase says what was done last, and so what comes next --
--   "batch"      a batch; whether a validation is due is still to be asked
--   "validated"  a batch and its validation
--   "epoch_end"  an epoch
-- Lua's math.random is not part of it: Lua cannot tell its state.
local core = require "perilune.core"
local hooks = require "perilune.train.hooks"
local loaded = require "perilune.loaded"
local serialize = require "perilune.serialize"
local state = require "perilune.state"

local checkpoint = {}

local VERSION = 1
local WEIGHTS, GRADIENTS = loaded.WEIGHTS, "gradients/"

--- The state of a loader, nil if it has none to tell.
-- A loader whose epoch is over must begin a new one; under limit_train_batches its own position does not say so.
function checkpoint.loader_state(loader, finished)
  if type(loader) ~= "table" or type(loader.state_dict) ~= "function" then return nil end
  local dict = loader:state_dict()
  if finished and dict.position then dict.position = #loader end
  return dict
end

local function state_key(callback, i) return (callback.state_key or callback.class_name or "callback") .. "#" .. i end

local function logger_states(loggers)
  local states = {}
  for i, logger in ipairs(loggers) do
    states[i] = type(logger.state_dict) == "function" and logger:state_dict() or {}
  end
  return states
end

local function callback_states(callbacks)
  local states = {}
  for i, callback in ipairs(callbacks) do
    if type(callback.state_dict) == "function" then states[state_key(callback, i)] = callback:state_dict() end
  end
  return states
end

-- An epoch that has begun but has no batch yet will be begun again.
local function loop_state(self)
  local loop = self._loop
  local begun = loop.phase == "epoch_start"
  return { epoch = begun and loop.epoch - 1 or loop.epoch, batch = loop.batch, global_step = self.global_step,
    phase = begun and "epoch_end" or loop.phase, accumulated = loop.accumulated, should_stop = self.should_stop }
end

--- The nested table that becomes a file, without weights and gradients.
---@param self perilune.Trainer
---@return table
function checkpoint.capture(self)
  local loop = loop_state(self)
  local finished = loop.phase == "epoch_end" or loop.batch >= self.num_training_batches
  local captured = { version = VERSION, loop = loop, rng = core.random.get_rng_state(),
    optimizer = self.optimizer:state_dict(), optimizer_class = self.optimizer.class_name,
    scheduler = self._scheduler and self._scheduler.scheduler:state_dict(),
    train_loader = checkpoint.loader_state(self._train_loader, finished),
    val_loader = checkpoint.loader_state(self._val_loader, true),
    metrics = self._metrics.train:state_dict(), callback_metrics = self.callback_metrics,
    callbacks = callback_states(self.callbacks), loggers = logger_states(self.loggers) }
  for name, value in pairs(self._before_validation or {}) do captured[name] = value end
  hooks.call(self, "on_save_checkpoint", captured)
  return captured
end

local function tensors_of(self, weights_only)
  local tensors = {}
  for name, tensor in pairs(self.module:state_dict()) do tensors[WEIGHTS .. name] = tensor end
  if weights_only or self._loop.accumulated == 0 then return tensors end
  for name, parameter in self.module:named_parameters() do
    if parameter.grad then tensors[GRADIENTS .. name] = parameter.grad end
  end
  return tensors
end

--- Writes the file, whole or not at all.
---@param self perilune.Trainer
---@param path string
---@param weights_only boolean
---@return true|nil ok
---@return string? message
function checkpoint.save(self, path, weights_only)
  local scope <close> = core.scope() -- luacheck: ignore
  local tensors, metadata = tensors_of(self, weights_only), {}
  if not weights_only then
    local rest
    rest, metadata = state.flatten(checkpoint.capture(self))
    for name, tensor in pairs(rest) do tensors[name] = tensor end
  end
  return serialize.save(path, tensors, { metadata = metadata })
end

--- Reads a file: the nested table of capture, with state_dict and gradients.
---@param path string
---@return table|nil contents
---@return string? message
function checkpoint.load(path)
  local tensors, metadata = serialize.load(path, { flat = true })
  if not tensors then return nil, metadata --[[@as string]] end
  local weights, gradients = loaded.take(tensors, WEIGHTS), loaded.take(tensors, GRADIENTS)
  local contents = state.unflatten(tensors, metadata --[[@as table]])
  if next(weights) == nil or contents.loop and contents.version ~= VERSION then
    return nil, path .. ": this is not a checkpoint of a Trainer; " ..
      "model:load_from_checkpoint(path) loads a file of weights"
  end
  contents.state_dict, contents.gradients = weights, gradients
  return contents
end

-- The gradients of a module, with the methods of what has a state.
local function gradients_of(module)
  local function each(visit)
    for name, parameter in module:named_parameters() do visit(name, parameter) end
  end
  return {
    state_dict = function()
      local gradients = {}
      each(function(name, parameter) gradients[name] = parameter.grad end)
      return gradients
    end,
    load_state_dict = function(_, gradients)
      each(function(name, parameter) parameter.grad = gradients[name] and core.keep(gradients[name]) or nil end)
    end,
  }
end

-- All that has a state, with its part of the file.  The module comes last: it alone takes all or nothing (its own
-- load_state_dict), so that no copy of the weights is needed to put back.
local function holders(self, contents)
  local list = {}
  local function add(holder, dict)
    if dict == nil or type(holder) ~= "table" or type(holder.load_state_dict) ~= "function" then return end
    list[#list + 1] = { holder = holder, dict = dict }
  end
  add(self.optimizer, contents.optimizer)
  add(self._scheduler and self._scheduler.scheduler, contents.scheduler)
  add(self._train_loader, contents.train_loader)
  add(self._val_loader, contents.val_loader)
  for i, callback in ipairs(self.callbacks) do add(callback, (contents.callbacks or {})[state_key(callback, i)]) end
  add(gradients_of(self.module), contents.gradients)
  add(self.module, contents.state_dict)
  return list
end

local function refuse(message)
  if type(message) ~= "string" then error(message, 0) end
  core.raise("Trainer: fit: the checkpoint is not one of this run: " .. message:gsub("^[^\n]-:%d+: ", ""))
end

-- What tells most comes first: a file of another model has another optimizer's state, too.
local function check_kinds(self, contents)
  local module, saved, own = self.module, contents.optimizer_class, self.optimizer.class_name
  if type(module._check_state) == "function" then
    local fine, message = pcall(module._check_state, module, contents.state_dict)
    if not fine then refuse(message) end
  end
  if saved and own and saved ~= own then
    refuse(("it has the state of the optimizer %s, and configure_optimizers made %s"):format(saved, own))
  end
end

-- All of them, or, where one does not fit, none: those that have taken their part get back what they had.
local function load_all(list)
  local before = {}
  for i, entry in ipairs(list) do
    local holder = entry.holder
    before[i] = i < #list and type(holder.state_dict) == "function" and holder:state_dict() or false
    local fine, message = pcall(holder.load_state_dict, holder, entry.dict)
    if not fine then
      for k = i, 1, -1 do
        if before[k] then pcall(list[k].holder.load_state_dict, list[k].holder, before[k]) end
      end
      refuse(message)
    end
  end
end

--- Puts the run where the file left it; where the file does not fit, raises, and all is as it was.  The generator's
--- turn comes last: nothing may draw after it.
---@param self perilune.Trainer
---@param contents table  from load
function checkpoint.restore(self, contents)
  check_kinds(self, contents)
  load_all(holders(self, contents))
  local loop = contents.loop
  self.global_step, self.should_stop = loop.global_step, loop.should_stop
  self._loop = { epoch = loop.epoch, batch = loop.batch, phase = loop.phase, accumulated = loop.accumulated }
  self.current_epoch = math.max(loop.epoch, 1)
  self._metrics.train:load_state_dict(contents.metrics or {})
  self.callback_metrics = contents.callback_metrics or {}
  for i, logger in ipairs(self.loggers) do
    if type(logger.resume) == "function" then
      logger:resume(self.global_step, contents.loggers and contents.loggers[i] or {})
    end
  end
  hooks.call(self, "on_load_checkpoint", contents)
  core.random.set_rng_state(contents.rng)
end

--- Raises where "last" or "best" is asked of a run in which no callback could know.
---@param self perilune.Trainer
---@param what string
---@param ckpt_path string
function checkpoint.check_finder(self, what, ckpt_path)
  if ckpt_path ~= "last" and ckpt_path ~= "best" or self.fast_dev_run then return end
  for _, callback in ipairs(self.callbacks) do
    if type(callback.find) == "function" then return end
  end
  core.raise(string.format("Trainer: %s: ckpt_path = \"%s\" needs the callback that writes and finds it: "
    .. "Trainer { callbacks = { callbacks.ModelCheckpoint { dirpath = ..., save_last = true } } }%s", what, ckpt_path,
    self.options.enable_checkpointing and "" or ", without enable_checkpointing = false"))
end

--- "last" and "best" as the paths that the ModelCheckpoints know; anything else is a path.
---@param self perilune.Trainer
---@param ckpt_path string
---@return string|nil path  nil: there is none yet
function checkpoint.find(self, ckpt_path)
  if ckpt_path ~= "last" and ckpt_path ~= "best" then return ckpt_path end
  for _, callback in ipairs(self.callbacks) do
    if type(callback.find) == "function" then
      local path = callback:find(ckpt_path)
      if path then return path end
    end
  end
  return nil
end

local function is_finite(weights)
  local scope <close> = core.scope() -- luacheck: ignore
  for _, tensor in pairs(weights) do
    if tensor.dtype:find("^float") and not tensor:isfinite():all():item() then return false end
  end
  return true
end

--- The newest checkpoint whose weights are finite, "last" before "best".
---@param self perilune.Trainer
---@return string|nil path
function checkpoint.last_good(self)
  for _, name in ipairs { "last", "best" } do
    local path = checkpoint.find(self, name)
    local contents = path and checkpoint.load(path)
    if contents and is_finite(contents.state_dict) then return path end
  end
  return nil
end

return checkpoint
