-- layer_norm.lua -- normalises each sample over its last dims.  Ba, Kiros & Hinton, 2016.
local core = require "perilune.core"
local Module = require "perilune.nn.module"
local options = require "perilune.options"
local parameter = require "perilune.nn.parameter"

local ops = core.ops
local read = options.reader("LayerNorm", { { "eps", 1e-5 }, { "elementwise_affine", true }, { "bias", true } })

---@class perilune.nn.LayerNorm: perilune.nn.Module
---@field weight perilune.Tensor|nil  (normalized_shape)
---@field bias perilune.Tensor|nil  (normalized_shape)
local LayerNorm = Module:extend("LayerNorm")
LayerNorm.transient = true

--- y = (x - mean) / sqrt(var + eps) * weight + bias, with mean and biased variance over the last dims.
---@param normalized_shape integer|integer[]  the sizes of those dims
---@param given? { eps: number, elementwise_affine: boolean, bias: boolean }  defaults 1e-5, true, true
function LayerNorm:init(normalized_shape, given)
  local chosen = read(given)
  if type(normalized_shape) ~= "table" then normalized_shape = { normalized_shape } end
  if #normalized_shape == 0 then core.raise("LayerNorm: normalized_shape is empty") end
  self.normalized_shape = {}
  for i, size in ipairs(normalized_shape) do
    self.normalized_shape[i] = options.integer("LayerNorm", "normalized_shape", size)
  end
  options.number("LayerNorm", "eps", chosen.eps, 0)
  self.eps, self.elementwise_affine = chosen.eps, chosen.elementwise_affine
  if chosen.elementwise_affine then
    self.weight = parameter.new(core.create.ones(self.normalized_shape))
    if chosen.bias then self.bias = parameter.new(core.create.zeros(self.normalized_shape)) end
  end
  self._options = { eps = self.eps }
end

function LayerNorm:forward(x)
  return ops.layer_norm(x, self.normalized_shape, self.weight, self.bias, self._options)
end

function LayerNorm:extra_repr()
  return string.format("(%s), eps=%g, elementwise_affine=%s", table.concat(self.normalized_shape, ", "), self.eps,
    self.elementwise_affine)
end

return LayerNorm
