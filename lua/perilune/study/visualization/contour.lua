local Dots = require "perilune.plot.marks.dots"
local Surface = require "perilune.plot.marks.surface"
local common = require "perilune.plot.common"
local data = require "perilune.plot.data"
local options = require "perilune.options"
local pairs_of = require "perilune.study.visualization.pairs"
local quantity = require "perilune.plot.quantity"
local theme = require "perilune.plot.theme"
local view = require "perilune.study.visualization.view"

local WHAT = "contour"
local read = options.reader(WHAT, { { "params", nil, "table" }, view.TARGET[1], view.TARGET[2], { "title", "" },
  { "color_scale", "linear" } })
local read_panel = common.reader(WHAT, {})

local GRID <const> = 40
local MARGIN <const> = 0.05
local POWER <const> = 3
local HUGE <const> = 1e299       -- nearly all that data.is_finite lets through

-- A parameter's values as shares 0 .. 1 of its range, and the grid over it in its own unit.
local function unit_axis(parameter)
  local is_log = parameter.scale == "log"
  local inward = is_log and math.log or function(value) return value end
  local outward = is_log and math.exp or function(value) return value end
  local low, high = math.huge, -math.huge
  for _, value in ipairs(parameter.values) do
    if data.is_finite(value) then low, high = math.min(low, inward(value)), math.max(high, inward(value)) end
  end
  if low > high then low, high = 0, 1 end                   -- no value can be drawn
  if parameter.choices then low, high = 0.5, #parameter.choices + 0.5 end
  if high <= low then low, high = low - 0.5, low + 0.5 end
  local room = parameter.choices and 0 or MARGIN * (high - low)
  low, high = math.max(low - room, inward(is_log and 1 / HUGE or -HUGE)), math.min(high + room, inward(HUGE))
  local shares, grid = {}, {}
  for i, value in ipairs(parameter.values) do shares[i] = (inward(value) - low) / (high - low) end
  for i = 1, GRID do grid[i] = outward(low + (high - low) * (i - 1) / (GRID - 1)) end
  return shares, grid
end

-- Shepard's mean of the values, weighted by 1 / distance^3.
local function interpolated(us, vs, values, u, v)
  local sum, weights = 0.0, 0.0
  for i, value in ipairs(values) do
    local du, dv = us[i] - u, vs[i] - v
    local weight = 1 / ((du * du + dv * dv) ^ (POWER / 2) + 1e-9)
    if weight == weight then sum, weights = sum + weight * value, weights + weight end
  end
  return sum / weights
end

local function surface_of(x, y, values)
  local us, xs = unit_axis(x)
  local vs, ys = unit_axis(y)
  local rows = {}
  for r = 1, GRID do
    rows[r] = {}
    for c = 1, GRID do
      rows[r][c] = interpolated(us, vs, values, (c - 1) / (GRID - 1), (r - 1) / (GRID - 1))
    end
  end
  return xs, ys, rows
end

-- The trials whose value is a finite number.
local function measured(trials, target)
  local kept, values = {}, {}
  for _, trial in ipairs(trials) do
    local value = target(trial)
    if value and data.is_finite(value) then kept[#kept + 1], values[#values + 1] = trial, value end
  end
  return kept, values
end

--- For each two parameters the value as a surface between the COMPLETE trials, which are the dots (Shepard's
-- interpolation: a guide for the eye, not a model).
-- Options: params (a list of names; default all), target, target_name, title, color_scale ("linear", "log").
---@param study table
---@param given? table
---@return perilune.plot.Figure
local function contour(study, given)
  local option = read(given)
  local target, name = view.target(WHAT, study, option)
  local trials, values = measured(view.trials(WHAT, study), target)
  local title = option.title ~= "" and option.title or study.study_name
  if #trials == 0 then return view.nothing(WHAT, title) end
  local bar = quantity.bar(WHAT, { color_label = name, color_scale = option.color_scale, colormap = "viridis" },
    data.range(values))
  local levels = bar.scale:labels(10)
  return pairs_of(WHAT, view.parameters(WHAT, trials, option.params), title, bar, function(x, y)
    local xs, ys, rows = surface_of(x, y, values)
    local x_axis, x_kind = view.axis(x)
    local y_axis, y_kind = view.axis(y)
    x_axis.padding, y_axis.padding = 0, 0
    return common.figure(WHAT, read_panel { xlabel = x.name, ylabel = y.name, xscale = x_kind, yscale = y_kind },
      { x = x_axis, y = y_axis, grid = "none",
        marks = { Surface.new { xs = xs, ys = ys, rows = rows, levels = levels, filled = true, line_color = 0xFFFFFF80,
          color_of = function(value) return quantity.color(bar, value) end },
          Dots.new { xs = x.values, ys = y.values, colors = theme.ink, radius = 2, stroke = 0xFFFFFFFF } } })
  end)
end

return contour
