-- dropout.lua -- while training, zeroes elements at random and scales the others up.  Srivastava et al., JMLR 2014.
local core = require "perilune.core"
local Module = require "perilune.nn.module"
local options = require "perilune.options"

local ops = core.ops

---@class perilune.nn.Dropout: perilune.nn.Module
local Dropout = Module:extend("Dropout")
Dropout.transient = true

local read = options.reader("Dropout", { { "p", 0.5 } })

--- Each element becomes 0 with probability p, and is multiplied by 1 / (1 - p) otherwise.  In evaluation mode the
--- input itself comes back.
---@param given? number|{ p: number }  default 0.5
function Dropout:init(given)
  if type(given) ~= "table" then given = { p = given } end
  self.p = options.number("Dropout", "p", read(given).p, 0, 1)
end

function Dropout:forward(x)
  if not self.training or self.p == 0 then return x end
  return ops.dropout(x, self.p)
end

function Dropout:extra_repr() return string.format("p=%g", self.p) end

return Dropout
