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

local read_clip = options.reader("clip_grad_norm_", { { "norm_type", 2, "number" }, { "error_if_nonfinite", false } })

local function check_finite(gradients, norm_type)
  for i, gradient in ipairs(gradients) do
    local norm = gradient and gradient:norm(norm_type):item() or 0
    if norm ~= norm or norm == math.huge then
      core.raise(("clip_grad_norm_: the norm of gradient %d is %s"):format(i, options.described(norm)))
    end
  end
end

--- Scales all gradients so that the norm of all of them together is at most max_norm.
---@param parameters perilune.Tensor[]  those without a gradient are passed over
---@param max_norm number
---@param given? number|table  { norm_type = 2, error_if_nonfinite = false }, or norm_type alone; math.huge: the largest
---  magnitude.  error_if_nonfinite: a norm that is infinite or NaN is an error, and the gradients stay.
---@return number  the norm before
function utils.clip_grad_norm_(parameters, max_norm, given)
  if type(given) == "number" then given = { norm_type = given } end
  local chosen = read_clip(given)
  local gradients = gradients_of("clip_grad_norm_", parameters)
  if chosen.error_if_nonfinite then check_finite(gradients, chosen.norm_type) end
  return core.optimizers.clip_grad_norm(gradients, max_norm, chosen.norm_type)
end

--- Clamps every element of every gradient to [-clip_value, clip_value].
---@param parameters perilune.Tensor[]  those without a gradient are passed over
---@param clip_value number
function utils.clip_grad_value_(parameters, clip_value)
  core.optimizers.clip_grad_value(gradients_of("clip_grad_value_", parameters), clip_value)
end

return setmetatable(utils, { __tostring = require("perilune.shown").place("perilune.nn.utils", utils) })
