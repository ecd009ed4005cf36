-- trainer.lua -- perilune.Trainer: the loops around a module's training_step, with Lightning's names.
--
--   local Net = nn.Module:extend("Net")
--   function Net:training_step(batch, i)  local loss = ...; self:log("loss", loss); return loss  end
--   function Net:configure_optimizers()   return optim.Adam(self:parameters(), { lr = 1e-3 })  end
--   perilune.Trainer { max_epochs = 3 }:fit(Net(), loader)
--
-- Here: the public methods, and where logged values go.  settings.lua has the options, fit.lua the training loop,
-- evaluate.lua the others, checkpoint.lua what a file holds, interrupt.lua Ctrl-C.
local core = require "perilune.core"
local checkpoint = require "perilune.train.checkpoint"
local class = require "perilune.train.class"
local evaluate = require "perilune.train.evaluate"
local fit = require "perilune.train.fit"
local hooks = require "perilune.train.hooks"
local interrupt = require "perilune.train.interrupt"
local Metrics = require "perilune.train.metrics"
local options = require "perilune.options"
local schedule = require "perilune.train.schedule"
local settings = require "perilune.train.settings"
local shown = require "perilune.shown"

---@class perilune.Trainer
---@field current_epoch integer  the epoch that runs, from 1
---@field stage_of_run string  "fit", "validate", "test" or "predict"
---@field global_step integer  optimizer steps taken
---@field should_stop boolean  a callback sets it: the run ends after this batch
---@field interrupted boolean  whether Ctrl-C ended the last fit
---@field callback_metrics table<string, number>  the newest value of all that was logged
---@field callbacks table[]
---@field loggers table[]
---@field module perilune.nn.Module  the one that is trained
---@field estimated_stepping_batches integer|number  optimizer steps of the whole fit, for schedules; math.huge: no end
---@field optimizer perilune.optim.Optimizer
local Trainer = class.new("Trainer")

Trainer.__tostring = shown.by(settings.reader)

--- Trains, validates, tests and predicts.
---
--- max_epochs (1000 unless max_steps is given; -1: no end), max_steps (-1: no limit; optimizer steps), min_epochs,
--- min_steps; callbacks: a list, or one; logger: one (of perilune.loggers, or a table with log_metrics), a list, or
--- true for a CSVLogger; gradient_clip_val (0: none) with gradient_clip_algorithm = "norm" or "value";
--- accumulate_grad_batches = 1; val_check_interval = 1.0: a share of the epoch, or as an integer a number of its
--- batches; check_val_every_n_epoch = 1; limit_train_batches = 1.0, likewise _val_, _test_, _predict_: a share or a
--- number; log_every_n_steps = 50; num_sanity_val_steps = 2: validation batches before the first epoch (-1: all);
--- enable_progress_bar = true (on stderr); enable_checkpointing = true; terminate_on_nan = true: a training loss that
--- is NaN or infinite is an error, raised before it reaches the weights; detect_anomaly = false: the first operation
--- that makes a NaN ends the run and is named (slow); default_root_dir: where a ModelCheckpoint and loggers without a
--- folder of their own write -- without it, and without them, no file is written; fast_dev_run = false: true or a
--- number of batches, one short epoch without files; deterministic: every run is.
---@param given? table
function Trainer:init(given)
  local chosen = settings.read(given)
  self.options, self.default_root_dir = chosen, chosen.default_root_dir
  self.loggers, self.callbacks = settings.loggers(chosen), settings.callbacks(chosen)
  self.logger = self.loggers[1]
  hooks.check(self.callbacks)
  for _, callback in ipairs(self.callbacks) do
    if settings.is_checkpoint(callback) then self.checkpoint_callback = self.checkpoint_callback or callback end
  end
  self.max_epochs, self.max_steps, self.fast_dev_run = chosen.max_epochs, chosen.max_steps, chosen.fast_dev_run
  self.current_epoch, self.global_step, self.num_training_batches, self.num_val_batches = 0, 0, 0, 0
  self.should_stop, self.interrupted, self.sanity_checking = false, false, false
  self.callback_metrics, self.logged_metrics, self.progress_bar_metrics = {}, {}, {}
  self._waiting = {}
