-- schedule.lua -- what configure_optimizers returned, and when its schedules step.
--
-- configure_optimizers() returns one of
--   optimizer
--   optimizer, scheduler
--   { optimizer = optimizer, lr_scheduler = scheduler }
--   { optimizer = optimizer, lr_scheduler = { scheduler =, interval = "epoch" or "step", frequency = 1, monitor =,
--     strict = true } }
-- A schedule steps after every epoch unless interval says otherwise.  ReduceLROnPlateau needs monitor, the name of a
-- logged metric; that it was not logged by then is an error, unless strict is false.
local core = require "perilune.core"
local Metrics = require "perilune.train.metrics"
local options = require "perilune.options"

local schedule = {}

local read = options.reader("configure_optimizers: lr_scheduler", { { "scheduler", nil, "table" },
  { "interval", "epoch" }, { "frequency", 1, "integer" }, { "monitor", nil, "string" }, { "strict", true } })

local WHAT = "configure_optimizers: "

local function is_optimizer(value) return type(value) == "table" and type(value.param_groups) == "table" end
local function is_scheduler(value)
  return type(value) == "table" and type(value.step) == "function" and rawget(value, "scheduler") == nil
end
local function is_plateau(scheduler) return scheduler.class_name == "ReduceLROnPlateau" end

local function read_scheduler(given)
  if given == nil then return nil end
  if is_scheduler(given) then given = { scheduler = given } end
  if type(given) ~= "table" then
    core.raise(WHAT .. "lr_scheduler must be a schedule or a table, got " .. type(given))
  end
  local chosen = read(given)
  if not is_scheduler(chosen.scheduler) then core.raise(WHAT .. "lr_scheduler needs its scheduler") end
  options.choice("configure_optimizers", "interval", chosen.interval, { "epoch", "step" })
  options.integer("configure_optimizers", "frequency", chosen.frequency)
  if is_plateau(chosen.scheduler) and not chosen.monitor then
    core.raise(WHAT .. "ReduceLROnPlateau needs monitor: { scheduler = s, monitor = \"val_loss\" }")
  end
  return chosen
end

--- Asks the module for its optimizer and schedule.
---@param module perilune.nn.Module
---@return perilune.optim.Optimizer optimizer
---@return table|nil config  scheduler, interval, frequency, monitor
function schedule.configure(module)
  if type(module.configure_optimizers) ~= "function" then
    core.raise("Trainer: fit: the module has no configure_optimizers")
  end
  local optimizer, scheduler = module:configure_optimizers()
  if type(optimizer) == "table" and not is_optimizer(optimizer) then
    optimizer, scheduler = optimizer.optimizer, optimizer.lr_scheduler
  end
  if not is_optimizer(optimizer) then
    core.raise(WHAT .. "it must return an optimizer, or { optimizer = o, lr_scheduler = s }")
  end
  return optimizer, read_scheduler(scheduler)
end

--- Steps the schedule if this is its moment.
---@param config table|nil
---@param interval "epoch"|"step"
---@param count integer  epochs, or optimizer steps, that are done
---@param metrics table<string, number>
function schedule.step(config, interval, count, metrics)
  if not config or config.interval ~= interval or count % config.frequency ~= 0 then return end
  if not config.monitor then return config.scheduler:step() end
  local value = metrics[config.monitor]
  if value ~= nil then
    if is_plateau(config.scheduler) then config.scheduler:step(value) else config.scheduler:step() end
  elseif config.strict then
    core.raise(string.format("the schedule watches '%s', which was not logged; logged: %s", config.monitor,
      Metrics.names(metrics)))
  end
end

return schedule
