-- utils.lua -- perilune.nn.utils: what is done to gradients between backward and step.
local core = require "perilune.core"
local options = require "perilune.options"

local utils = {}

local function gradients_of(what, parameters)
  if core.is_tensor(parameters) then parameters = { parameters } end
  if type(parameters) ~= "table" then
    core.raise(what .. ": a list of parameters is needed, got " .. options.described(parameters))
  end
  local gradients = {}
  for i, tensor in ipairs(parameters) do gradients[i] = tensor.grad or false end
  return gradients
end

--- Scales all gradients so that the norm of all of them together is at most max_norm.
---@param parameters perilune.Tensor[]  those without a gradient are passed over
---@param max_norm number
---@param norm_type? number  default 2; math.huge for the largest magnitude
---@return number  the norm before
function utils.clip_grad_norm_(parameters, max_norm, norm_type)
  return core.optimizers.clip_grad_norm(gradients_of("clip_grad_norm_", parameters), max_norm, norm_type or 2)
end

--- Clamps every element of every gradient to [-clip_value, clip_value].
---@param parameters perilune.Tensor[]  those without a gradient are passed over
---@param clip_value number
function utils.clip_grad_value_(parameters, clip_value)
  core.optimizers.clip_grad_value(gradients_of("clip_grad_value_", parameters), clip_value)
end

return setmetatable(utils, { __tostring = require("perilune.shown").place("perilune.nn.utils", utils) })
