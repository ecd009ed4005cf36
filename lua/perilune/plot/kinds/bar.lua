local Boxes = require "perilune.plot.marks.boxes"
local Rule = require "perilune.plot.marks.rule"
local color = require "perilune.plot.color"
local common = require "perilune.plot.common"
local core = require "perilune.core"
local data = require "perilune.plot.data"
local number_text = require "perilune.plot.number_text"
local options = require "perilune.options"
local palette = require "perilune.plot.palette"
local theme = require "perilune.plot.theme"

local WHAT = "bar"
local OWN = { { "values", nil, "any" }, { "errors", nil, "any" }, { "label", nil, "string" },
  { "color", nil, "string" } }
local list = table.move(OWN, 1, #OWN, 1, {})
for _, entry in ipairs { { "names", nil, "table" }, { "series", nil, "table" }, { "horizontal", false },
  { "value_labels", nil, "any" }, { "palette", nil, "table" } } do
  list[#list + 1] = entry
end
local read, read_series = common.reader(WHAT, list), options.reader("bar: series", OWN)

local SHARE = 0.8           -- of the room of a name that its bars take

-- nil for none, or a function from a value to its text.
local function labeller(wish)
  if not wish then return nil end
  if wish == true then return number_text.short end
  if type(wish) == "function" then return function(value) return tostring(wish(value)) end end
  if type(wish) == "string" and pcall(string.format, wish, 1.5) then
    return function(value) return (wish:format(value):gsub("^%-", "−")) end
  end
  return core.raise(("bar: value_labels must be true, a format such as \"%%.2f\" or a function, got %s")
    :format(options.described(wish)))
end

-- { values, errors, label, color } of each series; all are as long as the first.
local function series_of(option)
  local found = {}
  for i, one in ipairs(option.series or { option }) do
    if option.series then one = read_series(one) end
    local values = data.numbers(WHAT, "values", common.need(WHAT, one, "values"))
    local errors = one.errors ~= nil and data.numbers(WHAT, "errors", one.errors) or {}
    if one.errors ~= nil then data.same_length(WHAT, "values", #values, "errors", #errors) end
    if i > 1 then data.same_length(WHAT, "series[1]", #found[1].values, ("series[%d]"):format(i), #values) end
    found[i] = { values = values, errors = errors, label = one.label,
      color = one.color and color.parse(WHAT, one.color) }
  end
  return found
end

-- Bar k of the group of n at name i, in values.
local function box_of(i, k, n, value, foot, horizontal)
  local width = SHARE / n
  local from = i - SHARE / 2 + (k - 1) * width
  if horizontal then return { x1 = foot, x2 = value, y1 = from, y2 = from + width } end
  return { x1 = from, x2 = from + width, y1 = foot, y2 = value }
end

local function boxes_of(series, colors, foot, option, text_of)
  local boxes = {}
  for k, one in ipairs(series) do
    for i, value in ipairs(one.values) do
      local box = box_of(i, k, #series, value, foot, option.horizontal)
      box.color, box.error = one.color or colors[k], one.errors[i]
      box.text = text_of and data.is_finite(value) and text_of(value) or nil
      boxes[#boxes + 1] = box
    end
  end
  return boxes
end

-- Bars stand on zero; on a logarithmic axis on the decade below the smallest.
local function foot_of(series, is_log)
  if not is_log then return 0 end
  local low = math.huge
  for _, one in ipairs(series) do low = math.min(low, (data.range(one.values)) or math.huge) end
  return low > 0 and low < math.huge and 10.0 ^ math.floor(math.log(low, 10) - 1e-9) or low
end

local function axes_of(option, series, names, foot, has_text)
  local of_names = { names = names, reversed = option.horizontal }
  local of_values = { base = foot, padding = has_text and 0.1 or 0.05, integers = true }
  for _, one in ipairs(series) do of_values.integers = of_values.integers and data.all_whole(one.values) end
  if option.horizontal then return of_values, of_names end
  return of_names, of_values
end

--- Bars.  plot.bar { names = { "a", "b" }, values = { 3, 5 } }
-- Options: values: a tensor (N) or list (what is not finite has no bar); names of the bars (default 1 .. N); errors:
-- half the length of an error bar for each; series: a list of { values, errors, label, color } for groups of bars;
-- horizontal = true: they lie, the first on top; value_labels: true, a format such as "%.2f" or a function from a value
-- to its text; color, palette, label.  And those of all plots: title, xlabel, ylabel, xlim, ylim, xscale, yscale,
-- legend ("inside": a free corner, "right", false), grid, width, height.
---@param given table
---@return perilune.plot.Figure
local function bar(given)
  local option = read(given)
  local series = series_of(option)
  local n = series[1] and #series[1].values or 0
  local names = data.names(WHAT, "names", option.names, n)
  if not names then
    names = {}
    for i = 1, n do names[i] = tostring(i) end
  end
  local colors = #series == 1 and not option.palette and { theme.series }
    or palette.classes(WHAT, #series, option.palette)
  local along = option.horizontal and "xscale" or "yscale"
  local foot, text_of = foot_of(series, option[along] == "log"), labeller(option.value_labels)
  local entries = {}
  for k, one in ipairs(series) do
    if one.label then entries[#entries + 1] = { text = one.label, shape = "box", color = one.color or colors[k] } end
  end
  local x, y = axes_of(option, series, names, foot, text_of)
  local boxes = boxes_of(series, colors, foot, option, text_of)
  return common.figure(WHAT, option, { x = x, y = y, grid = option.horizontal and "x" or "y", legend = entries,
    marks = { Boxes.new { list = boxes, horizontal = option.horizontal, gap = 1 },
      Rule.new { at = foot, along = option.horizontal and "y" or "x", quiet = true } } })
end

return bar
