-- pruners/nop.lua -- lets every trial run to its end.
local Pruner = require "perilune.study.pruners.base"

local Nop = Pruner:extend("NopPruner")

--- A pruner that never prunes.
---@return table
return function() return Nop() end
