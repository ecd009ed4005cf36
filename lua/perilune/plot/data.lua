-- data.lua -- what users give, tensors or Lua lists, as flat Lua lists.
local core = require "perilune.core"
local options = require "perilune.options"

local data = {}

-- Beyond this, differences of two values overflow; it counts as infinite.
local HUGE = 1e300

--- Whether a value can be drawn: neither NaN nor infinite (1e300 and more counts as infinite).
function data.is_finite(value) return value > -HUGE and value < HUGE end

local function fail(what, name, value)
  return core.raise(("%s: %s must be a tensor (N) or a list of numbers, got %s"):format(what, name,
    options.described(value)))
end

--- A tensor (N) or a list of numbers as a list; raises, in the name of `what`, on all else.
---@param what string
---@param name string
---@param value any
---@return number[]
function data.numbers(what, name, value)
  if core.is_tensor(value) then
    if value.ndim ~= 1 then fail(what, name, value) end
    if value.dtype == "bool" then value = value:to("uint8") end
    return value:totable()
  end
  if type(value) ~= "table" then fail(what, name, value) end
  for i = 1, #value do
    if type(value[i]) ~= "number" then
      core.raise(("%s: %s[%d] must be a number, got %s"):format(what, name, i, options.described(value[i])))
    end
  end
  return value
end

--- A tensor (R, C) or a list of R lists of C numbers as a list of lists, and R, C.
---@param what string
---@param name string
---@param value any
---@return number[][] rows, integer n_rows, integer n_columns
function data.matrix(what, name, value)
  if core.is_tensor(value) and value.ndim == 2 then
    if value.dtype == "bool" then value = value:to("uint8") end
    return value:totable(), value.shape[1], value.shape[2]
  end
  if core.is_tensor(value) or type(value) ~= "table" or (value[1] ~= nil and type(value[1]) ~= "table"
    and not core.is_tensor(value[1])) then
    core.raise(("%s: %s must be a tensor (R, C) or a list of rows, got %s"):format(what, name,
      options.described(value)))
  end
  local rows, n_columns = {}, nil
  for r = 1, #value do
    rows[r] = data.numbers(what, ("%s[%d]"):format(name, r), value[r])
    n_columns = n_columns or #rows[r]
    data.same_length(what, ("%s[1]"):format(name), n_columns, ("%s[%d]"):format(name, r), #rows[r])
  end
  return rows, #rows, n_columns or 0
end

--- A tensor (N, C, H, W) or (N, H, W) as one (N, C, H, W); raises, in the name of `what`, on all else.
---@param what string
---@param value any
---@return perilune.Tensor
function data.images(what, value)
  if not core.is_tensor(value) or value.ndim < 3 or value.ndim > 4 then
    core.raise(("%s: images must be a tensor (N, C, H, W) or (N, H, W), got %s"):format(what, options.described(value)))
  end
  value = value:detach()
  return value.ndim == 3 and value:unsqueeze(2) or value
end

--- The two numbers of { low, high }, if low < high; raises, in the name of `what`, on all else.
---@param what string
---@param name string
---@param value any
---@return number low, number high
function data.limits(what, name, value)
  local low, high
  if type(value) == "table" then low, high = value[1], value[2] end
  local ordered = type(low) == "number" and type(high) == "number" and low < high and high - low < math.huge
  if not ordered then
    core.raise(("%s: %s must be { low, high } with low < high, got %s"):format(what, name, type(value) == "table"
      and ("{ %s, %s }"):format(options.described(low), options.described(high)) or options.described(value)))
  end
  return low, high
end

--- Raises unless two lists are equally long.
function data.same_length(what, name_a, n_a, name_b, n_b)
  if n_a ~= n_b then
    core.raise(("%s: %s has %d values but %s has %d"):format(what, name_a, n_a, name_b, n_b))
  end
end

local function ascending(what, name, value, n)
  local list = data.numbers(what, name, value)
  data.same_length(what, name, #list, name == "x" and "a row of values" or "values", n)
  for i = 1, #list do
    if not data.is_finite(list[i]) or i > 1 and list[i] <= list[i - 1] then
      core.raise(("%s: %s must be finite and ascending, but %s[%d] is %s"):format(what, name, name, i,
        options.described(list[i])))
    end
  end
  return list
end

--- The values over a grid: option.x (ascending, one for each column), option.y (one for each row), option.values.
---@param what string
---@param option table
---@return number[] xs, number[] ys, number[][] rows
function data.grid(what, option)
  for _, name in ipairs { "values", "x", "y" } do
    if option[name] == nil then core.raise(("%s: option %s is missing"):format(what, name)) end
  end
  local rows, n_rows, n_columns = data.matrix(what, "values", option.values)
  return ascending(what, "x", option.x, n_columns), ascending(what, "y", option.y, n_rows), rows
end

--- A list of strings, or of numbers that are printed; nil stays nil.  n: how many there must be, or nil.
---@param what string
---@param name string
---@param value any
---@param n? integer
---@return string[]|nil
function data.names(what, name, value, n)
  if value == nil then return nil end
  if type(value) ~= "table" then
    core.raise(("%s: %s must be a list of strings, got %s"):format(what, name, options.described(value)))
  end
  local names = {}
  for i = 1, #value do names[i] = tostring(value[i]) end
  if n and #names ~= n then core.raise(("%s: %s has %d entries, but there are %d"):format(what, name, #names, n)) end
  return names
end

--- Whether all values of lists that can be drawn are whole numbers: their axis has no use for 0.5, then.
---@param ... number[]
---@return boolean
function data.all_whole(...)
  for _, list in ipairs { ... } do
    for i = 1, #list do
      if data.is_finite(list[i]) and list[i] % 1 ~= 0 then return false end
    end
  end
  return true
end

--- The smallest and the largest finite value of lists; nil where there is none.
---@param ... number[]
---@return number|nil low, number|nil high
function data.range(...)
  local low, high
  for _, list in ipairs { ... } do
    for i = 1, #list do
      local value = list[i]
      if value > -HUGE and value < HUGE then
        if not low or value < low then low = value end
        if not high or value > high then high = value end
      end
    end
  end
  return low, high
end

return data