end

-- logged values ---------------------------------------------------------------------------------------------------

local function reset_metrics(self)
  self._metrics = { train = Metrics.new(true), validate = Metrics.new(false), test = Metrics.new(false),
    predict = Metrics.new(false) }
end

-- The targets are made once: a batch makes no closures.
local function make_publishers(self)
  self._publish = function(name, value, entry)
    self.callback_metrics[name] = value
    if entry.prog_bar then self.progress_bar_metrics[name] = value end
  end
  self._publish_row = function(name, value, entry)
    self._publish(name, value, entry)
    if entry.logger then self._row[name] = value end
  end
end

--- What self:log of the module does.
function Trainer:_log(name, value, given)
  local metrics = self._metrics and self._metrics[self.stage]
  if metrics then metrics:log(name, value, given) end
end

function Trainer:_publish_batch(stepped)
  if not stepped or self.global_step % self.options.log_every_n_steps ~= 0 then
    return self._metrics.train:after_batch(self._publish)
  end
  self._row = {}
  self._metrics.train:after_batch(self._publish_row)
  self:log_metrics(self._row)
end

-- published: gets name -> value.  What a sanity check logs goes nowhere.
function Trainer:_publish_epoch(stage, published)
  if self.sanity_checking then return self._metrics[stage]:reset() end
  self._row = {}
  self._metrics[stage]:after_epoch(function(name, value, entry, again)
    published[name] = value
    if again then self.callback_metrics[name] = value else self._publish_row(name, value, entry) end
  end)
  self:log_metrics(self._row)
end

--- Hands values to the loggers, at the step that the run is at; with none, nothing happens.
---@param values table<string, number>
function Trainer:log_metrics(values)
  if next(values) == nil then return end
  for name, value in pairs(values) do self.logged_metrics[name] = value end
  if #self.loggers == 0 then return end
  local row = { epoch = self.current_epoch }
  for name, value in pairs(values) do row[name] = value end
  for _, logger in ipairs(self.loggers) do logger:log_metrics(row, self.global_step) end
end

--- The names of all that was logged, for messages.
---@return string
function Trainer:metric_names()
  return Metrics.names(self.callback_metrics)
end

--- Whether an epoch's end is the moment at which all metrics are known: validation is at every one of them, or never.
---@return boolean
function Trainer:validates_once_an_epoch()
  if self.num_val_batches == 0 then return true end
  return self.options.check_val_every_n_epoch == 1 and self._val_every == self.num_training_batches
end

--- Lets a tensor outlive the step it was made in.
---@param tensor perilune.Tensor
---@return perilune.Tensor
function Trainer.keep(_, tensor) return core.keep(tensor) end

-- running ---------------------------------------------------------------------------------------------------------

local function check_module(what, module, step)
  if type(module) ~= "table" or type(module.modules) ~= "function" then
    core.raise(string.format("Trainer: %s: a module is needed, got %s", what, options.described(module)))
  end
  if step and type(module[step]) ~= "function" then
    core.raise(string.format("Trainer: %s: %s has no %s(batch, i)", what, module.class_name or "the module", step))
  end
end

local function check_loader(what, loader)
  if type(loader) ~= "table" or type(loader.iter) ~= "function" then
    local is_data = type(loader) == "table" and type(loader.get) == "function"
    core.raise(string.format("Trainer: %s: a DataLoader is needed (a table with iter() and #), got %s", what,
      is_data and "a data set: data.DataLoader(dataset, { batch_size = 32 }) makes one" or options.described(loader)))
  end
  if #loader == 0 then core.raise(string.format("Trainer: %s: the loader has no batches", what)) end
end

local function share(limit, n)
  if math.type(limit) == "integer" then return math.min(limit, n) end
  return math.floor(limit * n + 1e-9)
end

local function attach(self, module)
  self.module = module
  rawset(module, "trainer", self)   -- no field of the module's: state_dict and children do not see it
  self._hooks = hooks.plan(self.callbacks, module)
  reset_metrics(self)
  make_publishers(self)
end

