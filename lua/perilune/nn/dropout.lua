-- dropout.lua -- while training, zeroes elements at random and scales the others up.  Srivastava et al., JMLR 2014.
local core = require "perilune.core"
local Module = require "perilune.nn.module"
local options = require "perilune.options"

local ops = core.ops

---@class perilune.nn.Dropout: perilune.nn.Module
local Dropout = Module:extend("Dropout")
Dropout.transient = true

--- Each element becomes 0 with probability p, and is multiplied by 1 / (1 - p) otherwise.  In evaluation mode the
--- input itself comes back.
---@param p? number  default 0.5
function Dropout:init(p)
  self.p = options.number("Dropout", "p", p or 0.5, 0, 1)
end

function Dropout:forward(x)
  if not self.training or self.p == 0 then return x end
  return ops.dropout(x, self.p)
end

function Dropout:extra_repr() return string.format("p=%g", self.p) end

return Dropout
