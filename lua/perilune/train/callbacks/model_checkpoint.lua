-- model_checkpoint.lua -- perilune.callbacks.ModelCheckpoint: which checkpoints are written, and which are kept.
--
-- What to write is decided when the event comes; it is written when every callback has seen the event, so that each
-- file tells of all of them; old files are removed after the new one is whole.
local checkpoint = require "perilune.train.checkpoint"
local core = require "perilune.core"
local folders = require "perilune.train.folders"
local options = require "perilune.options"
local shown = require "perilune.shown"

---@class perilune.callbacks.ModelCheckpoint
---@field best_model_path string  "" as long as there is none
---@field best_model_score number|nil
---@field last_model_path string
local ModelCheckpoint = require "perilune.train.callbacks.callback":extend("ModelCheckpoint")

ModelCheckpoint.monitoring = true
ModelCheckpoint.FILE_EXTENSION = ".safetensors"

local read = options.reader("ModelCheckpoint", { { "dirpath", nil, "string" }, { "filename", nil, "string" },
  { "monitor", nil, "string" }, { "mode", "min" }, { "save_top_k", 1, "integer" }, { "save_last", false },
  { "save_weights_only", false }, { "every_n_train_steps", nil, "integer" }, { "every_n_epochs", nil, "integer" },
  { "save_on_train_epoch_end", nil, "boolean" }, { "auto_insert_metric_name", true } })

ModelCheckpoint.__tostring = shown.by(read)

