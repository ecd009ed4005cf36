-- shape.lua -- layers that compute nothing: views of their input, or the input itself.
local core = require "perilune.core"
local Module = require "perilune.nn.module"

---@class perilune.nn.Flatten: perilune.nn.Module
local Flatten = Module:extend("Flatten")
Flatten.transient = true
Flatten.operands = { "start_dim", "end_dim" }

--- Dims start_dim .. end_dim become one.
---@param start_dim? integer  default 2
---@param end_dim? integer  default -1
function Flatten:init(start_dim, end_dim)
  self.start_dim, self.end_dim = start_dim or 2, end_dim or -1
end

function Flatten:forward(x) return x:flatten(self.start_dim, self.end_dim) end

function Flatten.operation() return core.ops.flatten end

function Flatten:extra_repr() return string.format("start_dim=%d, end_dim=%d", self.start_dim, self.end_dim) end

---@class perilune.nn.Unflatten: perilune.nn.Module
local Unflatten = Module:extend("Unflatten")
Unflatten.transient = true
Unflatten.operands = { "dim", "sizes" }

--- Dim `dim` becomes dims of these sizes.
---@param dim integer
---@param sizes integer[]  their product is the dim's size
function Unflatten:init(dim, sizes)
  if math.type(dim) ~= "integer" or type(sizes) ~= "table" or #sizes == 0 then
    core.raise("Unflatten: a dim and a table of sizes are needed: nn.Unflatten(2, { 32, 3, 3 })")
  end
  self.dim, self.sizes = dim, sizes
end

function Unflatten:forward(x) return x:unflatten(self.dim, self.sizes) end

function Unflatten.operation() return core.ops.unflatten end

function Unflatten:extra_repr()
  return string.format("dim=%d, sizes=(%s)", self.dim, table.concat(self.sizes, ", "))
end

---@class perilune.nn.Identity: perilune.nn.Module
local Identity = Module:extend("Identity")
Identity.transient = true

--- Gives back its input.  Takes and ignores any arguments.
function Identity.init() end

function Identity.forward(_, x) return x end

return { Flatten = Flatten, Unflatten = Unflatten, Identity = Identity }
