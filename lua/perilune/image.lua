-- image.lua -- pictures: PNG files, and many small ones in one grid.
--
-- A picture is a tensor (C, H, W): C is 1 gray, 2 gray + alpha, 3 RGB, 4 RGBA.
local core = require "perilune.core"
local options = require "perilune.options"
local shown = require "perilune.shown"

local formats = core.formats
local image = {}

local read_load_options = options.reader("image.load", { { "dtype", nil, "string" } })

--- Reads a PNG file.  8 bits and fewer come as uint8 (gray of 1, 2 and 4 bits is stretched to 0..255), 16 bits as int64
--- 0..65535; with { dtype = "float32" } both come as float32 0..1.  Palettes become RGB, transparency an alpha channel.
--- Gamma and color profiles are ignored.
---@param path string
---@param given? { dtype: string }  "float32" or "float64" for 0..1
---@return tensor|nil picture  (C, H, W)
---@return string? message
function image.load(path, given)
  options.string("image.load", "the path", path)
  local dtype = read_load_options(given).dtype
  if dtype ~= nil then options.choice("image.load", "option dtype", dtype, { "float32", "float64" }) end
  local picture, message = formats.load_png(path)
  if not picture or not dtype then return picture, message end
  local largest = picture.dtype == "int64" and 65535 or 255
  return picture:to(dtype) / largest
end

local read_save_options = options.reader("image.save", { { "bit_depth", nil, "integer" } })

--- Writes a PNG file.  Floats are 0..1 (clamped; NaN is an error), bool is black and white, uint8 is 0..255 (stretched
--- for 16 bits), int64 is 0..65535 (0..255 with 8 bits; anything else is an error).
---@param path string
---@param picture tensor  (H, W) or (C, H, W), C of 1 to 4
---@param given? { bit_depth: integer }  8 or 16; default 8, for int64 16
---@return true|nil ok
---@return string? message
function image.save(path, picture, given)
  options.string("image.save", "the path", path)
  if not core.is_tensor(picture) then
    core.raise("image.save: expected a tensor, got " .. options.described(picture))
  end
  local bit_depth = read_save_options(given).bit_depth or (picture.dtype == "int64" and 16 or 8)
  if bit_depth ~= 8 and bit_depth ~= 16 then
    core.raise("image.save: option bit_depth must be 8 or 16, got " .. bit_depth)
  end
  return formats.save_png(path, picture, bit_depth)
end

-- Every pixel becomes a square of scale x scale.
local function enlarge(batch, scale)
  local n, c, h, w = table.unpack(batch.shape)
  return batch:reshape(n, c, h, 1, w, 1):expand(n, c, h, scale, w, scale):reshape(n, c, h * scale, w * scale)
end

-- Linearly to 0..1 over the whole batch, in floats; all zeros where every pixel is the same.
local function stretch(batch)
  if batch.dtype ~= "float32" and batch.dtype ~= "float64" then batch = batch:to("float32") end
  local low, high = batch:amin():item(), batch:amax():item()
  return (batch - low) / math.max(high - low, 1e-5)
end

local read_grid_options = options.reader("image.grid", { { "nrow", 8 }, { "padding", 2 }, { "pad_value", 0 },
  { "normalize", false }, { "scale", 1 } })

--- Many pictures as one, as torchvision.utils.make_grid lays them out, row by row; but gray stays one channel.
--- A single picture comes back without a frame.
---@param batch tensor  (N, C, H, W), or (N, H, W) for gray
---@param given? { nrow: integer, padding: integer, pad_value: number, normalize: boolean, scale: integer }
---  nrow: pictures in a row (default 8); padding: pixels around each (2); pad_value (0); normalize: the smallest value
---  becomes 0 and the largest 1 (false); scale: enlarges every pixel to scale x scale (1)
---@return tensor picture  (C, H', W')
function image.grid(batch, given)
  local option = read_grid_options(given)
  options.integer("image.grid", "option nrow", option.nrow)
  options.integer("image.grid", "option padding", option.padding, 0)
  options.integer("image.grid", "option scale", option.scale)
  if not core.is_tensor(batch) then core.raise("image.grid: expected a tensor, got " .. options.described(batch)) end
  if #batch.shape == 3 then batch = batch:unsqueeze(2) end
  if #batch.shape ~= 4 or batch:numel() == 0 then
    core.raise(string.format("image.grid: the batch is (%s), not (N, C, H, W) with something in it",
      table.concat(batch.shape, ", ")))
  end
  batch = batch:detach()
  if option.normalize then batch = stretch(batch) end
  if option.scale > 1 then batch = enlarge(batch, option.scale) end
  local n, c, h, w = table.unpack(batch.shape)
  if n == 1 then return batch:select(1, 1):contiguous() end

  local padding, columns = option.padding, math.min(option.nrow, n)
  local rows = (n + columns - 1) // columns
  local shape = { c, rows * (h + padding) + padding, columns * (w + padding) + padding }
  local picture = core.create.full(shape, option.pad_value, { dtype = batch.dtype })
  for i = 0, n - 1 do
    local top, left = i // columns * (h + padding) + padding, i % columns * (w + padding) + padding
    picture:narrow(2, top + 1, h):narrow(3, left + 1, w):copy_(batch:select(1, i + 1))
  end
  return picture
end

-- Three channels of bytes: gray is repeated, transparency is laid over white.
local function to_rgb(picture)
  if picture.ndim == 2 then picture = picture:unsqueeze(1) end
  local bytes = assert(formats.loads_png(formats.dumps_png(picture, 8)))
  local c = bytes.shape[1]
  local colors = bytes:narrow(1, 1, c < 3 and 1 or 3)
  if c % 2 == 0 then
    local alpha = bytes:narrow(1, c, 1):to("float32") / 255
    colors = (colors:to("float32") * alpha + 255 * (1 - alpha)):round():to("uint8")
  end
  return colors:expand(3, bytes.shape[2], bytes.shape[3]):contiguous()
end

--- Draws a picture in the terminal: by kitty's graphics protocol or sixels where the terminal is known to have them,
--- else with half blocks in colour.  Written to stdout; where that is no terminal, one line says so.
---@param picture tensor  (H, W), (C, H, W) or a batch (N, C, H, W), which becomes a grid; floats are 0..1
---@param given? { method: string, columns: integer, stream: file* }
---  method: "kitty", "sixel" or "blocks" (default: what TERM, TERM_PROGRAM and KITTY_WINDOW_ID suggest); columns: its
---  width in character cells (default: one for each pixel, at most the terminal's and 120); stream (io.stdout)
function image.show(picture, given)
  if not core.is_tensor(picture) or picture.ndim < 2 or picture.ndim > 4 or picture:numel() == 0 then
    core.raise("image.show: expected a tensor (H, W), (C, H, W) or (N, C, H, W) with something in it, got "
      .. options.described(picture))
  end
  picture = picture:detach()
  if picture.ndim == 4 then picture = image.grid(picture) end
  require("perilune.terminal").show(to_rgb(picture), given)
end

return setmetatable(image, { __tostring = shown.place("perilune.image", image) })
