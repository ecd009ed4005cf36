local Boxes = require "perilune.plot.marks.boxes"
local Picture = require "perilune.plot.marks.picture"
local color = require "perilune.plot.color"
local common = require "perilune.plot.common"
local core = require "perilune.core"
local data = require "perilune.plot.data"
local number_text = require "perilune.plot.number_text"
local options = require "perilune.options"
local quantity = require "perilune.plot.quantity"

local WHAT = "heatmap"
local read = common.reader(WHAT, { { "values", nil, "any" }, { "rows", nil, "table" }, { "columns", nil, "table" },
  { "normalize", "none" }, { "annotate", nil, "boolean" }, { "format", nil, "string" }, { "colorbar", true } },
  quantity.OPTIONS)

local MAX_ANNOTATED, MAX_BOXES = 400, 2500

local function normalized(rows, n_rows, n_columns, how)
  if how == "none" then return rows end
  local sums, result = {}, {}
  local function key(r, c) return how == "row" and r or how == "column" and c or 1 end
  for r = 1, n_rows do
    for c = 1, n_columns do sums[key(r, c)] = (sums[key(r, c)] or 0) + rows[r][c] end
  end
  for r = 1, n_rows do
    result[r] = {}
    for c = 1, n_columns do
      local sum = sums[key(r, c)]
      result[r][c] = sum ~= 0 and rows[r][c] / sum or 0
    end
  end
  return result
end

-- How a cell's value is printed: as it is where all are integers, else with as many digits as tell them apart.
local function printer(rows, format)
  if format then
    local fine, message = pcall(string.format, format, 1)
    if not fine then core.raise(("heatmap: format %q: %s"):format(format, message)) end
    return function(value)
      return (format:format(math.tointeger(value) or value):gsub("^%-", "−"))
    end
  end
  local whole, largest = true, 0
  for _, row in ipairs(rows) do
    for _, value in ipairs(row) do
      if data.is_finite(value) then
        whole, largest = whole and value == math.floor(value), math.max(largest, math.abs(value))
      end
    end
  end
  if whole and largest < 1e6 then return function(value) return number_text.short(value, 7) end end
  if largest <= 1 and largest > 0.05 then
    return function(value) return (("%.2f"):format(value):gsub("^%-", "−")) end
  end
  return number_text.short
end

-- White stands for zero in counts.
local function bar_of(option, rows)
  local low, high = data.range(table.unpack(rows))
  if option.colormap == "blues" and option.color_scale == "linear" and low and low > 0 then low = 0 end
  return quantity.bar(WHAT, option, low, high)
end

local function boxes_of(rows, bar, print_value)
  local list = {}
  for r, row in ipairs(rows) do
    for c, value in ipairs(row) do
      local fill = quantity.color(bar, value)
      list[#list + 1] = { x1 = c - 0.5, x2 = c + 0.5, y1 = r - 0.5, y2 = r + 0.5, color = fill,
        ink = color.ink_on(fill), text = print_value and data.is_finite(value) and print_value(value) or nil }
    end
  end
  return Boxes.new { list = list, inside = true, gap = 1 }
end

-- Without names an axis counts.
local function axis_of(name, given, n)
  return { names = data.names(WHAT, name, given, n), integers = true, padding = 0 }
end

--- Cells with colours for values; row 1 is on top.  plot.heatmap { values = confusion, rows = names, columns = names }
-- Options: values: a tensor (R, C) or a list of rows (what is not finite is gray); rows, columns: names; normalize:
-- "none", "row", "column", "all" (divided by the sum of each); annotate: whether values are printed (default: up to 400
-- cells); format: such as "%.2f"; colormap ("viridis", "magma", "blues", "coolwarm", "gray"); limits: { low, high } of
-- the colours; color_scale ("linear", "log"); color_label; colorbar = false for none.  And those of all plots: title,
-- xlabel, ylabel, width, height.
---@param given table
---@return perilune.plot.Figure
local function heatmap(given)
  local option = read(given)
  local rows, n_rows, n_columns = data.matrix(WHAT, "values", common.need(WHAT, option, "values"))
  options.choice(WHAT, "option normalize", option.normalize, { "none", "row", "column", "all" })
  rows = normalized(rows, n_rows, n_columns, option.normalize)
  local bar, n = bar_of(option, rows), n_rows * n_columns
  local annotate = option.annotate
  if annotate == nil then annotate = n <= MAX_ANNOTATED end
  local print_value = annotate and printer(rows, option.format)
  local mark
  if n > MAX_BOXES and not annotate then
    mark = Picture.of_rows(rows, function(value) return quantity.color(bar, value) end)
  else
    mark = boxes_of(rows, bar, print_value)
  end
  local y = axis_of("rows", option.rows, n_rows)
  y.reversed = true
  return common.figure(WHAT, option, { grid = "none", colorbar = option.colorbar and bar or nil, marks = { mark },
    x = axis_of("columns", option.columns, n_columns), y = y })
end

return heatmap
