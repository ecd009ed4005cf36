-- module_list.lua -- a list whose modules are found: for what a forward of one's own walks through.
local core = require "perilune.core"
local Module = require "perilune.nn.module"
local list_length = require "perilune.list_length"
local options = require "perilune.options"

---@class perilune.nn.ModuleList: perilune.nn.Module
local ModuleList = Module:extend("ModuleList")

--- Holds modules under 1 .. n: for i, block in ipairs(self.blocks) do x = block(x) end.  It cannot be called.
---@param children? perilune.nn.Module[]
function ModuleList:init(children)
  if children ~= nil and (type(children) ~= "table" or Module.is_module(children)) then
    core.raise("ModuleList: give the modules in one table: nn.ModuleList { nn.Linear(3, 4), nn.Linear(4, 4) }")
  end
  children = children or {}
  for i = 1, list_length("ModuleList", children) do self:append(children[i]) end
end

--- Adds a module at the end.
---@param child perilune.nn.Module
---@return perilune.nn.ModuleList self
function ModuleList:append(child)
  if not Module.is_module(child) then core.raise("ModuleList: a module is needed, got " .. options.described(child)) end
  self[#self + 1] = child
  return self
end

return ModuleList
