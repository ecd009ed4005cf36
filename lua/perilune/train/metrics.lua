-- metrics.lua -- what self:log(name, value) collects during one stage (training, validation, test).
--
-- A value is read when it is logged.  On a CPU that is a load from memory: there is no queue to wait for, and a sum of
-- Lua floats makes no garbage.  Means are weighted by the number of samples of the batch.
--
-- With on_step a value is published after its batch, with on_epoch its reduction at the end of the epoch; with both,
-- as NAME_step and NAME_epoch, and to callbacks, but not to loggers and the progress bar, the reduction as NAME too.
local core = require "perilune.core"
local options = require "perilune.options"
local sorted_keys = require "perilune.sorted_keys"

---@class perilune.train.Metrics
local Metrics = {}
Metrics.__index = Metrics

local read = options.reader("log", { { "prog_bar", false }, { "logger", true }, { "on_step", nil, "boolean" },
  { "on_epoch", nil, "boolean" }, { "reduce_fx", "mean" }, { "batch_size", nil, "integer" } })

--- by_step: whether values that are logged within a batch are published after it, unless the call says otherwise.
---@param by_step boolean
---@return perilune.train.Metrics
function Metrics.new(by_step)
  return setmetatable({ by_step = by_step, in_batch = false, batch_size = 1, entries = {}, order = {} }, Metrics)
end

local function new_entry(self, name, given)
  if type(name) ~= "string" or name == "" then core.raise("log: the name must be a string, got " .. type(name)) end
  local chosen = read(given)
  options.choice("log", "reduce_fx", chosen.reduce_fx, { "mean", "sum", "min", "max" })
  local by_step = self.by_step and self.in_batch
  local on_step, on_epoch = chosen.on_step, chosen.on_epoch
  if on_step == nil then on_step = by_step end
  if on_epoch == nil then on_epoch = not by_step end
  local both = on_step and on_epoch
  local entry = { name = name, on_step = on_step, on_epoch = on_epoch, prog_bar = chosen.prog_bar,
    logger = chosen.logger, reduce_fx = chosen.reduce_fx, step_name = both and name .. "_step" or name,
    epoch_name = both and name .. "_epoch" or name, total = 0.0, weight = 0, last = 0.0 }
  self.entries[name] = entry
  self.order[#self.order + 1] = entry
  return entry
end

local function number_of(name, value)
  if core.is_tensor(value) and value:numel() == 1 then return value:item() end
  if type(value) == "boolean" then return value and 1 or 0 end
  return core.raise(string.format("log: %s must be a number or a tensor of one element, got %s", name,
    core.is_tensor(value) and "one of " .. value:numel() or options.described(value)))
end

local function accumulate(entry, value, weight)
  local kind = entry.reduce_fx
  if kind == "mean" then
    entry.total, entry.weight = entry.total + value * weight, entry.weight + weight
  elseif entry.weight == 0 then
    entry.total, entry.weight = value + 0.0, 1
  elseif kind == "sum" then
    entry.total = entry.total + value
  elseif kind == "min" then
    entry.total = math.min(entry.total, value)
  else
    entry.total = math.max(entry.total, value)
  end
end

--- Takes a value; the options of the first call of a name hold for the stage.
function Metrics:log(name, value, given)
  local entry = self.entries[name] or new_entry(self, name, given)
  if type(value) ~= "number" then value = number_of(name, value) end
  entry.last, entry.fresh = value, true
  accumulate(entry, value, given and given.batch_size or (self.in_batch and self.batch_size or 1))
end

--- The weighted mean (or what reduce_fx says) of what was logged since the epoch began; nil without a value.
local function reduced(entry)
  if entry.weight == 0 then return nil end
  return entry.reduce_fx == "mean" and entry.total / entry.weight or entry.total
end

--- Hands the values of this batch to publish(name, value, entry).
function Metrics:after_batch(publish)
  for _, entry in ipairs(self.order) do
    if entry.fresh and entry.on_step then publish(entry.step_name, entry.last, entry) end
    entry.fresh = false
  end
end

--- Hands the reductions of the epoch to publish(name, value, entry) and starts anew.
function Metrics:after_epoch(publish)
  for _, entry in ipairs(self.order) do
    local value = entry.on_epoch and reduced(entry)
    if value then
      publish(entry.epoch_name, value, entry)
      if entry.epoch_name ~= entry.name then publish(entry.name, value, entry, true) end
    end
  end
  self:reset()
end

--- Forgets the values, not the names.
function Metrics:reset()
  for _, entry in ipairs(self.order) do entry.total, entry.weight, entry.fresh = 0.0, 0, false end
end

--- The names of values, for messages: "loss, val_loss".
---@param values table<string, number>
---@return string
function Metrics.names(values) return next(values) and table.concat(sorted_keys(values), ", ") or "nothing" end

-- state -----------------------------------------------------------------------------------------------------------

--- The sums so far, for a checkpoint in the middle of an epoch.
---@return table[]
function Metrics:state_dict()
  local list = {}
  for i, entry in ipairs(self.order) do
    local copy = {}
    for key, value in pairs(entry) do copy[key] = value end
    list[i] = copy
  end
  return list
end

---@param list table[]  from state_dict
function Metrics:load_state_dict(list)
  self.entries, self.order = {}, {}
  for i, saved in ipairs(list) do
    local entry = {}
    for key, value in pairs(saved) do entry[key] = value end
    self.order[i], self.entries[entry.name] = entry, entry
  end
end

return Metrics
