local Surface = require "perilune.plot.marks.surface"
local common = require "perilune.plot.common"
local core = require "perilune.core"
local data = require "perilune.plot.data"
local groups = require "perilune.plot.groups"
local options = require "perilune.options"
local points = require "perilune.plot.points"
local quantity = require "perilune.plot.quantity"

local WHAT = "contour"
local read = common.reader(WHAT, { { "x", nil, "any" }, { "y", nil, "any" }, { "values", nil, "any" },
  { "levels", nil, "any" }, { "filled", true }, { "points", nil, "table" },
  { "equal", false } }, quantity.OPTIONS)
local read_points = points.reader(WHAT, groups.OPTIONS)

local MANY = 12          -- levels, unless others are wanted

-- Ascending levels: those given, or nice ones within the range of the colours; on a logarithmic scale, which has few
-- nice ones, they divide it evenly.
local function levels_of(option, bar)
  if type(option.levels) == "table" or core.is_tensor(option.levels) then
    local levels = table.move(data.numbers(WHAT, "levels", option.levels), 1, #option.levels, 1, {})
    table.sort(levels)
    return levels
  end
  local wanted = options.integer(WHAT, "option levels", option.levels or MANY, 2)
  if bar.scale.kind == "linear" then return (bar.scale:labels(wanted)) end
  local levels = {}
  for k = 1, wanted do levels[k] = bar.scale:value(k / (wanted + 1)) end
  return levels
end

-- One colour between two levels: that of the middle.  The bar shows the same steps.
local function stepped(bar, levels)
  local edges = { 0 }
  for _, level in ipairs(levels) do
    local share = bar.scale:position(level)
    if share > 0 and share < 1 then edges[#edges + 1] = share end
  end
  edges[#edges + 1] = 1
  local colors = {}
  for k = 1, #edges - 1 do colors[k] = bar.map((edges[k] + edges[k + 1]) / 2) end
  return function(share)
    local low, high = 1, #edges - 1
    while low < high do
      local middle = (low + high + 1) // 2
      if share >= edges[middle] then low = middle else high = middle - 1 end
    end
    return colors[low]
  end
end

-- The points, and where they have classes a legend for these.
local function dots_of(given)
  local option, entries = read_points(given), nil
  return points.of(WHAT, option, option.label ~= nil and function(n)
    local found
    found, entries = groups.coloured("contour: points", option, n, function() return "circle" end)
    local colors = {}
    for i, class in ipairs(found.of) do colors[i] = found.colors[class] end
    return colors
  end or nil), entries
end

--- A surface over a grid: colours between level lines.  plot.contour { x = xs, y = ys, values = rows }
-- Options: x, y: ascending tensors or lists, the places of columns and rows; values: a tensor (#y, #x) or list of rows,
-- the first at the lowest y (what is not finite is gray); levels: about how many (12), or a list of them; filled =
-- false: lines alone; points: { x, y, size, label, names, palette }: dots on top of it, label: a class for each, as in
-- scatter; equal = true: a unit is as long on x as on y; color_label, color_scale ("linear", "log"), limits, colormap.
-- And those of all plots: title, xlabel, ylabel, xlim, ylim, xscale, yscale ("linear", "log"), legend, width, height.
-- Values that are classes make no surface: see plot.regions.
---@param given table
---@return perilune.plot.Figure
local function contour(given)
  local option = read(given)
  local xs, ys, rows = data.grid(WHAT, option)
  local bar = quantity.bar(WHAT, option, data.range(table.unpack(rows)))
  local levels = levels_of(option, bar)
  if option.filled then bar.map = stepped(bar, levels) end
  local marks = { Surface.new { xs = xs, ys = ys, rows = rows, levels = levels, filled = option.filled,
    color_of = function(value) return quantity.color(bar, value) end,
    line_color = option.filled and 0xFFFFFF80 or nil, line_width = not option.filled and 1.4 or nil } }
  local entries
  if option.points then marks[2], entries = dots_of(option.points) end
  return common.figure(WHAT, option, { colorbar = bar, marks = marks, legend = entries, legend_place = "right",
    equal = option.equal, x = { padding = 0 }, y = { padding = 0 },
    overhang = 4, grid = option.filled and "none" or "both" })
end

return contour
