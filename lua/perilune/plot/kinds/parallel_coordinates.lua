local Figure = require "perilune.plot.figure"
local Parallel = require "perilune.plot.parallel"
local categories = require "perilune.plot.categories"
local common = require "perilune.plot.common"
local core = require "perilune.core"
local data = require "perilune.plot.data"
local options = require "perilune.options"
local quantity = require "perilune.plot.quantity"
local scale = require "perilune.plot.scale"
local theme = require "perilune.plot.theme"

local WHAT = "parallel_coordinates"
local LABELS = 6          -- about how many an axis has, the first and the last at its ends
local read = options.reader(WHAT, common.joined({ { "axes", nil, "table" }, { "color", nil, "any" }, { "best", "low" },
  { "alpha", nil, "number" }, { "title", "" }, { "width", 760, "number" }, { "height", theme.height, "number" } },
  quantity.OPTIONS))
local read_axis = options.reader("parallel_coordinates: axes", { { "name", nil, "string" }, { "values", nil, "any" },
  { "scale", "linear" }, { "limits", nil, "table" }, { "choices", nil, "table" } })

local function category_axis(one, what)
  local positions, names = categories.of(WHAT, what, one.values, one.choices)
  return { values = positions, scale = scale.category(names) }
end

-- { name, values (positions on the scale), scale }
local function axis_of(given, i)
  local one = read_axis(given)
  local name = one.name or tostring(i)
  options.choice(WHAT, "scale of " .. name, one.scale, { "linear", "log", "category" })
  common.need(WHAT, one, "values")
  local axis
  if one.scale == "category" then
    axis = category_axis(one, name)
  else
    local values = data.numbers(WHAT, "values of " .. name, one.values)
    local low, high = data.range(values)
    local wish = { scale = one.scale, limits = one.limits, integers = data.all_whole(values) }
    axis = { values = values, scale = scale.fit(WHAT, name, wish, low, high, 0) }
    if not one.limits then scale.round(axis.scale, LABELS) end
  end
  axis.name = name
  return axis
end

-- The colour of each line, what it is drawn by, and the colour bar.
local function colors_of(option, n)
  if option.color == nil then return nil, nil end
  local values = data.numbers(WHAT, "color", option.color)
  data.same_length(WHAT, "axes[1]", n, "color", #values)
  return values, quantity.bar(WHAT, option, data.range(values))
end

--- One line for each sample, across one axis for each of its values.
-- plot.parallel_coordinates { axes = { { name = "lr", values = rates, scale = "log" }, ... }, color = losses }
-- Options: axes: a list of { name, values, scale, limits, choices }: values: a tensor (N) or list, for scale "category"
-- of strings, numbers or booleans (choices: their order); scale: "linear", "log", "category"; limits (default: the next
-- labels around the values); a line ends where a value is not finite.  color: a quantity for each line, with
-- color_label, color_scale, limits and colormap; best: "low" or "high", the end of which the lines are drawn last and
-- fully; alpha; title, width, height.
---@param given table
---@return perilune.plot.Figure
local function parallel_coordinates(given)
  local option = read(given)
  local axes = {}
  for i, one in ipairs(common.need(WHAT, option, "axes")) do
    axes[i] = axis_of(one, i)
    data.same_length(WHAT, axes[1].name, #axes[1].values, axes[i].name, #axes[i].values)
  end
  if #axes < 2 then core.raise("parallel_coordinates: there must be at least two axes") end
  local n = #axes[1].values
  local values, bar = colors_of(option, n)
  local alpha = options.number(WHAT, "option alpha", option.alpha or math.min(0.9, 12 / math.max(n, 1) ^ 0.5), 0, 1)
  return Figure.new(WHAT, Parallel.new { title = option.title, axes = axes, colors = values, colorbar = bar,
    alpha = alpha, best = options.choice(WHAT, "option best", option.best, { "low", "high" }) },
    option.width, option.height)
end

return parallel_coordinates
