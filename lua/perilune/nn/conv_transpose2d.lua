-- conv_transpose2d.lua -- the transposed convolution: the input gradient of a convolution, as a layer.
local core = require "perilune.core"
local Module = require "perilune.nn.module"
local init = require "perilune.nn.initializers"
local options = require "perilune.options"
local parameter = require "perilune.nn.parameter"

local ops = core.ops
local read = options.reader("ConvTranspose2d", { { "stride", 1, "pair" }, { "padding", 0, "pair" },
  { "output_padding", 0, "pair" }, { "groups", 1, "integer" }, { "bias", true }, { "dilation", 1, "pair" } })

---@class perilune.nn.ConvTranspose2d: perilune.nn.Module
---@field weight perilune.Tensor  (in_channels, out_channels / groups, kernel height, kernel width)
---@field bias perilune.Tensor|nil  (out_channels)
local ConvTranspose2d = Module:extend("ConvTranspose2d")
ConvTranspose2d.transient = true
ConvTranspose2d.operands = { "weight", "bias" }

--- x (N, in_channels, H, W) -> (N, out_channels, H', W'), H' = (H - 1) stride - 2 padding + dilation (kernel - 1) +
--- output_padding + 1.  Weight and bias start uniform in +-1 / sqrt(out_channels / groups * kernel size), which is
--- what PyTorch takes for fan_in here.
---@param in_channels integer
---@param out_channels integer
---@param kernel_size integer|integer[]  one number, or { height, width }
---@param given? table  { stride = 1, padding = 0, output_padding = 0, groups = 1, bias = true, dilation = 1 }
function ConvTranspose2d:init(in_channels, out_channels, kernel_size, given)
  local what = "ConvTranspose2d"
  local chosen = read(given)
  self.in_channels = options.integer(what, "in_channels", in_channels)
  self.out_channels = options.integer(what, "out_channels", out_channels)
  self.kernel_size = options.pair(what, "kernel_size", kernel_size, 1)
  self.stride = options.pair(what, "stride", chosen.stride, 1)
  self.padding = options.pair(what, "padding", chosen.padding)
  self.output_padding = options.pair(what, "output_padding", chosen.output_padding)
  self.dilation = options.pair(what, "dilation", chosen.dilation, 1)
  self.groups = options.integer(what, "groups", chosen.groups)
  if in_channels % self.groups ~= 0 or out_channels % self.groups ~= 0 then
    core.raise(string.format("%s: in_channels %d and out_channels %d must be multiples of groups %d", what,
      in_channels, out_channels, self.groups))
  end
  local height, width = self.kernel_size[1], self.kernel_size[2]
  local bound = 1 / math.sqrt(out_channels // self.groups * height * width)
  self.weight = parameter.new(init.uniform_(core.create.empty(in_channels, out_channels // self.groups, height, width),
    -bound, bound))
  if chosen.bias then self.bias = parameter.new(init.uniform_(core.create.empty(out_channels), -bound, bound)) end
  self._plain = core.fix(ops.conv_transpose2d, self:make_options())
  self._relu = core.fix(ops.conv_transpose2d, self:make_options("relu"))
end

function ConvTranspose2d:make_options(activation)
  return { stride = self.stride, padding = self.padding, output_padding = self.output_padding,
    dilation = self.dilation, groups = self.groups, activation = activation }
end

function ConvTranspose2d:forward(x) return self._plain(x, self.weight, self.bias) end

function ConvTranspose2d:forward_relu(x) return self._relu(x, self.weight, self.bias) end

function ConvTranspose2d:operation(relu) return relu and self._relu or self._plain end

function ConvTranspose2d:multiply_adds(input)
  return input:numel() * (self.out_channels // self.groups) * self.kernel_size[1] * self.kernel_size[2]
end

local function pair_text(pair) return string.format("(%d, %d)", pair[1], pair[2]) end

function ConvTranspose2d:extra_repr()
  local parts = { self.in_channels, self.out_channels, "kernel_size=" .. pair_text(self.kernel_size),
    "stride=" .. pair_text(self.stride) }
  for _, name in ipairs { "padding", "output_padding" } do
    if self[name][1] ~= 0 or self[name][2] ~= 0 then parts[#parts + 1] = name .. "=" .. pair_text(self[name]) end
  end
  if self.dilation[1] ~= 1 or self.dilation[2] ~= 1 then parts[#parts + 1] = "dilation=" .. pair_text(self.dilation) end
  if self.groups ~= 1 then parts[#parts + 1] = "groups=" .. self.groups end
  if self.bias == nil then parts[#parts + 1] = "bias=false" end
  return table.concat(parts, ", ")
end

return ConvTranspose2d
