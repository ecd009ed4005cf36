-- module.lua -- what all layers and networks have in common.
--
--   local Net = nn.Module:extend("Net")
--   function Net:init(width)  self.encoder = nn.Linear(784, width)  end
--   function Net:forward(x)   return self.encoder(x):relu()  end
--   local net = Net(64);  local y = net(x)
--
-- Fields are plain Lua fields.  __newindex, which sees the first assignment of each, keeps their names in order
-- (_fields, with _known as its set: "parameter" for those that were seen to be one); what counts as a parameter, a
-- buffer or a sub-module is asked when somebody walks the module.  So state_dict() has PyTorch's keys in PyTorch's
-- order: own parameters, own buffers, then the children, each in the order of assignment; children under integers 1,
-- 2, ... have the names "0", "1", ...
--
-- Every instance has these raw fields: _fields, _known, _buffers (name -> persistent), _hooks (false or a table) and
-- training.
local core = require "perilune.core"
local loaded = require "perilune.loaded"
local options = require "perilune.options"
local parameter = require "perilune.nn.parameter"
local serialize = require "perilune.serialize"
local sorted_keys = require "perilune.sorted_keys"

---@class perilune.nn.Module
---@field training boolean
local Module = { class_name = "Module" }
Module.__index = Module

local METAMETHODS = { "__call", "__newindex", "__tostring" }

-- Raised whenever a hook comes or goes or a forward is replaced: Sequential throws its plan away then.
local changes = { count = 0 }
Module.changes = changes

local function construct(class, ...)
  local self = setmetatable({ _fields = {}, _known = {}, _buffers = {}, _hooks = false, training = true }, class)
  self:init(...)
  return self
end

--- A new class of modules that inherits from this one.
---@param name string  shown by tostring and in messages
---@return perilune.nn.Module
function Module:extend(name)
  options.string("Module:extend", "the name of the class", name)
  local class = { class_name = name, parent = self }
  class.__index = class
  for _, metamethod in ipairs(METAMETHODS) do class[metamethod] = self[metamethod] end
  return setmetatable(class, {
    __index = self, __call = construct, __name = "perilune.nn.class",
    __tostring = function() return "nn." .. name end,
  })
end

setmetatable(Module, { __call = construct, __tostring = function() return "nn.Module" end })

--- Called with the arguments of the constructor.  Override it; there is no need to call the base class's.
function Module.init() end

--- Computes the output.  Override it; call the module itself, model(x), so that hooks run.
function Module:forward()
  core.raise(self.class_name .. ": forward is not defined")
end

