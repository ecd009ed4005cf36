-- conv2d.lua -- two-dimensional convolution (cross-correlation, as everywhere in the field).
local core = require "perilune.core"
local Module = require "perilune.nn.module"
local init = require "perilune.nn.initializers"
local options = require "perilune.options"
local parameter = require "perilune.nn.parameter"

local ops = core.ops
local read = options.reader("Conv2d", { { "stride", 1, "pair" }, { "padding", 0, "any" },
  { "dilation", 1, "pair" }, { "groups", 1, "integer" }, { "bias", true } })

---@class perilune.nn.Conv2d: perilune.nn.Module
---@field weight perilune.Tensor  (out_channels, in_channels / groups, kernel height, kernel width)
---@field bias perilune.Tensor|nil  (out_channels)
local Conv2d = Module:extend("Conv2d")
Conv2d.transient = true
Conv2d.operands = { "weight", "bias" }

-- "same" keeps the size of the pictures, "valid" is none.
local function padding_pair(self, padding)
  if padding == "valid" then return { 0, 0 } end
  if padding ~= "same" then return options.pair("Conv2d", "padding", padding) end
  local pair = {}
  for i = 1, 2 do
    local extent = self.dilation[i] * (self.kernel_size[i] - 1)
    if extent % 2 ~= 0 or self.stride[i] ~= 1 then
      core.raise("Conv2d: padding = \"same\" needs stride 1 and an even dilation * (kernel_size - 1)")
    end
    pair[i] = extent // 2
  end
  return pair
end

--- x (N, in_channels, H, W) -> (N, out_channels, H', W'), H' = floor((H + 2 padding - dilation (kernel - 1) - 1) /
--- stride) + 1.  Weight and bias start uniform in +-1 / sqrt(fan_in), fan_in = in_channels / groups * kernel size.
---@param in_channels integer
---@param out_channels integer
---@param kernel_size integer|integer[]  one number, or { height, width }
---@param given? table  { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true }; pairs like kernel_size;
---  padding may be "same" (H' = H, with stride 1) or "valid" (0)
function Conv2d:init(in_channels, out_channels, kernel_size, given)
  local chosen = read(given)
  self.in_channels = options.integer("Conv2d", "in_channels", in_channels)
  self.out_channels = options.integer("Conv2d", "out_channels", out_channels)
  self.kernel_size = options.pair("Conv2d", "kernel_size", kernel_size, 1)
  self.stride = options.pair("Conv2d", "stride", chosen.stride, 1)
  self.dilation = options.pair("Conv2d", "dilation", chosen.dilation, 1)
  self.padding = padding_pair(self, chosen.padding)
  self.groups = options.integer("Conv2d", "groups", chosen.groups)
  if in_channels % self.groups ~= 0 or out_channels % self.groups ~= 0 then
    core.raise(string.format("Conv2d: in_channels %d and out_channels %d must be multiples of groups %d", in_channels,
      out_channels, self.groups))
  end
  local height, width = self.kernel_size[1], self.kernel_size[2]
  local bound = 1 / math.sqrt(in_channels // self.groups * height * width)
  self.weight = parameter.new(init.uniform_(core.create.empty(out_channels, in_channels // self.groups, height, width),
    -bound, bound))
  if chosen.bias then self.bias = parameter.new(init.uniform_(core.create.empty(out_channels), -bound, bound)) end
  local fixed = { stride = self.stride, padding = self.padding, dilation = self.dilation, groups = self.groups }
  self._plain = core.fix(ops.conv2d, fixed)
  fixed.activation = "relu"
  self._relu = core.fix(ops.conv2d, fixed)
end

function Conv2d:forward(x) return self._plain(x, self.weight, self.bias) end

function Conv2d:forward_relu(x) return self._relu(x, self.weight, self.bias) end

function Conv2d:operation(relu) return relu and self._relu or self._plain end

function Conv2d:multiply_adds(_, output)
  return output:numel() * (self.in_channels // self.groups) * self.kernel_size[1] * self.kernel_size[2]
end

local function pair_text(pair) return string.format("(%d, %d)", pair[1], pair[2]) end

function Conv2d:extra_repr()
  local parts = { self.in_channels, self.out_channels, "kernel_size=" .. pair_text(self.kernel_size),
    "stride=" .. pair_text(self.stride) }
  if self.padding[1] ~= 0 or self.padding[2] ~= 0 then parts[#parts + 1] = "padding=" .. pair_text(self.padding) end
  if self.dilation[1] ~= 1 or self.dilation[2] ~= 1 then parts[#parts + 1] = "dilation=" .. pair_text(self.dilation) end
  if self.groups ~= 1 then parts[#parts + 1] = "groups=" .. self.groups end
  if self.bias == nil then parts[#parts + 1] = "bias=false" end
  return table.concat(parts, ", ")
end

return Conv2d
