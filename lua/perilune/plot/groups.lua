-- groups.lua -- from a label for each point to classes 1 .. K with names.
local core = require "perilune.core"
local data = require "perilune.plot.data"
local options = require "perilune.options"
local palette = require "perilune.plot.palette"

local groups = {}

local function labels_of(what, name, value)
  if core.is_tensor(value) then return data.numbers(what, name, value) end
  if type(value) ~= "table" then
    core.raise(("%s: %s must be a tensor (N) or a list of integers or strings, got %s"):format(what, name,
      options.described(value)))
  end
  return value
end

-- Numbers in their order; strings in that of their first appearance.
local function distinct(what, name, labels)
  local order, seen, numeric = {}, {}, true
  for i, label in ipairs(labels) do
    local kind = math.type(label) or type(label)
    if kind ~= "integer" and kind ~= "string" then
      core.raise(("%s: %s[%d] must be an integer or a string, got %s"):format(what, name, i, options.described(label)))
    end
    numeric = numeric and kind == "integer"
    if not seen[label] then
      seen[label] = true
      order[#order + 1] = label
    end
  end
  if numeric then table.sort(order) end
  return order, numeric
end

--- The classes of n labels.
---@param what string
---@param name string  of the option, for messages
---@param value any  a tensor (N) or a list of integers or strings
---@param given_names? string[]  names of the integers 1, 2 ...; classes without points keep their place
---@param n integer
---@return { of: integer[], names: string[] }
function groups.of(what, name, value, given_names, n)
  local labels = labels_of(what, name, value)
  data.same_length(what, "x", n, name, #labels)
  local order, numeric = distinct(what, name, labels)
  local names, at = data.names(what, "names", given_names) or {}, {}
  if given_names and numeric then
    for _, label in ipairs(order) do
      if label < 1 or label > #names then
        core.raise(("%s: %s has the class %d, but there are %d names"):format(what, name, label, #names))
      end
    end
    for i = 1, #names do at[i] = i end
  else
    for i, label in ipairs(order) do at[label], names[i] = i, tostring(label) end
  end
  local of = {}
  for i = 1, n do of[i] = at[labels[i]] end
  return { of = of, names = names }
end

--- The options of plots that colour points by their class, for a reader.
groups.OPTIONS = { { "label", nil, "any" }, { "names", nil, "table" }, { "palette", nil, "table" } }

--- The classes of option.label with the colours of option.palette, and the entries of their legend.
---@param what string
---@param option table  with label, names and palette
---@param n integer
---@param shape_of fun(class: integer): string  of an entry
---@return { of: integer[], names: string[], colors: integer[] }
---@return table[] entries
function groups.coloured(what, option, n, shape_of)
  local found, entries = groups.of(what, "label", option.label, option.names, n), {}
  found.colors = palette.classes(what, #found.names, option.palette)
  for class, name in ipairs(found.names) do
    entries[class] = { text = name, color = found.colors[class], shape = shape_of(class) }
  end
  return found, entries
end

return groups
