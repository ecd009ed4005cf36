local Dots = require "perilune.plot.marks.dots"
local Thumbnails = require "perilune.plot.marks.thumbnails"
local color = require "perilune.plot.color"
local common = require "perilune.plot.common"
local data = require "perilune.plot.data"
local groups = require "perilune.plot.groups"
local options = require "perilune.options"
local theme = require "perilune.plot.theme"

local WHAT = "image_scatter"
local read = common.reader(WHAT, { { "x", nil, "any" }, { "y", nil, "any" }, { "images", nil, "any" },
  { "size", 24, "number" }, { "spacing", 0.75, "number" }, { "points", true }, { "equal", false } }, groups.OPTIONS)

--- Small pictures where they lie on a map; of those that would overlap only the first is shown.
-- plot.image_scatter { x = map:select(2, 1), y = map:select(2, 2), images = images, label = labels, names = names }
-- Options: x, y: tensors (N) or lists; images: a tensor (N, C, H, W) or (N, H, W), uint8 or floats 0..1: gray ones are
-- drawn as ink on paper, in the colour of their class; label, names, palette: as in scatter; size: the side of a
-- picture in points (24); spacing: the least distance of two pictures, in sides (0.75); points = false: without the
-- faint points behind them; equal.  And those of all plots: title, xlabel, ylabel, xlim, ylim, legend ("right",
-- "inside", false), grid, width (760), height (600).
---@param given table
---@return perilune.plot.Figure
local function image_scatter(given)
  local option = read(given)
  if type(given) == "table" and given.width == nil then option.width = 760 end
  if type(given) == "table" and given.height == nil then option.height = 600 end
  local xs = data.numbers(WHAT, "x", common.need(WHAT, option, "x"))
  local ys = data.numbers(WHAT, "y", common.need(WHAT, option, "y"))
  data.same_length(WHAT, "x", #xs, "y", #ys)
  local images = data.images(WHAT, common.need(WHAT, option, "images"))
  data.same_length(WHAT, "x", #xs, "images", images.shape[1])
  local size = options.number(WHAT, "option size", option.size, 2, 1000)
  local spacing = options.number(WHAT, "option spacing", option.spacing, 0.05, 100)
  local colors, faint, entries = theme.ink, color.faded(theme.axis, 0.25), {}
  if option.label ~= nil then
    local found
    found, entries = groups.coloured(WHAT, option, #xs, function() return "circle" end)
    colors, faint = {}, {}
    for i, class in ipairs(found.of) do
      colors[i], faint[i] = found.colors[class], color.faded(found.colors[class], 0.2)
    end
  end
  local marks = { Thumbnails.new { xs = xs, ys = ys, images = images, colors = colors, size = size,
    distance = size * spacing } }
  if option.points then
    table.insert(marks, 1, Dots.new { xs = xs, ys = ys, colors = faint, radius = 1.2 })
  end
  return common.figure(WHAT, option, { legend = entries, legend_place = "right", marks = marks, equal = option.equal,
    grid = "none" })
end

return image_scatter
