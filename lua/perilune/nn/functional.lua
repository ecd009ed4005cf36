-- functional.lua -- perilune.nn.functional: the operations of layers, losses and activations as plain functions.
-- Every operation of the core can be called from here; pairs() lists those that belong here.
local core = require "perilune.core"
local shown = require "perilune.shown"

local ACTIVATIONS = { "relu", "sigmoid", "tanh", "softmax", "log_softmax" }

local functional = {}

for _, operation in ipairs(core.registry()) do
  if operation.flags.functional then functional[operation.name] = core.ops[operation.name] end
end
for _, name in ipairs(ACTIVATIONS) do functional[name] = core.ops[name] end
functional.cross_entropy = require "perilune.nn.cross_entropy"

return setmetatable(functional, { __index = core.ops,
  __tostring = shown.place("perilune.nn.functional", functional) })
