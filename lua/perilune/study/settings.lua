-- settings.lua -- the options of samplers and pruners: read, checked, kept in the object under their names, and shown
-- when it is printed.
local options = require "perilune.options"
local shown = require "perilune.shown"

-- A value within the limits of its entry; "auto" is nil.
local function limited(what, entry, value)
  if value == nil or value == "auto" then return nil end
  if not entry.least then return value end
  if math.type(entry[2]) == "integer" or entry.is_integer then
    return options.integer(what, entry[1], value, entry.least)
  end
  return options.number(what, entry[1], value, entry.least, entry.most)
end

--- Gives a class the options that its objects have: class:configure(given) reads and checks them.
---@param class table
---@param known table  as options.reader's, { name, default, kind }, with least and most where there are limits (an
---   integer where the default is one, or is_integer is set)
---@param facts? fun(self: table): string ...  what an object prints before its options
return function(class, known, facts)
  local what = class.class_name
  local read = options.reader(what, known)
  class.__tostring = shown.by(read, facts)
  function class:configure(given)
    local chosen = read(given)
    for _, entry in ipairs(known) do self[entry[1]] = limited(what, entry, chosen[entry[1]]) end
  end
end
