local Boxes = require "perilune.plot.marks.boxes"
local Curve = require "perilune.plot.marks.curve"
local Rule = require "perilune.plot.marks.rule"
local bins = require "perilune.plot.bins"
local color = require "perilune.plot.color"
local common = require "perilune.plot.common"
local core = require "perilune.core"
local data = require "perilune.plot.data"
local options = require "perilune.options"
local palette = require "perilune.plot.palette"
local theme = require "perilune.plot.theme"

local WHAT = "histogram"
local OWN = { { "x", nil, "any" }, { "label", nil, "string" }, { "color", nil, "string" } }
local list = table.move(OWN, 1, #OWN, 1, {})
for _, entry in ipairs { { "series", nil, "table" }, { "bins", nil, "any" }, { "range", nil, "table" },
  { "density", false }, { "palette", nil, "table" } } do
  list[#list + 1] = entry
end
local read, read_series = common.reader(WHAT, list), options.reader("histogram: series", OWN)

local function finite_of(values)
  local kept = {}
  for _, value in ipairs(values) do
    if data.is_finite(value) then kept[#kept + 1] = value end
  end
  return kept
end

local function values_of(value)
  if core.is_tensor(value) then value = value:flatten() end
  return finite_of(data.numbers(WHAT, "x", value))
end

local function series_of(option)
  local found = {}
  for i, one in ipairs(option.series or { option }) do
    if option.series then one = read_series(one) end
    found[i] = { values = values_of(common.need(WHAT, one, "x")), label = one.label,
      color = one.color and color.parse(WHAT, one.color) }
  end
  return found
end

-- The same edges for all series: as many bins over all values as the series with the finest bins wants.
local function edges_of(series, option)
  local lists = {}
  for i, one in ipairs(series) do lists[i] = one.values end
  local low, high = data.range(table.unpack(lists))
  if option.range then
    low, high = data.limits(WHAT, "range", option.range)
  end
  if not low then return nil end
  if option.bins ~= nil then return bins.edges(low, high, options.integer(WHAT, "option bins", option.bins)) end
  local n = 1
  for _, one in ipairs(series) do
    local own_low, own_high = data.range(one.values)
    if own_low and own_high > own_low then
      n = math.max(n, math.ceil(bins.count(one.values) * (high - low) / (own_high - own_low) - 1e-9))
    end
  end
  return bins.edges(low, high, math.min(n, 500))
end

-- Counts, or shares divided by the width of a bin, which enclose an area of 1.
local function heights_of(one, edges, density)
  local counts = bins.fill(one.values, edges)
  if not density then return counts end
  local total, heights = 0, {}
  for _, count in ipairs(counts) do total = total + count end
  for i, count in ipairs(counts) do heights[i] = total > 0 and count / total / (edges[i + 1] - edges[i]) or 0 end
  return heights
end

-- On a logarithmic axis bars stand on half of the smallest height, so that it can be seen.
local function log_foot(lists)
  local low = math.huge
  for _, heights in ipairs(lists) do
    for _, height in ipairs(heights) do
      if height > 0 and height < low then low = height end
    end
  end
  return low < math.huge and low / 2 or 0.5
end

-- Overlaid histograms have an outline, so that each can be followed through the others.
local function outline_of(edges, heights, foot, c)
  local xs, ys, feet = { edges[1] }, { foot }, {}
  for i, height in ipairs(heights) do xs[#xs + 1], ys[#ys + 1] = edges[i], math.max(height, foot) end
  xs[#xs + 1], ys[#ys + 1] = edges[#edges], foot
  for i = 1, #xs do feet[i] = foot end
  return Curve.new { xs = xs, ys = ys, low = feet, high = ys, step = true, color = c, line_width = 1.5,
    band_alpha = 0.3 }
end

local function boxes_of(edges, heights, foot, c)
  local boxes = {}
  for i, height in ipairs(heights) do
    boxes[i] = { x1 = edges[i], x2 = edges[i + 1], y1 = foot, y2 = math.max(height, foot), color = c }
  end
  return Boxes.new { list = boxes, gap = #boxes <= 100 and 1 or 0 }
end

--- How often values fall into bins.  plot.histogram { x = values }
-- Options: x: a tensor of any shape, or a list (what is not finite is left out); bins: their number (default: by
-- Freedman & Diaconis); range: { low, high }; density = true: the area is 1; series: a list of { x, label, color },
-- which are overlaid over common bins; color, palette, label.  And those of all plots: title, xlabel, ylabel, xlim,
-- ylim, yscale, legend ("inside": a free corner, "right", false), grid, width, height.
---@param given table
---@return perilune.plot.Figure
local function histogram(given)
  local option = read(given)
  if option.xscale == "log" then
    core.raise("histogram: its bins are equally wide; for a logarithmic x axis give it the logarithms")
  end
  local series = series_of(option)
  local colors = #series == 1 and not option.palette and { theme.series }
    or palette.classes(WHAT, #series, option.palette)
  local edges = edges_of(series, option)
  local heights = {}
  for k, one in ipairs(series) do heights[k] = edges and heights_of(one, edges, option.density) or {} end
  local foot = option.yscale == "log" and log_foot(heights) or 0
  local marks, entries = {}, {}
  for k, one in ipairs(series) do
    local c = one.color or colors[k]
    local mark_of = #series > 1 and outline_of or boxes_of
    if edges then marks[k] = mark_of(edges, heights[k], foot, c) end
    if one.label then entries[#entries + 1] = { text = one.label, shape = "box", color = c } end
  end
  marks[#marks + 1] = Rule.new { at = foot, along = "x", quiet = true }
  if option.ylabel == "" then option.ylabel = option.density and "density" or "count" end
  return common.figure(WHAT, option, { grid = "y", legend = entries, marks = marks, x = { padding = 0.02 },
    y = { base = foot, integers = not option.density } })
end

return histogram
