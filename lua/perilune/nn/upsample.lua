-- upsample.lua -- enlarges (or shrinks) images.
local core = require "perilune.core"
local Module = require "perilune.nn.module"
local options = require "perilune.options"

local ops = core.ops
local read = options.reader("Upsample", { { "size", nil, "pair" }, { "scale_factor", nil, "any" },
  { "mode", "nearest" }, { "align_corners", false } })

---@class perilune.nn.Upsample: perilune.nn.Module
local Upsample = Module:extend("Upsample")
Upsample.transient = true

--- x (N, C, H, W) -> (N, C, H', W'), with size = { H', W' } or scale_factor = H' / H (a number or a pair).
---@param given table  { size or scale_factor, mode = "nearest" or "bilinear", align_corners = false }
function Upsample:init(given)
  local chosen = read(given)
  if (chosen.size == nil) == (chosen.scale_factor == nil) then
    core.raise("Upsample: give either size or scale_factor")
  end
  self.mode = options.choice("Upsample", "mode", chosen.mode, { "nearest", "bilinear" })
  if self.mode == "nearest" and chosen.align_corners then
    core.raise("Upsample: align_corners is for mode = \"bilinear\"")
  end
  self.align_corners = chosen.align_corners
  self.size = chosen.size and options.pair("Upsample", "size", chosen.size, 1)
  local scale = chosen.scale_factor
  if scale ~= nil then
    if type(scale) ~= "table" then scale = { scale, scale } end
    for i = 1, 2 do
      if type(scale[i]) ~= "number" or scale[i] ~= scale[i] or scale[i] <= 0 then
        core.raise("Upsample: scale_factor must be a positive number or a pair of them")
      end
    end
    self.scale_factor = scale
  end
  self._options = { size = self.size or nil, mode = self.mode, align_corners = self.align_corners }
end

function Upsample:forward(x)
  local given = self._options
  if not self.size then
    local shape = x.shape
    given.size = { math.floor(shape[3] * self.scale_factor[1]), math.floor(shape[4] * self.scale_factor[2]) }
  end
  return ops.upsample(x, given)
end

function Upsample:extra_repr()
  local size = self.size and string.format("size=(%d, %d)", self.size[1], self.size[2])
    or string.format("scale_factor=(%g, %g)", self.scale_factor[1], self.scale_factor[2])
  return size .. ", mode=" .. self.mode
end

return Upsample
