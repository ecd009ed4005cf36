-- categories.lua -- from strings, booleans and numbers to positions 1 .. K on an axis of names.
local core = require "perilune.core"
local options = require "perilune.options"

local categories = {}

-- Numbers in their order, then all else by name.
local function comes_before(a, b)
  local a_number, b_number = type(a) == "number", type(b) == "number"
  if a_number and b_number then return a < b end
  if a_number or b_number then return a_number end
  return tostring(a) < tostring(b)
end

local function distinct(values)
  local seen, found = {}, {}
  for _, value in ipairs(values) do
    if value == value and not seen[value] then
      seen[value] = true
      found[#found + 1] = value
    end
  end
  table.sort(found, comes_before)
  return found
end

--- The position of each value among the choices, and the names of these.
---@param what string
---@param name string  of the axis, for messages
---@param values any  a list of strings, booleans and numbers
---@param choices? any[]  in their order (default: all that occur, numbers first, each kind sorted)
---@return integer[] positions, string[] names
function categories.of(what, name, values, choices)
  if type(values) ~= "table" then
    core.raise(("%s: values of %s must be a list, got %s"):format(what, name, options.described(values)))
  end
  local names, at, positions = {}, {}, {}
  for i, choice in ipairs(choices or distinct(values)) do names[i], at[choice] = tostring(choice), i end
  for i, value in ipairs(values) do
    positions[i] = at[value] or core.raise(("%s: %s has the value %s, which is not among its choices"):format(what,
      name, options.described(value)))
  end
  return positions, names
end

--- Whether values are a list that wants an axis of names: its first is a string or a boolean.
function categories.wanted(values)
  if type(values) ~= "table" then return false end
  local kind = type(values[1])
  return kind == "string" or kind == "boolean"
end

return categories
