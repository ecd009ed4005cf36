local Dots = require "perilune.plot.marks.dots"
local categories = require "perilune.plot.categories"
local color = require "perilune.plot.color"
local common = require "perilune.plot.common"
local core = require "perilune.core"
local data = require "perilune.plot.data"
local groups = require "perilune.plot.groups"
local markers = require "perilune.plot.markers"
local options = require "perilune.options"
local palette = require "perilune.plot.palette"
local quantity = require "perilune.plot.quantity"
local theme = require "perilune.plot.theme"

local WHAT = "scatter"
local read = common.reader(WHAT, { { "x", nil, "any" }, { "y", nil, "any" }, { "color", nil, "any" },
  { "size", nil, "number" }, { "alpha", nil, "number" }, { "equal", false },
  { "series", nil, "table" } }, groups.OPTIONS, quantity.OPTIONS)
local read_series = options.reader("scatter: series", { { "x", nil, "any" }, { "y", nil, "any" },
  { "label", nil, "string" }, { "size", nil, "number" }, { "alpha", nil, "number" }, { "color", nil, "string" },
  { "marker", nil, "string" } })

-- As large and as dense as leaves both single points and the shape of crowds visible: 6 points across and nearly opaque
-- at 100, 2.6 across and two thirds at 10,000.
local function default_size(n) return math.min(math.max(6 * (math.max(n, 1) / 100) ^ -0.18, 1.2), 7) end
local function default_alpha(n) return math.min(math.max(0.9 - 0.13 * math.log(math.max(n, 1) / 100, 10), 0.3), 0.9) end

local function by_class(option, n, alpha)
  local period = palette.period(option.palette)
  local function shape_of(class) return palette.shape(class, period) end
  local found, entries = groups.coloured(WHAT, option, n, shape_of)
  local colors, shapes = {}, {}
  for i, class in ipairs(found.of) do
    colors[i], shapes[i] = color.faded(found.colors[class], alpha), shape_of(class)
  end
  return colors, shapes, entries
end

local function by_value(option, n, alpha)
  local values = data.numbers(WHAT, "color", option.color)
  data.same_length(WHAT, "x", n, "color", #values)
  local bar, colors = quantity.bar(WHAT, option, data.range(values)), {}
  for i = 1, n do colors[i] = color.faded(quantity.color(bar, values[i]), alpha) end
  return colors, bar
end

-- Positions along an axis, and its names where it has some.
local function along(option, name)
  local value = common.need(WHAT, option, name)
  if categories.wanted(value) then return categories.of(WHAT, name, value) end
  return data.numbers(WHAT, name, value), nil
end

local function size_of(value, n) return options.number(WHAT, "option size", value or default_size(n), 0.1, 200) end
local function alpha_of(value, n) return options.number(WHAT, "option alpha", value or default_alpha(n), 0, 1) end

local function count_of(value)
  return core.is_tensor(value) and value:numel() or type(value) == "table" and #value or 0
end

-- The i-th of several series; total: how many points all have.
local function dots_of(one, option, i, base, total)
  local xs = data.numbers(WHAT, "x", common.need("scatter: series", one, "x"))
  local ys = data.numbers(WHAT, "y", common.need("scatter: series", one, "y"))
  data.same_length(WHAT, "x", #xs, "y", #ys)
  local shape = one.marker and options.choice(WHAT, "marker", one.marker, markers.NAMES)
    or palette.shape(i, palette.period(option.palette))
  local own = one.color and color.parse(WHAT, one.color) or base
  local alpha = alpha_of(one.alpha or option.alpha, total)
  local dots = Dots.new { xs = xs, ys = ys, colors = color.faded(own, alpha), shapes = shape,
    radius = size_of(one.size or option.size, total) / 2 }
  return dots, one.label and { text = one.label, color = own, shape = shape }
end

local function of_series(option)
  for _, name in ipairs { "x", "y", "label", "color" } do
    if option[name] ~= nil then core.raise(("scatter: with series, %s stands in each of them"):format(name)) end
  end
  local list, total, marks, entries, is_whole = {}, 0, {}, {}, { x = true, y = true }
  for i, given in ipairs(option.series) do
    list[i] = read_series(given)
    total = total + count_of(list[i].x)
  end
  local colors = palette.classes(WHAT, #list, option.palette)
  for i, one in ipairs(list) do
    marks[i], entries[#entries + 1] = dots_of(one, option, i, colors[i], total)
    is_whole.x = is_whole.x and data.all_whole(marks[i].xs)
    is_whole.y = is_whole.y and data.all_whole(marks[i].ys)
  end
  return common.figure(WHAT, option, { legend = entries, legend_place = "right", equal = option.equal, marks = marks,
    x = { integers = is_whole.x }, y = { integers = is_whole.y } })
end

--- Points.  plot.scatter { x = map:select(2, 1), y = map:select(2, 2), label = labels, names = class_names }
-- Options: x, y: tensors (N) or lists (points that are not finite are left out; strings make an axis of names); label:
-- a class for each, integers or strings, each class in a colour of its own; names: what the integers 1, 2 ... stand
-- for; or color: a quantity for each, with color_label, color_scale ("linear", "log"), limits and colormap ("viridis");
-- palette: a list of "#rrggbb"; size: points across (6 for 100 points, 2.6 for 10,000); alpha (0.9 for 100, 0.64 for
-- 10,000); equal = true: a unit is as long on x as on y.  Or series: a list of { x, y, label, size, alpha, color,
-- marker }, drawn in their order: label: its name in the legend, color: "#rrggbb", marker: "circle", "square" ...  And
-- those of all plots: title, xlabel, ylabel, xlim, ylim ({ low, high }), xscale, yscale ("linear", "log"), legend
-- ("right", "inside", false), grid ("both", "x", "y", "none"), width, height (points; 640 x 440).
---@param given table
---@return perilune.plot.Figure
local function scatter(given)
  local option = read(given)
  if option.series then return of_series(option) end
  local xs, x_names = along(option, "x")
  local ys, y_names = along(option, "y")
  data.same_length(WHAT, "x", #xs, "y", #ys)
  if option.label ~= nil and option.color ~= nil then
    core.raise("scatter: points are coloured by label or by color, not by both")
  end
  local size, alpha = size_of(option.size, #xs), alpha_of(option.alpha, #xs)
  local colors, shapes, entries, bar = color.faded(theme.series, alpha), "circle", nil, nil
  if option.label ~= nil then colors, shapes, entries = by_class(option, #xs, alpha)
  elseif option.color ~= nil then colors, bar = by_value(option, #xs, alpha) end
  return common.figure(WHAT, option, { legend = entries, legend_place = "right", colorbar = bar, equal = option.equal,
    x = { names = x_names, integers = data.all_whole(xs) }, y = { names = y_names, integers = data.all_whole(ys) },
    marks = { Dots.new { xs = xs, ys = ys, colors = colors, shapes = shapes, radius = size / 2 } } })
end

return scatter
