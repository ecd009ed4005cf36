-- sequential.lua -- modules one after the other.
--
-- A plan, made at the first call and again whenever a child or a hook has changed, says how to run them fast:
--   * a layer that can apply ReLU itself (class.forward_relu) takes the nn.ReLU that follows it along;
--   * layers that are one operation each (class.operation, and class.operands: the fields that are its further
--     arguments) are run by one call of core.layer_chain; a replaced field counts at once, as in the layer's own
--     forward;
--   * a tensor made inside the sequence is given back as soon as the next layer has used it, not when the collector
--     gets to it.  (The tape holds its own references to what backward needs.)  That is done only between layers of
--     ours that keep neither input nor output (class.transient): a user's module or a hook may have kept either.
--
-- Children lie under the integers 1 .. n; a named child also under its name.
local core = require "perilune.core"
local Module = require "perilune.nn.module"
local list_length = require "perilune.list_length"
local ReLU = require "perilune.nn.activations".ReLU
local options = require "perilune.options"

---@class perilune.nn.Sequential: perilune.nn.Module
local Sequential = Module:extend("Sequential")

local changes = Module.changes
local unpack = table.unpack

local function add_named(self, i, entry)
  local name, child = entry[1], entry[2]
  if type(name) ~= "string" or not Module.is_module(child) then
    core.raise(string.format("Sequential: child %d must be a module or { name, module }", i))
  end
  if name == "" or name:find(".", 1, true) or self[name] ~= nil then
    core.raise(string.format("Sequential: the name '%s' of child %d is taken, empty, or has a dot", name, i))
  end
  self[name] = child
  rawset(self, i, child)
  self._names[name] = i
  self._synchronised[i] = child
end

--- Runs its children in order: nn.Sequential { nn.Linear(784, 64), nn.ReLU() }, or with names, which state_dict uses:
--- nn.Sequential { { "encoder", encoder }, { "decoder", decoder } }.  model[1] is the first child, #model their number,
--- model.encoder a named one.
---@param children? (perilune.nn.Module|{ [1]: string, [2]: perilune.nn.Module })[]
function Sequential:init(children)
  if children ~= nil and (type(children) ~= "table" or Module.is_module(children)) then
    core.raise("Sequential: give the children in one table: nn.Sequential { nn.Linear(3, 4), nn.ReLU() }")
  end
  rawset(self, "_names", {})
  rawset(self, "_synchronised", {})
  rawset(self, "_plan", false)
  children = children or {}
  for i = 1, list_length("Sequential", children) do
    local entry = children[i]
    if Module.is_module(entry) then
      self[i] = entry
    elseif type(entry) == "table" then
      add_named(self, i, entry)
    else
      core.raise(string.format("Sequential: child %d must be a module, got %s", i, options.described(entry)))
    end
  end
end

--- Adds a child at the end.
---@param child perilune.nn.Module
---@return perilune.nn.Sequential self
function Sequential:append(child)
  if not Module.is_module(child) then
    core.raise("Sequential:append: a module is needed, got " .. options.described(child))
  end
  self[#self + 1] = child
  return self
end

-- A named child can be replaced under its name or under its number: makes both the same again.
local function synchronise(self)
  for name, i in pairs(self._names) do
    local by_name, by_number = self[name], self[i]
    if by_name ~= by_number then
      if by_number == self._synchronised[i] then self[i] = by_name else self[name] = by_number end
      self._synchronised[i] = self[i]
    end
  end
end

function Sequential:named_children()
  synchronise(self)
  return Module.named_children(self)
end

local function call_module(layer, x) return layer(x) end

-- A layer of ours, without hooks.
local function is_plain(layer)
  return rawget(getmetatable(layer), "transient") and not layer._hooks
end

local function plan_step(layer, following)
  local class = getmetatable(layer)
  if class == Sequential and not layer._hooks then
    return { layer = layer, call = Sequential.forward, nested = true }
  end
  if not is_plain(layer) then return { layer = layer, call = call_module } end
  local fuse = following and getmetatable(following) == ReLU and not following._hooks and rawget(class, "forward_relu")
  return { layer = layer, call = fuse or class.forward, transient = true, fused = fuse and true }
end

local function can_be_linked(step)
  return step and step.transient and rawget(getmetatable(step.layer), "operation")
end

-- The steps first .. last as one.
local function link(steps, first, last)
  local links, fields = {}, {}
  for i = first, last do
    local layer = steps[i].layer
    local class = getmetatable(layer)
    links[#links + 1] = class.operation(layer, steps[i].fused)
    links[#links + 1] = #class.operands
    for _, name in ipairs(class.operands) do
      fields[#fields + 1] = layer
      fields[#fields + 1] = name
    end
  end
  return { run = core.layer_chain(fields, unpack(links)), transient = true }
end

local function add_linked(plan, steps)
  local i = 1
  while i <= #steps do
    local last = i
    while can_be_linked(steps[last]) and can_be_linked(steps[last + 1]) do last = last + 1 end
    plan[#plan + 1] = last > i and link(steps, i, last) or steps[i]
    i = last + 1
  end
end

local function make_plan(self)
  synchronise(self)
  local n = #self
  local plan = { children = {}, n_children = n, changes = changes.count,
    has_names = next(self._names) ~= nil }
  for i = 1, n do
    if not Module.is_module(self[i]) then
      core.raise(string.format("Sequential: child %d is a %s, not a module", i, type(self[i])))
    end
    plan.children[i] = self[i]
  end
  local steps, i = {}, 1
  while i <= n do
    local step = plan_step(self[i], self[i + 1])
    steps[#steps + 1] = step
    i = i + (step.fused and 2 or 1)
  end
  add_linked(plan, steps)
  if #plan == 1 then plan.run, plan.transient = plan[1].run, plan[1].run and true end
  rawset(self, "_plan", plan)
  return plan
end

local function is_current(self, plan)
  if not plan or plan.changes ~= changes.count or plan.n_children ~= #self then return false end
  local children = plan.children
  for i = 1, plan.n_children do
    if self[i] ~= children[i] then return false end
  end
  if plan.has_names then
    for name, i in next, self._names do
      if self[name] ~= children[i] then return false end
    end
  end
  return true
end

function Sequential:forward(x)
  local plan = self._plan
  if not is_current(self, plan) then plan = make_plan(self) end
  if plan.run then return plan.run(x) end
  local release = core.release
  local all_transient = true
  local mine = false   -- x was made inside the sequence and nobody else can have kept it
  for i = 1, #plan do
    local step = plan[i]
    local run = step.run
    local y = run and run(x) or step.call(step.layer, x)
    local transient = step.transient
    if step.nested then transient = step.layer._plan.transient end
    if not rawequal(x, y) then
      if mine and transient then release(x) end
      mine = transient
    elseif not transient then
      mine = false
    end
    all_transient = all_transient and transient
    x = y
  end
  plan.transient = all_transient
  return x
end

return Sequential
