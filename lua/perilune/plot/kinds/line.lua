local Curve = require "perilune.plot.marks.curve"
local Rule = require "perilune.plot.marks.rule"
local color = require "perilune.plot.color"
local common = require "perilune.plot.common"
local core = require "perilune.core"
local data = require "perilune.plot.data"
local markers = require "perilune.plot.markers"
local options = require "perilune.options"
local palette = require "perilune.plot.palette"
local theme = require "perilune.plot.theme"

local WHAT = "line"
local OWN = { { "x", nil, "any" }, { "y", nil, "any" }, { "label", nil, "string" }, { "low", nil, "any" },
  { "high", nil, "any" }, { "marker", nil, "any" }, { "step", false }, { "dash", nil, "any" },
  { "color", nil, "string" }, { "line_width", theme.line_width, "number" } }

local list = table.move(OWN, 1, #OWN, 1, {})
list[#list + 1] = { "series", nil, "table" }
list[#list + 1] = { "palette", nil, "table" }
list[#list + 1] = { "hline", nil, "any" }
local read, read_series = common.reader(WHAT, list), options.reader("line: series", OWN)

local DASHES = { [true] = { 6, 4 }, dotted = { 1.5, 3 }, dashdot = { 7, 3, 1.5, 3 } }

local function is_dash(value)
  if type(value) ~= "table" or #value < 1 or #value > 4 then return false end
  for _, length in ipairs(value) do
    if type(length) ~= "number" or length <= 0 or length > 1000 then return false end
  end
  return true
end

local function dash_of(value)
  if not value then return nil end
  if is_dash(value) then return value end
  return DASHES[value] or core.raise(("line: dash must be true, \"dotted\", \"dashdot\" or { on, off }, got %s")
    :format(options.described(value)))
end

local function marker_of(value)
  if not value then return nil end
  return value == true and "circle" or options.choice(WHAT, "marker", value, markers.NAMES)
end

local function band_of(one, n)
  if one.low == nil and one.high == nil then return nil, nil end
  local low, high = data.numbers(WHAT, "low", one.low or {}), data.numbers(WHAT, "high", one.high or {})
  data.same_length(WHAT, "y", n, "low", #low)
  data.same_length(WHAT, "y", n, "high", #high)
  return low, high
end

local function curve_of(one, c)
  local ys = data.numbers(WHAT, "y", common.need(WHAT, one, "y"))
  local xs
  if one.x ~= nil then
    xs = data.numbers(WHAT, "x", one.x)
    data.same_length(WHAT, "x", #xs, "y", #ys)
  else
    xs = {}
    for i = 1, #ys do xs[i] = i end
  end
  options.number(WHAT, "option line_width", one.line_width, 0, 100)
  local low, high = band_of(one, #ys)
  return Curve.new { xs = xs, ys = ys, low = low, high = high, color = one.color and color.parse(WHAT, one.color) or c,
    line_width = one.line_width, dash = dash_of(one.dash), marker = marker_of(one.marker), step = one.step }
end

-- One series stands in the options themselves; what they say besides y holds for all of several.
local function series_of(option)
  if option.series == nil then return { option } end
  local found = {}
  for i, given in ipairs(option.series) do
    found[i] = read_series(given)
    for _, name in ipairs { "x", "marker", "dash" } do
      if given[name] == nil then found[i][name] = option[name] end
    end
    if given.step == nil then found[i].step = option.step end
    if given.line_width == nil then found[i].line_width = option.line_width end
  end
  return found
end

local function rules_of(values)
  local rules = {}
  if type(values) == "number" then values = { values } end
  for i, value in ipairs(values or {}) do
    rules[i] = Rule.new { at = value, along = "x", dash = { 4, 3 }, color = theme.tick_ink }
  end
  return rules
end

-- Whether all curves have whole numbers along an axis, "xs" or "ys".
local function all_whole(curves, name)
  for _, curve in ipairs(curves) do
    if not data.all_whole(curve[name], name == "ys" and curve.low or {}, name == "ys" and curve.high or {}) then
      return false
    end
  end
  return true
end

--- Lines through points.  plot.line { y = losses } or plot.line { series = { { y = a, label = "a" }, { y = b } } }
-- Options: y: a tensor (N) or list (a value that is not finite breaks the line); x (default 1 .. N); low, high: the
-- edges of a band; label; marker: true, "circle", "square", "diamond" or "triangle"; step = true: a value holds until
-- the next x; dash: true, "dotted", "dashdot" or { on, off }; color; line_width (2 points; 0: markers alone).  series:
-- a list of tables of these, for several lines, which take x, marker, step, dash and line_width from the plot where
-- they have none; palette: their colours; hline: a value, or several, at which a thin line lies.  And those of all
-- plots: title, xlabel, ylabel, xlim, ylim, xscale, yscale ("linear", "log"), legend ("inside": a free corner, "right",
-- false), grid, width, height.
---@param given table
---@return perilune.plot.Figure
local function line(given)
  local option = read(given)
  local all = series_of(option)
  local colors = #all == 1 and not option.palette and { theme.series } or palette.classes(WHAT, #all, option.palette)
  local curves, entries = {}, {}
  for i, one in ipairs(all) do
    curves[i] = curve_of(one, colors[i])
    if one.label then
      entries[#entries + 1] = { text = one.label, shape = "line", color = curves[i].color, dash = curves[i].dash,
        marker = curves[i].marker, band = curves[i].low ~= nil, line_width = one.line_width }
    end
  end
  local marks = rules_of(option.hline)
  table.move(curves, 1, #curves, #marks + 1, marks)
  return common.figure(WHAT, option, { legend = entries, marks = marks, x = { integers = all_whole(curves, "xs") },
    y = { integers = all_whole(curves, "ys") } })
end

return line
