-- pooling.lua -- windows of an image become one pixel: their maximum or mean.
local core = require "perilune.core"
local Module = require "perilune.nn.module"
local options = require "perilune.options"

local ops = core.ops

local function pair_text(pair) return string.format("(%d, %d)", pair[1], pair[2]) end

-- Fields and the options of the operation, from what both window layers know.
local function read_window(self, kernel_size, chosen)
  local what = self.class_name
  self.kernel_size = options.pair(what, "kernel_size", kernel_size, 1)
  self.stride = options.pair(what, "stride", chosen.stride or kernel_size, 1)
  self.padding = options.pair(what, "padding", chosen.padding)
  self.ceil_mode = chosen.ceil_mode
  for i = 1, 2 do
    if self.padding[i] * 2 > self.kernel_size[i] then
      core.raise(string.format("%s: padding %d is more than half of the kernel %d", what, self.padding[i],
        self.kernel_size[i]))
    end
  end
  return { stride = self.stride, padding = self.padding, ceil_mode = self.ceil_mode }
end

local function window_repr(self)
  return string.format("kernel_size=%s, stride=%s, padding=%s, ceil_mode=%s", pair_text(self.kernel_size),
    pair_text(self.stride), pair_text(self.padding), self.ceil_mode)
end

---@class perilune.nn.MaxPool2d: perilune.nn.Module
local MaxPool2d = Module:extend("MaxPool2d")
MaxPool2d.transient = true

local read_max = options.reader("MaxPool2d", { { "stride", nil, "pair" }, { "padding", 0, "pair" },
  { "dilation", 1, "pair" }, { "ceil_mode", false } })

--- x (N, C, H, W) -> the maximum of each window.
---@param kernel_size integer|integer[]
---@param given? table  { stride = kernel_size, padding = 0, dilation = 1, ceil_mode = false }
function MaxPool2d:init(kernel_size, given)
  local chosen = read_max(given)
  self._options = read_window(self, kernel_size, chosen)
  self.dilation = options.pair("MaxPool2d", "dilation", chosen.dilation, 1)
  self._options.dilation = self.dilation
end

function MaxPool2d:forward(x) return (ops.max_pool2d(x, self.kernel_size, self._options)) end

MaxPool2d.extra_repr = window_repr

---@class perilune.nn.AvgPool2d: perilune.nn.Module
local AvgPool2d = Module:extend("AvgPool2d")
AvgPool2d.transient = true

local read_avg = options.reader("AvgPool2d", { { "stride", nil, "pair" }, { "padding", 0, "pair" },
  { "ceil_mode", false }, { "count_include_pad", true } })

--- x (N, C, H, W) -> the mean of each window; with count_include_pad the padding's zeros count.
---@param kernel_size integer|integer[]
---@param given? table  { stride = kernel_size, padding = 0, ceil_mode = false, count_include_pad = true }
function AvgPool2d:init(kernel_size, given)
  local chosen = read_avg(given)
  self._options = read_window(self, kernel_size, chosen)
  self.count_include_pad = chosen.count_include_pad
  self._options.count_include_pad = chosen.count_include_pad
end

function AvgPool2d:forward(x) return ops.avg_pool2d(x, self.kernel_size, self._options) end

AvgPool2d.extra_repr = window_repr

---@class perilune.nn.AdaptiveAvgPool2d: perilune.nn.Module
local AdaptiveAvgPool2d = Module:extend("AdaptiveAvgPool2d")
AdaptiveAvgPool2d.transient = true

--- x (N, C, H, W) -> (N, C, *output_size): pixel i is the mean of rows floor(i H / H') .. ceil((i + 1) H / H') - 1,
--- counted from 0.
---@param output_size integer|integer[]
function AdaptiveAvgPool2d:init(output_size)
  self.output_size = options.pair("AdaptiveAvgPool2d", "output_size", output_size, 1)
end

function AdaptiveAvgPool2d:forward(x) return ops.adaptive_avg_pool2d(x, self.output_size) end

function AdaptiveAvgPool2d:extra_repr() return "output_size=" .. pair_text(self.output_size) end

return { MaxPool2d = MaxPool2d, AvgPool2d = AvgPool2d, AdaptiveAvgPool2d = AdaptiveAvgPool2d }
