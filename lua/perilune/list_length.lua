-- list_length.lua -- the length of a list that somebody gave.
--
-- ipairs and # may quietly end at a nil that stands between the items: { a, nil, b } may have one item or three.
local core = require "perilune.core"

--- The number of items of a list; raises where a nil stands between them.
---@param what string  who wants the list, for the message
---@param list table
---@return integer
return function(what, list)
  local last, count = 0, 0
  for key in next, list do
    if math.type(key) == "integer" and key > 0 then last, count = math.max(last, key), count + 1 end
  end
  if count == last then return last end
  local hole = 1
  while rawget(list, hole) ~= nil do hole = hole + 1 end
  return core.raise(("%s: item %d of the list is nil, but item %d is not"):format(what, hole, last))
end
