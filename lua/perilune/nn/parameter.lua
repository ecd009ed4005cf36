-- parameter.lua -- which tensors a module trains.
--
-- A parameter is an ordinary tensor that requires a gradient and is remembered here, so that a module can tell it
-- from a tensor that merely lies in one of its fields.
local core = require "perilune.core"

local remembered = setmetatable({}, { __mode = "k" })

local parameter = {}

--- Marks a tensor as trainable: a module that it is assigned to finds it, an optimizer updates it.
---@param tensor perilune.Tensor  a leaf of a floating dtype
---@param options? { requires_grad: boolean }  default true
---@return perilune.Tensor  the same tensor (or a detached one, if it was computed)
function parameter.new(tensor, options)
  if not core.is_tensor(tensor) then core.raise("Parameter: a tensor is needed, got a " .. type(tensor)) end
  local dtype = tensor.dtype
  if dtype ~= "float32" and dtype ~= "float64" then
    core.raise("Parameter: the tensor must be float32 or float64, got " .. dtype)
  end
  if not tensor.is_leaf then tensor = tensor:detach() end
  tensor.requires_grad = not options or options.requires_grad ~= false
  remembered[tensor] = true
  return tensor
end

---@param value any
---@return boolean
function parameter.is(value)
  return remembered[value] == true
end

return parameter
