-- legend.lua -- what the colours, lines and marks of a panel mean.
--
-- An entry is { text, color, shape }: shape is a marker's name, "line" (with line_width, dash, marker and band) or
-- "box".
local color = require "perilune.plot.color"
local text = require "perilune.plot.text"
local theme = require "perilune.plot.theme"

local legend = {}

local SIZE, ROW, SWATCH, PADDING = theme.tick_size, 18, 18, 8
local MAX_WIDTH = 180

local function columns_of(entries, height)
  local rows = math.max(1, math.min(#entries, math.floor((height - 2 * PADDING) / ROW)))
  return math.ceil(#entries / rows), rows
end

local function column_width(entries)
  local width = 0
  for _, entry in ipairs(entries) do width = math.max(width, (text.measure(entry.text, SIZE))) end
  return SWATCH + 6 + math.min(width, MAX_WIDTH)
end

--- The size of the legend when it may be that high.
---@param entries table[]
---@param height number
---@return number width, number height
function legend.measure(entries, height)
  local columns, rows = columns_of(entries, height)
  return columns * (column_width(entries) + PADDING) + PADDING, rows * ROW + 2 * PADDING - 4
end

local function draw_line(drawing, entry, x, y)
  if entry.band then
    drawing:rectangle(x, y - 5, SWATCH, 10, { fill = color.faded(entry.color, 0.2) })
  end
  if entry.line_width > 0 then
    drawing:line({ x, y, x + SWATCH, y }, { stroke = entry.color, line_width = entry.line_width, dash = entry.dash })
  end
  if entry.marker then
    drawing:dots { x = { x + SWATCH / 2 }, y = { y }, radius = 3, shape = entry.marker, colors = entry.color }
  end
end

local function draw_swatch(drawing, entry, x, y)
  if entry.shape == "line" then draw_line(drawing, entry, x, y)
  elseif entry.shape == "box" then drawing:rectangle(x + 3, y - 5.5, 11, 11, { fill = entry.color })
  else
    drawing:dots { x = { x + SWATCH / 2 }, y = { y }, radius = 4.5, shape = entry.shape, colors = entry.color }
  end
end

--- Draws it with its upper left corner at (x, y).
function legend.draw(drawing, entries, x, y, height, framed)
  local _, rows = columns_of(entries, height)
  local width = column_width(entries)
  local _, ascent, descent = text.measure("0", SIZE)
  if framed then
    local full_width, full_height = legend.measure(entries, height)
    drawing:rectangle(x, y, full_width, full_height, { fill = 0xFFFFFFD9, stroke = theme.frame, line_width = 1 })
  end
  for i, entry in ipairs(entries) do
    local column, row = (i - 1) // rows, (i - 1) % rows
    local left = x + PADDING + column * (width + PADDING)
    local middle = y + PADDING - 2 + row * ROW + ROW / 2
    draw_swatch(drawing, entry, left, middle)
    drawing:text(left + SWATCH + 6, middle + (ascent - descent) / 2, text.shortened(entry.text, SIZE, MAX_WIDTH),
      { size = SIZE })
  end
end

-- The corners of inner in which it may stand, the most usual first.
local function corners(inner, width, height)
  local left, top = inner.x + theme.gap, inner.y + theme.gap
  local right, bottom = inner.x + inner.width - width - theme.gap, inner.y + inner.height - height - theme.gap
  return { { right, top }, { left, top }, { right, bottom }, { left, bottom } }
end

--- A corner of inner in which the legend hides nothing of the marks; nil if there is none.
---@param entries table[]
---@param inner table
---@param visit_all fun(visit: fun(x: number, y: number))  calls visit with where the marks are
---@return number|nil x, number|nil y
function legend.free_corner(entries, inner, visit_all)
  local width, height = legend.measure(entries, inner.height)
  if width > inner.width * 0.6 or height > inner.height * 0.6 then return nil end
  local places, taken = corners(inner, width, height), {}
  visit_all(function(x, y)
    for i, place in ipairs(places) do
      if x > place[1] - 4 and x < place[1] + width + 4 and y > place[2] - 4 and y < place[2] + height + 4 then
        taken[i] = true
      end
    end
  end)
  for i, place in ipairs(places) do
    if not taken[i] then return place[1], place[2] end
  end
end

return legend
