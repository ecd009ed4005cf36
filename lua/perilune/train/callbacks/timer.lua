-- timer.lua -- perilune.callbacks.Timer: how long the stages take, and an end to a run that takes too long.
local core = require "perilune.core"
local options = require "perilune.options"
local shown = require "perilune.shown"

---@class perilune.callbacks.Timer
local Timer = require "perilune.train.callbacks.callback":extend("Timer")

local read = options.reader("Timer", { { "duration", nil, "any" }, { "interval", "step" },
  { "clock", nil, "function" } })

Timer.__tostring = shown.by(read)

-- "DD:HH:MM:SS", "HH:MM:SS", seconds
local function seconds_of(duration)
  if duration == nil then return nil end
  if type(duration) == "number" then return options.number("Timer", "duration", duration, 0) end
  local total, n = 0, 0
  local units = { 1, 60, 3600, 86400 }
  local parts = {}
  for part in tostring(duration):gmatch("[^:]+") do table.insert(parts, 1, tonumber(part)) end
  for i, part in ipairs(parts) do total, n = total + part * (units[i] or 0), i end
  if type(duration) ~= "string" or n < 3 or n > 4 then
    core.raise("Timer: duration must be seconds or a text such as \"00:12:00:00\" (days, hours, minutes, seconds)")
  end
  return total
end

--- Times the stages, and ends training after a duration; timer:time_elapsed("train"), timer:time_remaining().
---
--- Options: duration (seconds, or "DD:HH:MM:SS"; default none), interval = "step" or "epoch": when the end is checked;
--- clock: a function that returns seconds.  The time is part of a checkpoint: a run that goes on counts on.
---@param given? table
function Timer:init(given)
  local chosen = read(given)
  options.choice("Timer", "interval", chosen.interval, { "step", "epoch" })
  self.options = chosen
  self.duration, self.interval = seconds_of(chosen.duration), chosen.interval
  self.clock = chosen.clock or core.terminal.now
  self.elapsed, self.begun = { train = 0.0, validate = 0.0, test = 0.0 }, {}
end

--- Seconds that a stage has taken so far.
---@param stage? "train"|"validate"|"test"  default "train"
---@return number
function Timer:time_elapsed(stage)
  stage = stage or "train"
  return self.elapsed[stage] + (self.begun[stage] and self.clock() - self.begun[stage] or 0.0)
end

--- Seconds that are left to training; nil without a duration.
---@return number|nil
function Timer:time_remaining()
  return self.duration and math.max(0.0, self.duration - self:time_elapsed("train"))
end

local function start(self, stage) self.begun[stage] = self.clock() end

local function stop(self, stage)
  self.elapsed[stage], self.begun[stage] = self:time_elapsed(stage), nil
end

local function check(self, trainer)
  if self.duration and self:time_elapsed("train") >= self.duration then trainer.should_stop = true end
end

function Timer:on_train_start(trainer) start(self, "train") check(self, trainer) end
function Timer:on_train_end() stop(self, "train") end
function Timer:on_validation_start() start(self, "validate") end
function Timer:on_validation_end() stop(self, "validate") end
function Timer:on_test_start() start(self, "test") end
function Timer:on_test_end() stop(self, "test") end

function Timer:on_train_batch_end(trainer)
  if self.interval == "step" then check(self, trainer) end
end

function Timer:on_train_epoch_end(trainer)
  if self.interval == "epoch" then check(self, trainer) end
end

function Timer:state_dict()
  return { train = self:time_elapsed("train"), validate = self:time_elapsed("validate"),
    test = self:time_elapsed("test") }
end

function Timer:load_state_dict(dict)
  for stage in pairs(self.elapsed) do self.elapsed[stage] = dict[stage] end
end

return Timer
