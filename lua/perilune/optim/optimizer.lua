-- optimizer.lua -- what all optimizers share: parameter groups, zero_grad, step, state.
--
-- An optimizer is a file that names its fused step in core.optimizers and its options (see adam.lua).  The options of
-- a group are plain fields, so that a scheduler, or the user, can change them between steps:
-- optimizer.param_groups[1].lr = 1e-4.
local core = require "perilune.core"
local list_length = require "perilune.list_length"
local loaded = require "perilune.loaded"
local options = require "perilune.options"
local shown = require "perilune.shown"
local sorted_keys = require "perilune.sorted_keys"

---@class perilune.optim.Optimizer
---@field param_groups table[]  each { params = { tensors }, lr = ..., ... }
local Optimizer = {}
Optimizer.__index = Optimizer

local function copy_value(value)
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, entry in pairs(value) do copy[key] = entry end
  return copy
end

local function check_parameter(what, tensor, seen)
  if not core.is_tensor(tensor) then
    core.raise(string.format("%s: parameters must be tensors, got %s", what, options.described(tensor)))
  end
  if tensor.dtype ~= "float32" and tensor.dtype ~= "float64" then
    core.raise(string.format("%s: parameters must be float32 or float64, got %s", what, tensor.dtype))
  end
  if not tensor.is_leaf then
    core.raise(what .. ": only leaf tensors can be optimized, and one parameter is the result of an operation")
  end
  if seen[tensor] then core.raise(what .. ": a parameter is in the lists twice") end
  seen[tensor] = true
end

