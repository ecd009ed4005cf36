local Dots = require "perilune.plot.marks.dots"
local common = require "perilune.plot.common"
local options = require "perilune.options"
local pairs_of = require "perilune.study.visualization.pairs"
local quantity = require "perilune.plot.quantity"
local theme = require "perilune.plot.theme"
local view = require "perilune.study.visualization.view"

local WHAT = "rank"
local read = options.reader(WHAT, { { "params", nil, "table" }, view.TARGET[1], view.TARGET[2], { "title", "" } })
local read_panel = common.reader(WHAT, {})

-- 0 for the smallest value to 1 for the largest; equal values share the mean of their ranks.
local function ranks_of(values)
  local order, ranks = {}, {}
  for i = 1, #values do order[i] = i end
  table.sort(order, function(a, b) return values[a] < values[b] end)
  local first = 1
  for i = 1, #order do
    if i == #order or values[order[i + 1]] ~= values[order[i]] then
      for k = first, i do ranks[order[k]] = ((first + i) / 2 - 1) / math.max(1, #order - 1) end
      first = i + 1
    end
  end
  return ranks
end

--- For each two parameters the COMPLETE trials, in the colour of the rank of their value: blue for the smallest, red
-- for the largest; outlined, since that of the middle is nearly white.
-- Options: params (a list of names; default all), target, target_name, title.
---@param study table
---@param given? table
---@return perilune.plot.Figure
local function rank(study, given)
  local option = read(given)
  local trials = view.trials(WHAT, study)
  local target, name = view.target(WHAT, study, option)
  local title = option.title ~= "" and option.title or study.study_name
  if #trials == 0 then return view.nothing(WHAT, title) end
  local bar = quantity.bar(WHAT, { color_label = "rank of the " .. name, color_scale = "linear",
    colormap = "coolwarm" }, 0, 1)
  local colors = {}
  for i, share in ipairs(ranks_of(view.values(trials, target))) do colors[i] = quantity.color(bar, share) end
  return pairs_of(WHAT, view.parameters(WHAT, trials, option.params), title, bar, function(x, y)
    local x_axis, x_kind = view.axis(x)
    local y_axis, y_kind = view.axis(y)
    return common.figure(WHAT, read_panel { xlabel = x.name, ylabel = y.name, xscale = x_kind, yscale = y_kind },
      { x = x_axis, y = y_axis,
        marks = { Dots.new { xs = x.values, ys = y.values, colors = colors, radius = 3.2, stroke = theme.axis } } })
  end)
end

return rank
