--- Operations written in Lua, with a backward of their own.

local core = require "perilune.core"

local M = {}

M.grad = require "perilune.gradients"

local Context = {}
Context.__index = Context

--- Keeps tensors for the backward: `ctx:save_for_backward(x, y)`; there they are `ctx.saved[1]`, `ctx.saved[2]`.
-- Changing one of them in place before the backward is an error there, not a wrong gradient.
function Context:save_for_backward(...)
  self.saved, self.versions = { ... }, {}
  for i, tensor in pairs(self.saved) do self.versions[i] = core.is_tensor(tensor) and core.written(tensor) or nil end
end

local function check_saved(ctx, name)
  for i, version in pairs(ctx.versions or {}) do
    if core.written(ctx.saved[i]) ~= version then
      core.raise(("backward: a tensor that %s needs was changed in place after it was recorded"):format(name))
    end
  end
end

local function tensors_among(arguments, n)
  local tensors, positions = {}, {}
  for i = 1, n do
    if core.is_tensor(arguments[i]) then
      tensors[#tensors + 1] = arguments[i]
      positions[#positions + 1] = i
    end
  end
  return tensors, positions
end

-- The node wants gradients of the tensors only; the user's backward returns one for each argument of the forward.
local function gradients_of_tensors(positions, ...)
  local all, picked = { ... }, {}
  for k, i in ipairs(positions) do picked[k] = all[i] end
  return table.unpack(picked, 1, #positions)
end

--- Makes a differentiable function.
--
--     local square = perilune.autograd.define {
--       name = "square",
--       forward = function(ctx, x) ctx:save_for_backward(x) return x * x end,
--       backward = function(ctx, dy) return dy * ctx.saved[1] * 2 end,
--     }
--
-- `forward(ctx, ...)` runs without recording and returns one to three new tensors.  `backward(ctx, dy1, ...)` gets a
-- gradient for each of them and returns one for each argument of the forward, nil for those that are no tensors.
---@param definition { name: string, forward: function, backward: function }
---@return fun(...): ...
function M.define(definition)
  if type(definition) ~= "table" then
    core.raise("autograd.define: a table is needed: { name = ..., forward = ..., backward = ... }")
  end
  for key in pairs(definition) do
    if key ~= "name" and key ~= "forward" and key ~= "backward" then
      core.raise(("autograd.define: unknown option '%s'; known: name, forward, backward"):format(key))
    end
  end
  local name, forward, backward = definition.name, definition.forward, definition.backward
  if type(name) ~= "string" or type(forward) ~= "function" or type(backward) ~= "function" then
    core.raise("autograd.define: needs a name and two functions, forward and backward")
  end

  return function(...)
    local ctx = setmetatable({ saved = {} }, Context)
    local arguments = table.pack(...)
    local outputs = table.pack(core.no_grad(forward, ctx, ...))
    local inputs, positions = tensors_among(arguments, arguments.n)
    local needed = false
    for _, input in ipairs(inputs) do needed = needed or input.requires_grad end
    if not needed or not core.is_grad_enabled() then return table.unpack(outputs, 1, outputs.n) end
    for i = 1, outputs.n do
      if not core.is_tensor(outputs[i]) then core.raise(name .. ": its forward must return tensors") end
      -- An output that is an input again must not take over that tensor's history.
      outputs[i] = outputs[i]:detach()
    end
    core.record(name, function(...)
      check_saved(ctx, name)
      return gradients_of_tensors(positions, backward(ctx, ...))
    end, inputs, outputs)
    return table.unpack(outputs, 1, outputs.n)
  end
end

return setmetatable(M, { __tostring = require("perilune.shown").place("perilune.autograd", M) })
