local Surface = require "perilune.plot.marks.surface"
local color = require "perilune.plot.color"
local common = require "perilune.plot.common"
local core = require "perilune.core"
local data = require "perilune.plot.data"
local groups = require "perilune.plot.groups"
local options = require "perilune.options"
local points = require "perilune.plot.points"

local WHAT = "regions"
local read = common.reader(WHAT, { { "x", nil, "any" }, { "y", nil, "any" }, { "values", nil, "any" },
  { "names", nil, "table" }, { "palette", nil, "table" }, { "points", nil, "table" }, { "equal", false } })
local read_points = points.reader(WHAT, { { "label", nil, "any" } })

local PAPER <const> = 0xFFFFFFFF
local PALE <const> = 0.35          -- the ground's share of a class's colour, of which its points have all

local function check_classes(name, list)
  for i, value in ipairs(list) do
    if math.type(value) ~= "integer" then
      core.raise(("regions: %s must be classes, integers, but the value at %d is %s"):format(name, i,
        options.described(value)))
    end
  end
  return list
end

-- The classes of the grid and of the points together, with their colours and legend.
local function classes_of(option, rows, labels)
  local all = {}
  for r, row in ipairs(rows) do
    table.move(check_classes(("row %d of values"):format(r), row), 1, #row, #all + 1, all)
  end
  table.move(labels, 1, #labels, #all + 1, all)
  local found, entries = groups.coloured(WHAT, { label = all, names = option.names, palette = option.palette }, #all,
    function() return "box" end)
  local color_of = {}
  for i, class in ipairs(found.of) do color_of[all[i]] = found.colors[class] end
  return color_of, entries
end

--- Which class a classifier gives to each place of the plane, and samples on it.
-- plot.regions { x = xs, y = ys, values = classes, points = { x = x, y = y, label = labels } }
-- Options: x, y: ascending tensors or lists, the places of columns and rows; values: a tensor (#y, #x) of integers or
-- list of rows, such as the argmax of a network's output, the first row at the lowest y; each place has the pale colour
-- of the class at the nearest point of the grid: classes have no order, so that nothing lies between two of them;
-- names: what the integers 1, 2 ... stand for; palette: a list of "#rrggbb"; points: { x, y, label, size }: dots in the
-- full colour of their class (dark without label); equal = true: a unit is as long on x as on y.  And those of all
-- plots: title, xlabel, ylabel, xlim, ylim, xscale, yscale ("linear", "log"), legend, width, height.
---@param given table
---@return perilune.plot.Figure
local function regions(given)
  local option = read(given)
  local xs, ys, rows = data.grid(WHAT, option)
  local samples = option.points and read_points(option.points)
  local labels = samples and samples.label and data.numbers(WHAT, "points.label", samples.label)
  local color_of, entries = classes_of(option, rows, check_classes("points.label", labels or {}))
  local marks = { Surface.new { xs = xs, ys = ys, rows = rows, levels = {}, filled = true, nearest = true,
    color_of = function(class) return color.mixed(PAPER, color_of[class], PALE) end } }
  if samples then
    marks[2] = points.of(WHAT, samples, labels and function(n)
      data.same_length(WHAT, "points.x", n, "points.label", #labels)
      local colors = {}
      for i = 1, n do colors[i] = color_of[labels[i]] end
      return colors
    end)
  end
  return common.figure(WHAT, option, { marks = marks, legend = entries, legend_place = "right", equal = option.equal,
    x = { padding = 0 }, y = { padding = 0 }, overhang = 4, grid = "none" })
end

return regions