--- Saves the run, after epochs or steps; what fit's ckpt_path goes on from.
---
--- Options: dirpath (default: checkpoints/ in the Trainer's default_root_dir); filename = "{epoch}-{step}", where
--- "{val_loss:.2f}" becomes "val_loss=0.12" (auto_insert_metric_name = false: "0.12"), and an occupied name gets "-v1";
--- monitor (a logged metric) with mode = "min" or "max"; save_top_k = 1: how many of the best (without monitor: the
--- newest; then 1, 0 and -1 only) are kept, -1: all; save_last = false: also write last.safetensors each time;
--- save_weights_only = false; every_n_train_steps: after so many optimizer steps, or every_n_epochs (default 1);
--- save_on_train_epoch_end: default true where validation is once an epoch or not at all, else after each validation.
--- On Ctrl-C last.safetensors is written in any case.  What saves that were killed left in the folder is removed at the
--- next save, a minute later or more.
---@param given? table
function ModelCheckpoint:init(given)
  local chosen = read(given)
  options.choice("ModelCheckpoint", "mode", chosen.mode, { "min", "max" })
  options.integer("ModelCheckpoint", "save_top_k", chosen.save_top_k, -1)
  for _, name in ipairs { "every_n_train_steps", "every_n_epochs" } do
    if chosen[name] then options.integer("ModelCheckpoint", name, chosen[name]) end
  end
  if chosen.every_n_train_steps and chosen.every_n_epochs then
    core.raise("ModelCheckpoint: give every_n_train_steps or every_n_epochs, not both")
  end
  if not chosen.monitor and chosen.save_top_k > 1 then
    core.raise("ModelCheckpoint: save_top_k = " .. chosen.save_top_k .. " needs monitor, to know what is best")
  end
  self.options, self.dirpath = chosen, chosen.dirpath
  self.state_key = "ModelCheckpoint-" .. (chosen.monitor or "none"):gsub("/", "-")
  self.best_model_path, self.last_model_path, self.best_k_models, self.last_global_step_saved = "", "", {}, 0
end

function ModelCheckpoint:setup(trainer)
  if self.dirpath then return end
  if not trainer.default_root_dir then
    core.raise("ModelCheckpoint: dirpath is needed, or the Trainer's default_root_dir")
  end
  self.dirpath = trainer.default_root_dir .. "/checkpoints"
end

-- names -----------------------------------------------------------------------------------------------------------

local function format_metric(self, name, form, metrics)
  local value = metrics[name]
  if value == nil then value = 0 end
  local kind = form:match("%a$")
  if kind == "d" then value = math.tointeger(value) or math.floor(value) end
  local text = form == "" and tostring(value) or ("%" .. form):format(value)
  return self.options.auto_insert_metric_name and name:gsub("/", "_") .. "=" .. text or text
end

--- The name of a file, without folder and extension: "{epoch}-{val_loss:.2f}" -> "epoch=3-val_loss=0.12".
---@param metrics table<string, number>  epoch and step among them
---@return string
function ModelCheckpoint:format_checkpoint_name(metrics)
  local pattern = self.options.filename or "{epoch}-{step}"
  local function expand(name, form) return format_metric(self, name, form, metrics) end
  return (pattern:gsub("{([^{}:]+):?([^{}]*)}", expand))
end

local function metrics_of(trainer)
  local metrics = {}
  for name, value in pairs(trainer.callback_metrics) do metrics[name] = value end
  metrics.epoch, metrics.step = trainer.current_epoch, trainer.global_step
  return metrics
end

-- The file that this moment goes to.  One of the same name that this run did not write stays.
local function new_path(self, metrics)
  local base = self.dirpath .. "/" .. self:format_checkpoint_name(metrics)
  local path, version = base .. self.FILE_EXTENSION, 0
  while folders.exists(path) do
    version = version + 1
    path = base .. "-v" .. version .. self.FILE_EXTENSION
  end
  return path
end

local function last_path(self) return self.dirpath .. "/last" .. self.FILE_EXTENSION end

-- keeping the best ------------------------------------------------------------------------------------------------

local function is_better(self, a, b)
  if a ~= a then return false elseif b ~= b then return true end   -- NaN is the worst
  if self.options.mode == "min" then return a < b end
  return a > b
end

local function monitored(self, trainer)
  local name = self.options.monitor
  local value = trainer.callback_metrics[name]
  if value == nil then
    core.raise(string.format("ModelCheckpoint: '%s' was not logged; logged: %s", name, trainer:metric_names()))
  end
  return value
end

-- Position of the model that has to go for a new one; 0: none has to.
local function worst(self)
  local at = 1
  for i = 2, #self.best_k_models do
    if is_better(self, self.best_k_models[at].score, self.best_k_models[i].score) then at = i end
  end
  return at
end

local function best(self)
  local at = 1
  for i = 2, #self.best_k_models do
    if is_better(self, self.best_k_models[i].score, self.best_k_models[at].score) then at = i end
  end
  return self.best_k_models[at]
end

-- Takes the model in; returns the path to write and the one to remove, or nil.
local function choose(self, trainer)
  local chosen = self.options
  if chosen.save_top_k == 0 then return nil end
  local score = chosen.monitor and monitored(self, trainer) or trainer.global_step
  local full = chosen.save_top_k > 0 and #self.best_k_models >= chosen.save_top_k
  local victim = full and worst(self)
  if full and chosen.monitor and not is_better(self, score, self.best_k_models[victim].score) then return nil end
  local removed = full and table.remove(self.best_k_models, victim) or nil
  local path = new_path(self, metrics_of(trainer))
  self.best_k_models[#self.best_k_models + 1] = { path = path, score = score }
  local leader = chosen.monitor and best(self) or self.best_k_models[#self.best_k_models]
  self.best_model_path = leader.path
  self.best_model_score = chosen.monitor and leader.score or nil
  return path, removed and removed.path
end

-- writing ---------------------------------------------------------------------------------------------------------

local function write(self, trainer, path)
  local ok, message = trainer:save_checkpoint(path, { weights_only = self.options.save_weights_only })
  if not ok then core.raise("ModelCheckpoint: " .. message) end
end

local function save(self, trainer)
  if trainer.sanity_checking or self.last_global_step_saved == trainer.global_step then return end
  local path, removed = choose(self, trainer)
  self.last_global_step_saved = trainer.global_step
  local last = self.options.save_last and last_path(self)
  if last then self.last_model_path = last end
  if not path and not last then return end
  trainer:_when_all_have_seen(function()
    folders.make(self.dirpath)
    folders.sweep(self.dirpath)
    if path then write(self, trainer, path) end
    if last then write(self, trainer, last) end
    if removed then os.remove(removed) end
  end)
end

local function at_epoch_end(self, trainer)
  local asked = self.options.save_on_train_epoch_end
  if asked ~= nil then return asked end
  return trainer:validates_once_an_epoch()
end

local function epoch_is_due(self, trainer)
  return not self.options.every_n_train_steps and trainer.current_epoch % (self.options.every_n_epochs or 1) == 0
end

function ModelCheckpoint:on_train_batch_end(trainer)
  local n = self.options.every_n_train_steps
  if n and trainer.global_step > 0 and trainer.global_step % n == 0 then save(self, trainer) end
end

function ModelCheckpoint:on_validation_end(trainer)
  if trainer.stage_of_run ~= "fit" or at_epoch_end(self, trainer) then return end
  if epoch_is_due(self, trainer) then save(self, trainer) end
end

function ModelCheckpoint:on_train_epoch_end(trainer)
  if at_epoch_end(self, trainer) and epoch_is_due(self, trainer) then save(self, trainer) end
end

--- Ctrl-C: the run as it is after the last batch.
function ModelCheckpoint:on_exception(trainer)
  if not trainer.interrupted or trainer.stage_of_run ~= "fit" then return end
  self.last_model_path = last_path(self)
  trainer:_when_all_have_seen(function()
    folders.make(self.dirpath)
    write(self, trainer, self.last_model_path)
  end)
end

-- finding them again ----------------------------------------------------------------------------------------------

-- A new process knows the best one from the newest file.
local function best_of_file(self, path)
  local contents = checkpoint.load(path)
  for key, dict in pairs(contents and contents.callbacks or {}) do
    if key:sub(1, #self.state_key + 1) == self.state_key .. "#" and dict.best_model_path ~= "" then
      return dict.best_model_path
    end
  end
end

--- The path of the "last" or "best" file; nil if there is none.
---@param which "last"|"best"
---@return string|nil
function ModelCheckpoint:find(which)
  local last = self.dirpath and last_path(self)
  if not last or not folders.exists(last) then last = nil end
  if which == "last" then return last or self.best_model_path ~= "" and not self.options.monitor
    and self.best_model_path or nil end
  if self.best_model_path ~= "" then return self.best_model_path end
  return last and best_of_file(self, last)
end

function ModelCheckpoint:state_dict()
  local models = {}
  for i, model in ipairs(self.best_k_models) do models[i] = { path = model.path, score = model.score } end
  return { best_model_path = self.best_model_path, best_model_score = self.best_model_score, best_k_models = models,
    last_model_path = self.last_model_path, last_global_step_saved = self.last_global_step_saved }
end

function ModelCheckpoint:load_state_dict(dict)
  self.best_model_path, self.best_model_score = dict.best_model_path, dict.best_model_score
  self.last_model_path, self.last_global_step_saved = dict.last_model_path, dict.last_global_step_saved
  self.best_k_models = {}
  for i, model in ipairs(dict.best_k_models) do self.best_k_models[i] = { path = model.path, score = model.score } end
end

return ModelCheckpoint
