-- base.lua -- what schedules share.
--
-- A schedule changes the lr of every group of an optimizer each time step() is called, usually once an epoch.  The
-- formulas are PyTorch's recursive ones: each step starts from the lr that is there, so that a change by the user
-- lasts.  Making a schedule is its step 0.
local core = require "perilune.core"
local loaded = require "perilune.loaded"
local options = require "perilune.options"
local shown = require "perilune.shown"

---@class perilune.optim.Scheduler
---@field optimizer perilune.optim.Optimizer
---@field last_epoch integer  the number of steps taken
local Scheduler = {}
Scheduler.__index = Scheduler

--- A new class of schedules.  known: the options, as in options.lua.  The class defines
--- next_lr(group, base_lr, g, t): the lr of epoch t (last_epoch is still the one before) and, if it changes too, the
--- momentum.  It changes nothing itself.
---@param name string
---@param known table
---@return table class
function Scheduler.define(name, known)
  local class = setmetatable({ class_name = name, read_options = options.reader(name, known), known = known }, {
    __index = Scheduler,
    __tostring = function() return "lr_scheduler." .. name end,
    __call = function(class, optimizer, given)
      if type(optimizer) ~= "table" or type(optimizer.param_groups) ~= "table" then
        core.raise(name .. ": an optimizer is needed, got " .. options.described(optimizer))
      end
      local self = setmetatable({ optimizer = optimizer, last_epoch = -1 }, class)
      self:init(class.read_options(given))
      return self
    end,
  })
  class.__index = class
  class.__tostring = shown.by(class.read_options, function(self)
    return "epoch " .. self.last_epoch, "lr = " .. shown.value(self.optimizer.param_groups[1].lr)
  end)
  return class
end

function Scheduler:init(chosen)
  self.options = chosen
  self:check(chosen)
  self.base_lrs = {}
  for g, group in ipairs(self.optimizer.param_groups) do
    group.initial_lr = group.initial_lr or group.lr
    self.base_lrs[g] = group.initial_lr
  end
  self:step()
end

-- Raises for options out of range.
function Scheduler.check() end

-- The classes that know something of each group say per_group = true: a group that comes later stops them.
function Scheduler:check_groups()
  local made, now = #self.base_lrs, #self.optimizer.param_groups
  if made ~= now then
    core.raise(string.format("%s: the schedule was made for %d parameter groups but the optimizer has %d; " ..
      "call add_param_group before you make the schedule", self.class_name, made, now))
  end
end

-- Sets the momentum, or what stands in its place among the betas.
function Scheduler.set_momentum(group, value)
  if group.betas then group.betas = { value, group.betas[2] } else group.momentum = value end
end

--- Goes to the next epoch and sets the lr of each group.  On an error nothing has been changed.
function Scheduler:step()
  if self.per_group then self:check_groups() end
  local t, rates, momenta = self.last_epoch + 1, {}, {}
  for g, group in ipairs(self.optimizer.param_groups) do
    rates[g], momenta[g] = self:next_lr(group, self.base_lrs[g], g, t)
  end
  self.last_epoch = t
  for g, group in ipairs(self.optimizer.param_groups) do
    group.lr = rates[g]
    if momenta[g] then self.set_momentum(group, momenta[g]) end
  end
end

--- The lr of each group.
---@return number[]
function Scheduler:get_last_lr()
  local list = {}
  for g, group in ipairs(self.optimizer.param_groups) do list[g] = group.lr end
  return list
end

-- Fields that make up the state, besides last_epoch and base_lrs.
Scheduler.state_fields = {}

--- Numbers from which the schedule goes on; functions are not part of it.
---@return table
function Scheduler:state_dict()
  local dict = { last_epoch = self.last_epoch, base_lrs = table.move(self.base_lrs, 1, #self.base_lrs, 1, {}) }
  for _, name in ipairs(self.state_fields) do dict[name] = self[name] end
  return dict
end

---@param dict table  from state_dict of a schedule of the same class
---@param message? string  why there is no dict
function Scheduler:load_state_dict(dict, message)
  local what = self.class_name .. ":load_state_dict"
  loaded.check(what, "the state of a schedule", dict, message, "trainer:fit goes on from it with { ckpt_path = path }")
  what = what .. ": "
  if type(dict) ~= "table" or math.type(dict.last_epoch) ~= "integer" or type(dict.base_lrs) ~= "table" then
    core.raise(what .. "this is not the state of a schedule")
  end
  if #dict.base_lrs ~= #self.base_lrs then
    core.raise(string.format("%sthe table has %d parameter groups but the optimizer has %d", what, #dict.base_lrs,
      #self.base_lrs))
  end
  self.last_epoch = dict.last_epoch
  self.base_lrs = table.move(dict.base_lrs, 1, #dict.base_lrs, 1, {})
  for _, name in ipairs(self.state_fields) do self[name] = dict[name] end
end

return Scheduler
