local Dots = require "perilune.plot.marks.dots"
local Surface = require "perilune.plot.marks.surface"
local common = require "perilune.plot.common"
local core = require "perilune.core"
local data = require "perilune.plot.data"
local options = require "perilune.options"
local quantity = require "perilune.plot.quantity"
local theme = require "perilune.plot.theme"

local WHAT = "contour"
local read = common.reader(WHAT, { { "x", nil, "any" }, { "y", nil, "any" }, { "values", nil, "any" },
  { "levels", nil, "any" }, { "filled", true }, { "points", nil, "table" } }, quantity.OPTIONS)
local read_points = options.reader("contour: points", { { "x", nil, "any" }, { "y", nil, "any" },
  { "size", 5, "number" } })

local MANY = 12          -- levels, unless others are wanted

local function ascending(name, value, n)
  local list = data.numbers(WHAT, name, value)
  data.same_length(WHAT, name, #list, name == "x" and "a row of values" or "values", n)
  for i = 1, #list do
    if not data.is_finite(list[i]) or i > 1 and list[i] <= list[i - 1] then
      core.raise(("contour: %s must be finite and ascending, but %s[%d] is %s"):format(name, name, i,
        options.described(list[i])))
    end
  end
  return list
end

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

local function dots_of(points)
  local given = read_points(points)
  local xs = data.numbers(WHAT, "points.x", common.need("contour: points", given, "x"))
  local ys = data.numbers(WHAT, "points.y", common.need("contour: points", given, "y"))
  data.same_length(WHAT, "points.x", #xs, "points.y", #ys)
  return Dots.new { xs = xs, ys = ys, colors = theme.ink, radius = given.size / 2, stroke = 0xFFFFFFFF }
end

--- A surface over a grid: colours between level lines.  plot.contour { x = xs, y = ys, values = rows }
-- Options: x, y: ascending tensors or lists, the places of columns and rows; values: a tensor (#y, #x) or list of rows,
-- the first at the lowest y (what is not finite is gray); levels: about how many (12), or a list of them; filled =
-- false: lines alone; points: { x, y, size }: dots on top of it; color_label, color_scale ("linear", "log"), limits,
-- colormap.  And those of all plots: title, xlabel, ylabel, xlim, ylim, xscale, yscale ("linear", "log"), width,
-- height.
---@param given table
---@return perilune.plot.Figure
local function contour(given)
  local option = read(given)
  local rows, n_rows, n_columns = data.matrix(WHAT, "values", common.need(WHAT, option, "values"))
  local xs = ascending("x", common.need(WHAT, option, "x"), n_columns)
  local ys = ascending("y", common.need(WHAT, option, "y"), n_rows)
  local bar = quantity.bar(WHAT, option, data.range(table.unpack(rows)))
  local levels = levels_of(option, bar)
  if option.filled then bar.map = stepped(bar, levels) end
  local marks = { Surface.new { xs = xs, ys = ys, rows = rows, levels = levels, filled = option.filled,
    color_of = function(value) return quantity.color(bar, value) end,
    line_color = option.filled and 0xFFFFFF80 or nil, line_width = not option.filled and 1.4 or nil } }
  if option.points then marks[2] = dots_of(option.points) end
  return common.figure(WHAT, option, { colorbar = bar, marks = marks, x = { padding = 0 }, y = { padding = 0 },
    overhang = 4, grid = option.filled and "none" or "both" })
end

return contour
