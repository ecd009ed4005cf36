-- scalar.lua -- what counts as a number: numbers, and tensors of one element (a loss that nobody called :item() on).
local core = require "perilune.core"

--- The number, or nil if the value is none.
---@param value any
---@return number|nil
return function(value)
  if type(value) == "number" then return value end
  if not core.is_tensor(value) then return nil end
  local count = 1
  for _, size in ipairs(value.shape) do count = count * size end
  local item = count == 1 and value:item()
  return type(item) == "number" and item or nil
end
