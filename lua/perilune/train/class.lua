-- class.lua -- objects with one constructor, init(...), and a parent: callbacks, loggers, the Trainer.
local shown = require "perilune.shown"

local class = {}

local function construct(made, ...)
  local self = setmetatable({}, made)
  self:init(...)
  return self
end

--- A new class; Name(...) makes an object and calls init(...) on it.  Name:extend("Other") makes a class below it.
---@param name string
---@param parent? table
---@return table
function class.new(name, parent)
  local made = { class_name = name, extend = class.extend }
  made.__index = made
  made.__tostring = parent and parent.__tostring or shown.by(name)
  return setmetatable(made, { __index = parent, __call = construct, __tostring = function() return name end })
end

function class.extend(parent, name) return class.new(name, parent) end

return class
