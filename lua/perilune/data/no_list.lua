-- no_list.lua -- for objects that are no lists: object[1] would silently be nil, and ipairs(object) find nothing.
local core = require "perilune.core"

--- Makes class the place of its objects' methods; to index one with a number raises the remedy.
---@param class table
---@param remedy string  the message: what to do instead
return function(class, remedy)
  function class.__index(_, key)
    if type(key) == "number" then core.raise(remedy) end
    return class[key]
  end
end
