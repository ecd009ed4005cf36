local Figure = require "perilune.plot.figure"
local Gallery = require "perilune.plot.gallery"
local core = require "perilune.core"
local data = require "perilune.plot.data"
local options = require "perilune.options"
local theme = require "perilune.plot.theme"

local WHAT = "image_grid"
local read = options.reader(WHAT, { { "images", nil, "any" }, { "captions", nil, "any" }, { "columns", nil, "integer" },
  { "row_names", nil, "table" }, { "column_names", nil, "table" }, { "limits", nil, "table" },
  { "size", nil, "number" },
  { "title", "" }, { "width", nil, "number" }, { "height", nil, "number" } })

-- Floats from limits to 0..1; without limits they are taken as 0..1.
local function stretched(images, limits)
  if not limits then return images end
  local low, high = data.limits(WHAT, "limits", limits)
  return ((images:to("float32") - low) / (high - low)):clamp(0, 1)
end

--- Pictures with captions.  plot.image_grid { images = batch, captions = names, columns = 8 }
-- Options: images: a tensor (N, C, H, W) or (N, H, W), uint8 0..255 or floats 0..1; limits: { low, high }: what is
-- black and what white instead; captions: a list or tensor with one for each; columns (default: about square);
-- row_names, column_names; size: the side of a picture in points; title, width, height.  Pixels stay squares.
---@param given table
---@return perilune.plot.Figure
local function image_grid(given)
  local option = read(given)
  local images = stretched(data.images(WHAT, option.images), option.limits)
  local n = images.shape[1]
  local captions = option.captions
  if core.is_tensor(captions) then captions = data.numbers(WHAT, "captions", captions) end
  local columns = options.integer(WHAT, "option columns", option.columns or math.max(1, math.ceil(n ^ 0.5 * 1.2)))
  columns = math.max(1, math.min(columns, n))
  local rows = math.max(1, math.ceil(n / columns))
  local gallery = Gallery.new { images = images, columns = columns, title = option.title,
    captions = data.names(WHAT, "captions", captions, n),
    row_names = data.names(WHAT, "row_names", option.row_names, rows),
    column_names = data.names(WHAT, "column_names", option.column_names, columns) }
  local size = options.number(WHAT, "option size", option.size or math.min(math.max(560 / columns, 28), 120), 4, 4000)
  local width, height = gallery:size(size)
  return Figure.new(WHAT, gallery, option.width or math.max(width + 2 * theme.margin, 50),
    option.height or math.max(height + 2 * theme.margin, 50))
end

return image_grid