function Module:__newindex(name, value)
  local known = self._known
  if not known[name] then
    known[name] = parameter.is(value) and "parameter" or true
    self._fields[#self._fields + 1] = name
    if name == "forward" then self._hooks, changes.count = self._hooks or {}, changes.count + 1 end
  end
  rawset(self, name, value)
end

local function run_hooks(self, ...)
  local hooks = self._hooks
  local arguments = table.pack(...)
  for _, hook in ipairs(hooks.before or {}) do
    local replacement = hook.call(self, table.unpack(arguments, 1, arguments.n))
    if replacement ~= nil then arguments = { n = 1, replacement } end
  end
  local results = table.pack(self:forward(table.unpack(arguments, 1, arguments.n)))
  for _, hook in ipairs(hooks.after or {}) do
    local replacement = hook.call(self, arguments, table.unpack(results, 1, results.n))
    if replacement ~= nil then results = { n = 1, replacement } end
  end
  return table.unpack(results, 1, results.n)
end

function Module:__call(...)
  if self._hooks then return run_hooks(self, ...) end
  return self:forward(...)
end

---@param value any
---@return boolean  whether value is an instance of Module or of a class that extends it
function Module.is_module(value)
  if type(value) ~= "table" then return false end
  local class = getmetatable(value)
  return type(class) == "table" and rawget(value, "_fields") ~= nil and class.state_dict ~= nil
end
local is_module = Module.is_module

-- walking ---------------------------------------------------------------------------------------------------------

local function key_of(name)
  return math.type(name) == "integer" and tostring(name - 1) or name
end

--- Iterates over the direct sub-modules: for name, child in model:named_children() do
---@return fun(): string, perilune.nn.Module
function Module:named_children()
  local fields, i = self._fields, 0
  return function()
    while i < #fields do
      i = i + 1
      local value = rawget(self, fields[i])
      if is_module(value) then return key_of(fields[i]), value end
    end
  end
end

---@return perilune.nn.Module[]
function Module:children()
  local list = {}
  for _, child in self:named_children() do list[#list + 1] = child end
  return list
end

-- visit(prefix, module) for the module and everything below, parents first, each once.
local function walk(self, prefix, visit, seen)
  if seen[self] then return end
  seen[self] = true
  visit(prefix, self)
  for name, child in self:named_children() do
    walk(child, prefix == "" and name or prefix .. "." .. name, visit, seen)
  end
end

local function iterate_pairs(list)
  local i = 0
  return function()
    i = i + 1
    local entry = list[i]
    if entry then return entry[1], entry[2] end
  end
end

--- Iterates over the module itself (name "") and all modules below it, each once: for name, module in ...
---@return fun(): string, perilune.nn.Module
function Module:named_modules()
  local list = {}
  walk(self, "", function(name, module) list[#list + 1] = { name, module } end, {})
  return iterate_pairs(list)
end

---@return perilune.nn.Module[]
function Module:modules()
  local list = {}
  walk(self, "", function(_, module) list[#list + 1] = module end, {})
  return list
end

local function join(prefix, name)
  return prefix == "" and key_of(name) or prefix .. "." .. key_of(name)
end

-- The module's own parameters or buffers, in the order of assignment.  What took a parameter's place and is none would
-- silently be left out of training: it is refused here, for assignments to a field that exists go unseen.
local function own_parameters(self, visit)
  local known = self._known
  for _, name in ipairs(self._fields) do
    local value = rawget(self, name)
    if parameter.is(value) then
      known[name] = "parameter"
      visit(name, value)
    elseif value ~= nil and known[name] == "parameter" and self._buffers[name] == nil and not is_module(value) then
      core.raise(string.format("%s: %s was a parameter and is %s now; assign nn.Parameter(t), or use copy_ under " ..
        "no_grad", self.class_name, name, core.is_tensor(value) and "a plain tensor" or options.described(value)))
    end
  end
end

local function own_buffers(self, visit)
  for _, name in ipairs(self._fields) do
    local persistent = self._buffers[name]
    local value = rawget(self, name)
    if persistent ~= nil and value ~= nil then visit(name, value, persistent) end
  end
end

local function collect(self, own)
  local list, seen = {}, {}
  walk(self, "", function(prefix, module)
    own(module, function(name, tensor)
      if seen[tensor] then return end
      seen[tensor] = true
      list[#list + 1] = { join(prefix, name), tensor }
    end)
  end, {})
  return list
end

local function seconds(list)
  local result = {}
  for i, entry in ipairs(list) do result[i] = entry[2] end
  return result
end

--- All parameters, of this module and of those below it, each once, in PyTorch's order.
---@return perilune.Tensor[]
function Module:parameters() return seconds(collect(self, own_parameters)) end

--- Iterates: for name, tensor in model:named_parameters() do
---@return fun(): string, perilune.Tensor
function Module:named_parameters() return iterate_pairs(collect(self, own_parameters)) end

---@return perilune.Tensor[]
function Module:buffers() return seconds(collect(self, own_buffers)) end

---@return fun(): string, perilune.Tensor
function Module:named_buffers() return iterate_pairs(collect(self, own_buffers)) end

--- Keeps a tensor that is part of the state but is not trained, such as a running mean.
---@param name string
---@param tensor perilune.Tensor|nil
---@param given? { persistent: boolean }  default true: state_dict contains it
function Module:register_buffer(name, tensor, given)
  options.string("register_buffer", "the name", name)
  if tensor ~= nil and not core.is_tensor(tensor) then
    core.raise(string.format("register_buffer: %s must be a tensor, got %s", name, options.described(tensor)))
  end
  self._buffers[name] = not given or given.persistent ~= false
  self[name] = tensor
end

--- The same as self[name] = nn.Parameter(tensor), for names that are computed.
---@param name string
---@param tensor perilune.Tensor|nil
function Module:register_parameter(name, tensor)
  options.string("register_parameter", "the name", name)
  if tensor ~= nil and not parameter.is(tensor) then tensor = parameter.new(tensor) end
  self[name] = tensor
end

--- Calls visit(module) for every module below, then for this one.
---@param visit fun(module: perilune.nn.Module)
---@return perilune.nn.Module self
function Module:apply(visit)
  for _, child in self:named_children() do child:apply(visit) end
  visit(self)
  return self
end

-- state -----------------------------------------------------------------------------------------------------------

-- A table name -> tensor that pairs() walks in the order in which the names came.
local function new_ordered_dict()
  local keys = {}
  local function advance(dict, key)
    local i = key == nil and 0 or keys[key]
    while i < #keys do
      i = i + 1
      local value = rawget(dict, keys[i])
      if value ~= nil then return keys[i], value end
    end
  end
  return setmetatable({}, {
    __name = "perilune.state_dict",
    __newindex = function(dict, key, value)
      if not keys[key] and value ~= nil then
        keys[#keys + 1] = key
        keys[key] = #keys
      end
      rawset(dict, key, value)
    end,
    __pairs = function(dict) return advance, dict, nil end,
  })
end

local function fill_state(self, prefix, dict)
  own_parameters(self, function(name, tensor) dict[join(prefix, name)] = tensor end)
  own_buffers(self, function(name, tensor, persistent)
    if persistent then dict[join(prefix, name)] = tensor end
  end)
  for name, child in self:named_children() do fill_state(child, join(prefix, name), dict) end
end

local function live_state(self)
  local dict = new_ordered_dict()
  fill_state(self, "", dict)
  return dict
end

--- Parameters and persistent buffers by name, with PyTorch's keys: "0.weight", "encoder.0.bias".  The tensors share
--- memory with the module's and have no gradient; pairs() walks them in PyTorch's order.
---@return table<string, perilune.Tensor>
function Module:state_dict()
  local dict = new_ordered_dict()
  for name, tensor in pairs(live_state(self)) do dict[name] = tensor:detach() end
  return dict
end

local function same_shape(a, b)
  local left, right = a.shape, b.shape
  if #left ~= #right then return false end
  for i = 1, #left do
    if left[i] ~= right[i] then return false end
  end
  return true
end

local function compare_state(own, dict)
  local missing, unexpected, wrong = {}, {}, {}
  for name, tensor in pairs(own) do
    local value = dict[name]
    if value == nil then
      missing[#missing + 1] = name
    elseif not core.is_tensor(value) then
      wrong[#wrong + 1] = string.format("%s is a %s, not a tensor", name, type(value))
    elseif not same_shape(tensor, value) then
      wrong[#wrong + 1] = string.format("%s is %s in the table but %s in the module", name, value.shape, tensor.shape)
    end
  end
  for name in pairs(dict) do
    if own[name] == nil then unexpected[#unexpected + 1] = tostring(name) end
  end
  table.sort(unexpected)
  return missing, unexpected, wrong
end

-- Raises where dict does not fit; returns the names that are not in both.
local function check_state(self, own, dict, strict)
  local missing, unexpected, wrong = compare_state(own, dict)
  local lines = {}
  if strict and #missing > 0 then lines[#lines + 1] = "missing: " .. table.concat(missing, ", ") end
  if strict and #unexpected > 0 then lines[#lines + 1] = "unexpected: " .. table.concat(unexpected, ", ") end
  if #wrong > 0 then lines[#lines + 1] = "wrong: " .. table.concat(wrong, "; ") end
  if #lines > 0 then
    core.raise("load_state_dict: the table does not fit " .. self.class_name .. "\n  " .. table.concat(lines, "\n  "))
  end
  return { missing = missing, unexpected = unexpected }
end

-- For a Trainer, which asks before it loads anything; a class with a load_state_dict of its own judges for itself.
function Module:_check_state(dict)
  if self.load_state_dict == Module.load_state_dict then check_state(self, live_state(self), dict, true) end
end

local read_load_options = options.reader("load_state_dict", { { "strict", true } })

--- Copies the values of dict into the parameters and buffers of the same names.  With strict (the default) both sides
--- must have the same names; a shape that differs is always an error.  On an error nothing has been changed.
--- model:load_state_dict(perilune.load(path)) loads what perilune.save(path, model:state_dict()) wrote.
---@param dict table<string, perilune.Tensor>
---@param given? { strict: boolean }
---@return { missing: string[], unexpected: string[] }
function Module:load_state_dict(dict, given)
  loaded.check("load_state_dict", "a table of tensors", dict, given, "model:load_from_checkpoint(path) takes its " ..
    "weights, trainer:fit and trainer:validate take its path as { ckpt_path = path }")
  local strict = read_load_options(loaded.options(given)).strict
  local own = live_state(self)
  local told = check_state(self, own, dict, strict)
  for name, tensor in pairs(own) do
    if dict[name] ~= nil then tensor:detach():copy_(dict[name]) end
  end
  return told
end

--- Loads the weights of a file: of a Trainer's checkpoint, such as checkpoint_callback.best_model_path, or of one that
--- perilune.save(path, model:state_dict()) wrote.  Called on a module, not on its class; a file that cannot be read or
--- does not fit is an error, and then nothing has been changed.
---@param path string
---@param given? { strict: boolean }  as for load_state_dict
---@return perilune.nn.Module self
function Module:load_from_checkpoint(path, given)
  if not is_module(self) then
    core.raise("load_from_checkpoint: make the module first: Net(...):load_from_checkpoint(path)")
  end
  options.string("load_from_checkpoint", "the path", path)
  local scope <close> = core.scope() -- luacheck: ignore
  local tensors, message = serialize.load(path, { flat = true })
  if not tensors then core.raise("load_from_checkpoint: " .. message) end
  local weights = loaded.take(tensors, loaded.WEIGHTS)
  self:load_state_dict(next(weights) == nil and tensors or weights, given)
  return self
end

-- switches --------------------------------------------------------------------------------------------------------

--- Puts this module and all below it into training mode (or out of it, with false).
---@param mode? boolean  default true
---@return perilune.nn.Module self
function Module:train(mode)
  if mode ~= nil and type(mode) ~= "boolean" then
    core.raise(("train: mode must be true or false, got %s"):format(options.described(mode)))
  end
  self.training = mode ~= false
  for _, child in self:named_children() do child:train(mode) end
  return self
end

--- The same as train(false): Dropout passes on, BatchNorm uses its running statistics.
---@return perilune.nn.Module self
function Module:eval() return self:train(false) end

--- Switches the gradients of all parameters on or off.
---@param flag? boolean  default true
---@return perilune.nn.Module self
function Module:requires_grad_(flag)
  for _, tensor in ipairs(self:parameters()) do tensor.requires_grad = flag ~= false end
  return self
end

--- Forgets the gradients of all parameters.
function Module:zero_grad()
  for _, tensor in ipairs(self:parameters()) do tensor.grad = nil end
end

-- The tensor stays the same object, so that an optimizer that holds it goes on with the new values.
local function convert_parameter(tensor, dtype)
  local gradient = tensor.grad
  local values, converted = tensor:detach():to(dtype), gradient and core.keep(gradient:to(dtype))
  tensor.grad = nil
  core.take_over(tensor, values)
  core.release(values)
  tensor.grad = converted
end

local function convert_own(self, dtype)
  own_parameters(self, function(_, tensor)
    if tensor.dtype ~= dtype then convert_parameter(tensor, dtype) end
  end)
  own_buffers(self, function(name, tensor)
    if tensor.dtype == "float32" or tensor.dtype == "float64" then
      rawset(self, name, core.keep(tensor:to(dtype)))
    end
  end)
end

--- Converts parameters, their gradients, and floating buffers.  Parameters stay the same objects, so that an optimizer
--- made before goes on; moments that it has already gathered do not follow: make a new one then.
---@param dtype "float32"|"float64"
---@return perilune.nn.Module self
function Module:to(dtype)
  options.choice("Module:to", "dtype", dtype, { "float32", "float64" })
  for _, module in ipairs(self:modules()) do convert_own(module, dtype) end
  return self
end

-- hooks -----------------------------------------------------------------------------------------------------------

local function add_hook(self, place, call)
  if type(call) ~= "function" then core.raise("a hook must be a function, got " .. options.described(call)) end
  self._hooks = self._hooks or {}
  local list = self._hooks[place] or {}
  local hook = { call = call }
  self._hooks[place] = list
  list[#list + 1] = hook
  changes.count = changes.count + 1
  local handle = {}
  function handle.remove()
    for i, other in ipairs(list) do
      if other == hook then table.remove(list, i) end
    end
    local hooks = self._hooks or {}
    local idle = not (hooks.before and hooks.before[1]) and not (hooks.after and hooks.after[1])
    if idle and not rawget(self, "forward") then self._hooks = false end
    changes.count = changes.count + 1
  end
  return handle
end

--- hook(module, arguments, output) runs after forward; a value that it returns replaces the output.
---@param hook fun(module: perilune.nn.Module, arguments: table, ...): any
---@return { remove: fun() }
function Module:register_forward_hook(hook) return add_hook(self, "after", hook) end

--- hook(module, ...) runs before forward; a value that it returns replaces the argument.
---@param hook fun(module: perilune.nn.Module, ...): any
---@return { remove: fun() }
function Module:register_forward_pre_hook(hook) return add_hook(self, "before", hook) end

-- training --------------------------------------------------------------------------------------------------------

--- Logs a value from a step or hook of a module that a perilune.Trainer runs; elsewhere it does nothing.
---@param name string
---@param value number|perilune.Tensor  a tensor of one element
---@param given? table  on_step: publish it after the batch (default: in training_step); on_epoch: publish the mean
---  of the epoch (default: elsewhere); prog_bar = false: show it; logger = true: hand it to the loggers;
---  reduce_fx = "mean" (weighted by batch_size, by default that of batch[1]), "sum", "min", "max".  The first call of a
---  name decides.
function Module:log(name, value, given)
  local trainer = rawget(self, "trainer")
  if trainer then trainer:_log(name, value, given) end
end

--- Logs every value of a table, in the order of the names.
---@param values table<string, number|perilune.Tensor>
---@param given? table  as for log
function Module:log_dict(values, given)
  for _, name in ipairs(sorted_keys(values)) do self:log(name, values[name], given) end
end

-- text ------------------------------------------------------------------------------------------------------------

--- What stands between the parentheses of tostring(module) for a layer.
---@return string
function Module.extra_repr() return "" end

function Module:__tostring()
  local lines = {}
  for name, child in self:named_children() do
    lines[#lines + 1] = "  (" .. name .. "): " .. tostring(child):gsub("\n", "\n  ")
  end
  if #lines == 0 then return self.class_name .. "(" .. self:extra_repr() .. ")" end
  return self.class_name .. "(\n" .. table.concat(lines, "\n") .. "\n)"
end

--- Runs the module once, without gradients and in evaluation mode, and tells of each layer: output shape, number of
--- parameters, multiply-adds.  The result is a table of rows with totals; print it, or tostring it.
---@param sample integer[]|perilune.Tensor  the input, or its shape (with the batch): { 1, 1, 28, 28 }
---@return perilune.nn.Summary
function Module:summary(sample)
  return require "perilune.nn.summary" (self, sample)
end

return Module
