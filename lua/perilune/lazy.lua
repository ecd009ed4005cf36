-- lazy.lua -- the tables of the library whose entries are loaded when they are first used, so that require "perilune"
-- stays quick.
local shown = require "perilune.shown"

--- A table that loads an entry when it is first asked for; pairs() loads and walks all of them.
---@param name string  as users write it: "perilune.optim"
---@param entries table<string, string|{ [1]: string, [2]: string }>  the Lua module that is the entry, or the module
---  and the field in it
---@return table
return function(name, entries)
  local place = {}
  local function find(_, key)
    local entry = entries[key]
    if not entry then return nil end
    if type(entry) == "table" then place[key] = require(entry[1])[entry[2]] else place[key] = require(entry) end
    return place[key]
  end
  local function find_all()
    for key in pairs(entries) do find(nil, key) end
    return next, place, nil
  end
  return setmetatable(place, { __index = find, __pairs = find_all, __tostring = shown.place(name, entries) })
end