local function val_interval(self)
  local interval, n = self.options.val_check_interval, self.num_training_batches
  if math.type(interval) == "float" then return math.max(1, math.floor(interval * n + 1e-9)) end
  if interval > n and self.num_val_batches > 0 then
    core.raise(string.format("Trainer: fit: val_check_interval = %d is more than the %d batches of an epoch: there "
      .. "would be no validation; for one every few epochs give check_val_every_n_epoch", interval, n))
  end
  return interval
end

local function estimated_steps(self)
  local window, steps = self.options.accumulate_grad_batches, math.huge
  if self.max_epochs >= 0 then steps = self.max_epochs * ((self.num_training_batches + window - 1) // window) end
  if self.max_steps >= 0 then steps = math.min(steps, self.max_steps) end
  return steps
end

local function prepare(self, module, train_loader, val_loader)
  self._train_loader, self._val_loader, self._before_validation = train_loader, val_loader, nil
  self.num_training_batches = share(self.options.limit_train_batches, #train_loader)
  if self.num_training_batches == 0 then core.raise("Trainer: fit: limit_train_batches leaves no batch") end
  self.num_val_batches = val_loader and share(self.options.limit_val_batches, #val_loader) or 0
  self._val_every, self.estimated_stepping_batches = val_interval(self), estimated_steps(self)
  self.current_epoch, self.global_step = 0, 0
  self.should_stop, self.interrupted, self._not_finite = false, false, false
  self.callback_metrics, self.logged_metrics, self.progress_bar_metrics = {}, {}, {}
  self._loop = { epoch = 0, batch = 0, phase = "epoch_end", accumulated = 0 }
  attach(self, module)
  self.optimizer, self._scheduler = schedule.configure(module)
  self.lr_scheduler = self._scheduler and self._scheduler.scheduler
  self._parameters = {}
  for _, group in ipairs(self.optimizer.param_groups) do
    table.move(group.params, 1, #group.params, #self._parameters + 1, self._parameters)
  end
end

local function read_checkpoint(self, what, ckpt_path)
  if ckpt_path == nil then return nil end
  checkpoint.check_finder(self, what, ckpt_path)
  local path = checkpoint.find(self, ckpt_path)
  if not path then
    if ckpt_path == "last" and what == "fit" then return nil end   -- killed before the first was written
    core.raise(string.format("Trainer: %s: there is no '%s' checkpoint", what, ckpt_path))
  end
  local contents, message = checkpoint.load(path)
  if not contents then core.raise(string.format("Trainer: %s: %s", what, message)) end
  return contents
end

-- The message of an error about numbers that are not finite says where to go on from.
local function describe_failure(self, message)
  if not (self.options.detect_anomaly or self._not_finite) or type(message) ~= "string" then return message end
  local path = checkpoint.last_good(self)
  return path and message .. "\nthe last good checkpoint is " .. path or message
end

-- Calls f; what it raises is put at the end of failures.
local function attempt(failures, f, ...)
  local fine, message = pcall(f, ...)
  if not fine then failures[#failures + 1] = { message = message } end
end

-- Runs body; whatever happens, teardown is called and loggers are closed.  The first error is the one that is told.
local function run(self, stage, body)
  local failures = {}
  self.stage_of_run = stage
  if self.options.detect_anomaly then
    attempt(failures, core.detect_anomaly, body)
  else
    attempt(failures, body)
  end
  local status = #failures == 0 and "success" or "failed"
  self.stage = nil
  if status == "failed" then
    self._waiting = {}
    attempt(failures, hooks.call, self, "on_exception", failures[1].message)
  end
  attempt(failures, hooks.call, self, "teardown", stage)
  for _, logger in ipairs(self.loggers) do
    if type(logger.finalize) == "function" then attempt(failures, logger.finalize, logger, status) end
  end
  if failures[1] then error(describe_failure(self, failures[1].message), 0) end
end

local read_fit_options = options.reader("fit", { { "ckpt_path", nil, "string" } })

--- Trains the module.  It needs training_step(batch, i), which returns the loss (or { loss = ... }, or nil to pass a
--- batch over; an epoch of nothing but nil is an error), and configure_optimizers(); batch is the list { x, y } that
--- the loader yields, i counts from 1.  With a validation loader it needs validation_step(batch, i).
---
--- ckpt_path goes on from a checkpoint, to the same bits as if the run had never stopped: a path, or, of a
--- ModelCheckpoint among the callbacks, "last" (starts anew if there is none yet) or "best".
--- Ctrl-C ends the run after the batch; the ModelCheckpoints save "last", and
--- trainer.interrupted is true.  Errors are raised as they came; trainer.traceback has where.
---@param module perilune.nn.Module
---@param train_loader perilune.data.DataLoader
---@param val_loader? perilune.data.DataLoader
---@param given? { ckpt_path: string }
function Trainer:fit(module, train_loader, val_loader, given)
  local chosen = read_fit_options(given)
  check_module("fit", module, "training_step")
  check_loader("fit", train_loader)
  if val_loader then
    check_loader("fit", val_loader)
    check_module("fit", module, "validation_step")
  end
  prepare(self, module, train_loader, val_loader)
  hooks.call(self, "setup", "fit")
  local contents = read_checkpoint(self, "fit", chosen.ckpt_path)
  if contents then
    if not contents.loop then core.raise("Trainer: fit: " .. chosen.ckpt_path .. " holds weights only") end
    checkpoint.restore(self, contents)
  end
  run(self, "fit", function()
    interrupt.run(function(boundary) fit.run(self, boundary) end, function(text) self.traceback = text end)
  end)
end

local read_evaluate_options = options.reader("Trainer", { { "ckpt_path", nil, "string" } })

local function evaluate_with(self, stage, step, module, loader, limit, given)
  local chosen = read_evaluate_options(given)
  module = module or self.module
  check_module(stage, module, step)
  check_loader(stage, loader)
  attach(self, module)
  hooks.call(self, "setup", stage)
  local contents, result = read_checkpoint(self, stage, chosen.ckpt_path), nil
  if contents then module:load_state_dict(contents.state_dict) end
  self.num_evaluation_batches = share(limit, #loader)
  run(self, stage, function() result = evaluate.run(self, stage, loader, self.num_evaluation_batches) end)
  return result
end

--- One pass of validation_step; returns a list with one table, name -> value of what was logged.
---@param module perilune.nn.Module|nil  nil: the one of the last fit
---@param loader perilune.data.DataLoader
---@param given? { ckpt_path: string }  loads these weights first: a path, "last" or "best"
---@return table<string, number>[]
function Trainer:validate(module, loader, given)
  return { evaluate_with(self, "validate", "validation_step", module, loader, self.options.limit_val_batches, given) }
end

--- One pass of test_step; returns a list with one table, name -> value of what was logged.
---@param module perilune.nn.Module|nil
---@param loader perilune.data.DataLoader
---@param given? { ckpt_path: string }
---@return table<string, number>[]
function Trainer:test(module, loader, given)
  return { evaluate_with(self, "test", "test_step", module, loader, self.options.limit_test_batches, given) }
end

--- Returns what predict_step(batch, i) returned for each batch; without one, module(batch[1]).
---@param module perilune.nn.Module|nil
---@param loader perilune.data.DataLoader
---@param given? { ckpt_path: string }
---@return any[]
function Trainer:predict(module, loader, given)
  return evaluate_with(self, "predict", nil, module, loader, self.options.limit_predict_batches, given)
end

local read_save_options = options.reader("save_checkpoint", { { "weights_only", false } })

--- Writes a checkpoint of the run as it is after the last batch.  In a callback, call it from on_train_batch_end,
--- on_validation_end, on_train_epoch_end or on_train_end: anywhere else is in the middle of things.
---@param path string
---@param given? { weights_only: boolean }
---@return true|nil ok
---@return string? message
function Trainer:save_checkpoint(path, given)
  if not self._loop then core.raise("save_checkpoint: call fit first") end
  return checkpoint.save(self, path, read_save_options(given).weights_only)
end

--- For callbacks: work runs when all callbacks have seen the event.
---@param work fun()
function Trainer:_when_all_have_seen(work) self._waiting[#self._waiting + 1] = work end

return Trainer