local function add_group(self, group, base)
  local what = self.class_name
  local list = group.params
  if core.is_tensor(list) then list = { list } end
  if type(list) ~= "table" then
    core.raise(what .. ": a group needs its parameters: { params = model:parameters(), lr = 1e-3 }")
  end
  local given = {}
  for name, value in pairs(base) do given[name] = copy_value(value) end
  for name, value in pairs(group) do
    if name ~= "params" then given[name] = copy_value(value) end
  end
  local complete = self.read_options(given)
  complete.params, complete.states = {}, {}
  for i = 1, list_length(what, list) do
    check_parameter(what, list[i], self._seen)
    complete.params[i] = list[i]
  end
  if #complete.params == 0 then core.raise(what .. ": got an empty list of parameters") end
  self.step_function({}, {}, {}, complete)   -- no parameter moves, but the ranges of the options are checked
  self.param_groups[#self.param_groups + 1] = complete
end

--- A new class of optimizers.
---@param name string  as users write it
---@param step string  the name in core.optimizers
---@param known table  the options: { name, default, kind }, as in options.lua
---@param memory string[]  what the state of a parameter that has taken a step always holds
---@param extra string[]  what it may hold besides
---@return perilune.optim.Optimizer
function Optimizer.define(name, step, known, memory, extra)
  local class = setmetatable({ class_name = name, read_options = options.reader(name, known),
    step_function = core.optimizers[step] }, {
    __index = Optimizer,
    __tostring = function() return "optim." .. name end,
    __call = function(class, parameters, given)
      local self = setmetatable({ param_groups = {}, _seen = {} }, class)
      self:init(parameters, given)
      return self
    end,
  })
  class.__index = class
  class.__tostring = Optimizer.__tostring
  class.known, class.memory, class.remembered = known, memory, {}
  for _, list in ipairs { memory, extra } do
    for _, entry in ipairs(list) do class.remembered[entry] = true end
  end
  class.read_saved = options.reader("load_state_dict", known)
  return class
end

function Optimizer:init(parameters, given)
  if type(parameters) ~= "table" then
    core.raise(string.format("%s: a list of parameters is needed, such as model:parameters(), got %s",
      self.class_name, options.described(parameters)))
  end
  if type(parameters.parameters) == "function" then
    core.raise(self.class_name .. ": a list of parameters is needed, got a module: give model:parameters()")
  end
  if list_length(self.class_name, parameters) == 0 then
    core.raise(self.class_name .. ": got an empty list of parameters")
  end
  local base = self.read_options(given)
  self.defaults = base
  if core.is_tensor(parameters[1]) then parameters = { { params = parameters } } end
  for _, group in ipairs(parameters) do
    if type(group) ~= "table" then
      core.raise(self.class_name .. ": give a list of tensors or a list of groups { params = ..., lr = ... }")
    end
    add_group(self, group, base)
  end
end

--- Adds parameters with options of their own; what is not given is as in the constructor.
---@param group table  { params = { tensors }, lr = ..., ... }
function Optimizer:add_param_group(group)
  if type(group) ~= "table" then core.raise(self.class_name .. ": a group is a table { params = ..., lr = ... }") end
  add_group(self, group, self.defaults)
end

--- Forgets the gradients of all parameters.
function Optimizer:zero_grad()
  for _, group in ipairs(self.param_groups) do
    for _, tensor in ipairs(group.params) do tensor.grad = nil end
  end
end

--- One step along the gradients; a parameter without one stays.
---@param closure? fun(): any  computes the loss and its gradients first
---@return any  what closure returned
function Optimizer:step(closure)
  local loss
  if closure then loss = closure() end
  for _, group in ipairs(self.param_groups) do
    self.step_function(group.params, nil, group.states, group)
  end
  return loss
end

-- state -----------------------------------------------------------------------------------------------------------
--
-- PyTorch's form: state[k] belongs to parameter k, counted through the groups (here from 1); param_groups[g] has the
-- options, and the numbers of its parameters under params.

local function copy_state(states, keep)
  local copy = {}
  for name, value in pairs(states) do
    copy[name] = core.is_tensor(value) and (keep and core.keep(value:clone()) or value:clone()) or value
  end
  return copy
end

--- Everything that the next step depends on besides the parameters: copies of the moments, the options of the groups.
--- perilune.state.flatten makes of it what a safetensors file can hold.
---@return { state: table<integer, table>, param_groups: table[] }
function Optimizer:state_dict()
  local state, groups, n = {}, {}, 0
  for g, group in ipairs(self.param_groups) do
    local saved = { params = {} }
    for name, value in pairs(group) do
      if name ~= "params" and name ~= "states" then saved[name] = copy_value(value) end
    end
    for i in ipairs(group.params) do
      n = n + 1
      saved.params[i] = n
      if group.states[i] then state[n] = copy_state(group.states[i]) end
    end
    groups[g] = saved
  end
  return { state = state, param_groups = groups }
end

local WHAT = "load_state_dict: "

local function check_remembered(self, name, value, number, tensor)
  if not self.remembered[name] then
    core.raise(string.format("%sthe state of parameter %d has %s, which %s does not know", WHAT, number, name,
      self.class_name))
  end
  if name == "step" then
    options.integer("load_state_dict", "step of parameter " .. number, value, 0)
  elseif not core.is_tensor(value) then
    core.raise(string.format("%s%s of parameter %d must be a tensor, got %s", WHAT, name, number,
      options.described(value)))
  elseif tostring(value.shape) ~= tostring(tensor.shape) or value.dtype ~= tensor.dtype then
    core.raise(string.format("%s%s of parameter %d is %s %s but the parameter is %s %s", WHAT, name, number,
      value.dtype, value.shape, tensor.dtype, tensor.shape))
  end
end

-- A parameter that never had a gradient has no state.
local function check_parameter_state(self, state, number, tensor)
  if state == nil then return end
  if type(state) ~= "table" then
    core.raise(string.format("%sthe state of parameter %d is a %s, not a table", WHAT, number, type(state)))
  end
  for name, value in pairs(state) do check_remembered(self, name, value, number, tensor) end
  for _, name in ipairs(self.memory) do
    if state[name] == nil then
      core.raise(string.format("%sthe state of parameter %d has no %s", WHAT, number, name))
    end
  end
end

-- The options of a saved group, complete and in range.
local function read_group(self, saved, g)
  local given = {}
  for name, value in pairs(saved) do
    if name ~= "params" and name ~= "initial_lr" then given[name] = copy_value(value) end
  end
  for _, entry in ipairs(self.known) do
    if entry[2] ~= nil and given[entry[1]] == nil then
      core.raise(string.format("%sgroup %d has no %s, which %s needs; it has %s: is it of another optimizer?", WHAT, g,
        entry[1], self.class_name, table.concat(sorted_keys(given), ", ")))
    end
  end
  local read = self.read_saved(given)
  local fine, message = pcall(self.step_function, {}, {}, {}, read)   -- checks the ranges of the options
  if not fine then core.raise(WHAT .. tostring(message):gsub("^[^\n]-:%d+: ", "")) end
  if saved.initial_lr ~= nil then options.number("load_state_dict", "initial_lr", saved.initial_lr, 0) end
  read.initial_lr = saved.initial_lr
  return read
end

-- Checks all of dict and returns the options of its groups.
local function read_state(self, dict)
  if type(dict) ~= "table" or type(dict.param_groups) ~= "table" or type(dict.state) ~= "table" then
    core.raise(WHAT .. "the table needs state and param_groups, as state_dict makes them")
  end
  if #dict.param_groups ~= #self.param_groups then
    core.raise(string.format("%sthe table has %d parameter groups but the optimizer has %d", WHAT,
      #dict.param_groups, #self.param_groups))
  end
  local read = {}
  for g, group in ipairs(self.param_groups) do
    local saved = dict.param_groups[g]
    local numbers = type(saved) == "table" and type(saved.params) == "table" and saved.params or {}
    if #numbers ~= #group.params then
      core.raise(string.format("%sgroup %d has %d parameters in the table but %d in the optimizer", WHAT, g,
        #numbers, #group.params))
    end
    for i, number in ipairs(numbers) do
      options.integer("load_state_dict", "the number of a parameter", number)
      check_parameter_state(self, dict.state[number], number, group.params[i])
    end
    read[g] = read_group(self, saved, g)
  end
  return read
end

--- Takes over a state that state_dict made, for the same parameters in the same order.
--- On an error nothing has been changed.  From a file: load_state_dict(perilune.state.unflatten(perilune.load(path))).
---@param dict { state: table<integer, table>, param_groups: table[] }
---@param message? string  why there is no dict
function Optimizer:load_state_dict(dict, message)
  loaded.check("load_state_dict", "a table with state and param_groups", dict, message,
    "trainer:fit goes on from it with { ckpt_path = path }")
  local read = read_state(self, dict)
  for g, group in ipairs(self.param_groups) do
    for name, value in pairs(read[g]) do group[name] = value end
    for i, number in ipairs(dict.param_groups[g].params) do
      local state = dict.state[number]
      group.states[i] = state and copy_state(state, true) or nil
    end
  end
end

local function group_text(self, group)
  local n, told = #group.params, shown.options(self.known, group, true)
  return n .. (n == 1 and " parameter, " or " parameters, ") .. table.concat(told, ", ")
end

--- Adam(4 parameters, lr = 0.001, ...); with several groups a line for each.
function Optimizer:__tostring()
  local groups = self.param_groups
  if #groups == 1 then return self.class_name .. "(" .. group_text(self, groups[1]) .. ")" end
  local lines = {}
  for g, group in ipairs(groups) do lines[g] = ("  group %d: %s"):format(g, group_text(self, group)) end
  return self.class_name .. "(\n" .. table.concat(lines, "\n") .. "\n)"
end

return Optimizer
