-- linear.lua -- y = x W^T + b.
local core = require "perilune.core"
local Module = require "perilune.nn.module"
local init = require "perilune.nn.initializers"
local options = require "perilune.options"
local parameter = require "perilune.nn.parameter"

local ops = core.ops
local read = options.reader("Linear", { { "bias", true } })
local linear_relu = core.fix(ops.linear, { activation = "relu" })

---@class perilune.nn.Linear: perilune.nn.Module
---@field weight perilune.Tensor  (out_features, in_features)
---@field bias perilune.Tensor|nil  (out_features)
local Linear = Module:extend("Linear")
Linear.transient = true
Linear.operands = { "weight", "bias" }

--- x (*, in_features) -> (*, out_features).  Weight and bias start uniform in +-1 / sqrt(in_features).
---@param in_features integer
---@param out_features integer
---@param given? { bias: boolean }  default true
function Linear:init(in_features, out_features, given)
  self.in_features = options.integer("Linear", "in_features", in_features)
  self.out_features = options.integer("Linear", "out_features", out_features)
  local chosen = read(given)
  local bound = 1 / math.sqrt(in_features)
  self.weight = parameter.new(init.uniform_(core.create.empty(out_features, in_features), -bound, bound))
  if chosen.bias then self.bias = parameter.new(init.uniform_(core.create.empty(out_features), -bound, bound)) end
end

function Linear:forward(x) return ops.linear(x, self.weight, self.bias) end

function Linear:forward_relu(x) return linear_relu(x, self.weight, self.bias) end

function Linear.operation(_, relu) return relu and linear_relu or ops.linear end

function Linear:multiply_adds(_, output)
  return output:numel() * self.in_features
end

function Linear:extra_repr()
  return string.format("in_features=%d, out_features=%d, bias=%s", self.in_features, self.out_features,
    self.bias ~= nil)
end

return Linear
