-- settings.lua -- the options of a Trainer: what is known, the defaults (Lightning's), and what follows from them.
local core = require "perilune.core"
local options = require "perilune.options"

local settings = {}

settings.reader = options.reader("Trainer", { { "max_epochs", nil, "integer" }, { "max_steps", -1, "integer" },
  { "min_epochs", nil, "integer" }, { "min_steps", nil, "integer" }, { "callbacks", nil, "table" },
  { "logger", nil, "any" }, { "gradient_clip_val", nil, "number" }, { "gradient_clip_algorithm", "norm" },
  { "accumulate_grad_batches", 1, "integer" }, { "val_check_interval", 1.0, "number" },
  { "check_val_every_n_epoch", 1, "integer" }, { "limit_train_batches", 1.0, "number" },
  { "limit_val_batches", 1.0, "number" }, { "limit_test_batches", 1.0, "number" },
  { "limit_predict_batches", 1.0, "number" }, { "log_every_n_steps", 50, "integer" },
  { "num_sanity_val_steps", 2, "integer" }, { "deterministic", true }, { "enable_progress_bar", true },
  { "enable_checkpointing", true }, { "detect_anomaly", false }, { "terminate_on_nan", true },
  { "default_root_dir", nil, "string" }, { "fast_dev_run", false, "any" } })

local function check_share(chosen, name)
  local value = chosen[name]
  if math.type(value) == "integer" then
    options.integer("Trainer", name, value, 0)
  else
    options.number("Trainer", name, value, 0, 1)
  end
end

local function check(chosen)
  options.choice("Trainer", "gradient_clip_algorithm", chosen.gradient_clip_algorithm, { "norm", "value" })
  for _, name in ipairs { "accumulate_grad_batches", "check_val_every_n_epoch", "log_every_n_steps" } do
    options.integer("Trainer", name, chosen[name])
  end
  options.integer("Trainer", "max_steps", chosen.max_steps, -1)
  options.integer("Trainer", "num_sanity_val_steps", chosen.num_sanity_val_steps, -1)
  if chosen.max_epochs then options.integer("Trainer", "max_epochs", chosen.max_epochs, -1) end
  if chosen.gradient_clip_val then options.number("Trainer", "gradient_clip_val", chosen.gradient_clip_val, 0) end
  for _, name in ipairs { "val_check_interval", "limit_train_batches", "limit_val_batches", "limit_test_batches",
    "limit_predict_batches" } do
    check_share(chosen, name)
  end
  if chosen.val_check_interval == 0 then core.raise("Trainer: val_check_interval must be more than 0") end
end

-- A short run through everything, that leaves nothing behind.
local function apply_fast_dev_run(chosen)
  local n = chosen.fast_dev_run
  if not n then return end
  n = n == true and 1 or options.integer("Trainer", "fast_dev_run", n)
  chosen.max_epochs, chosen.max_steps, chosen.num_sanity_val_steps = 1, n, 0
  chosen.limit_train_batches, chosen.limit_val_batches, chosen.val_check_interval = n, n, 1.0
  chosen.limit_test_batches, chosen.limit_predict_batches = n, n
  chosen.logger, chosen.enable_checkpointing = false, false
end

--- The options in full; raises for what is unknown or out of range.
---@param given table|nil
---@return table
function settings.read(given)
  local chosen = settings.reader(given)
  check(chosen)
  if not chosen.max_epochs then chosen.max_epochs = chosen.max_steps >= 0 and -1 or 1000 end
  apply_fast_dev_run(chosen)
  return chosen
end

--- The list of loggers that the options ask for.
---@param chosen table
---@return table[]
function settings.loggers(chosen)
  local given = chosen.logger
  if not given then return {} end
  if given == true then
    local CSVLogger = require "perilune.train.loggers.csv"
    return { CSVLogger(chosen.default_root_dir or "perilune_logs") }
  end
  if type(given) ~= "table" then core.raise("Trainer: logger must be a logger, a list of them, true or false") end
  local list = given.log_metrics and { given } or given
  for i, logger in ipairs(list) do
    if type(logger) ~= "table" or type(logger.log_metrics) ~= "function" then
      core.raise(string.format("Trainer: logger %d has no log_metrics(values, step)", i))
    end
  end
  return list
end

--- Whether a callback is a ModelCheckpoint.
---@param callback table
---@return boolean
function settings.is_checkpoint(callback) return callback.class_name == "ModelCheckpoint" end

local function without_checkpoints(list)
  local kept = {}
  for _, callback in ipairs(list) do
    if not settings.is_checkpoint(callback) then kept[#kept + 1] = callback end
  end
  return kept
end

--- The list of callbacks that the options ask for, progress bar and ModelCheckpoint included.
-- ModelCheckpoints come last, so that a file holds what the others learned from the same event.
---@param chosen table
---@return table[]
function settings.callbacks(chosen)
  local list, has_bar, checkpoints = {}, false, {}
  local given = chosen.callbacks or {}
  if given.class_name or next(given) ~= nil and given[1] == nil then given = { given } end    -- a single one
  for _, callback in ipairs(given) do
    local target = settings.is_checkpoint(callback) and checkpoints or list
    target[#target + 1] = callback
    has_bar = has_bar or callback.class_name == "ProgressBar"
  end
  if chosen.enable_progress_bar and not has_bar then
    list[#list + 1] = require "perilune.train.callbacks.progress_bar" ()
  end
  if #checkpoints == 0 and chosen.default_root_dir then
    checkpoints[1] = require "perilune.train.callbacks.model_checkpoint" { save_last = true }
  end
  table.move(checkpoints, 1, #checkpoints, #list + 1, list)
  return chosen.enable_checkpointing and list or without_checkpoints(list)
end

return settings
