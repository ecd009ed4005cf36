-- pruners/nop.lua -- lets every trial run to its end.
local nop = { prune = function() return false end }

--- A pruner that never prunes.
---@return table
return function() return nop end
