-- page.lua -- several panels in a grid, with a title above and perhaps one colour bar for all on the right; itself a
-- panel, so that pages can stand in pages.
local colorbar = require "perilune.plot.colorbar"
local text = require "perilune.plot.text"
local theme = require "perilune.plot.theme"

local Page = {}
Page.__index = Page

local GAP = 18

--- given: panels (list), columns, title, colorbar (or nil)
function Page.new(given) return setmetatable(given, Page) end

function Page.margins() return { left = 0, top = 0, right = 0, bottom = 0 } end

local function heading_height(self)
  if self.title == "" then return 0 end
  local _, ascent, descent = text.measure("0", theme.heading_size, true)
  return ascent + descent + 10
end

local function cell_of(self, i, box)
  local rows = math.ceil(#self.panels / self.columns)
  local width = (box.width - (self.columns - 1) * GAP) / self.columns
  local height = (box.height - (rows - 1) * GAP) / rows
  local row, column = (i - 1) // self.columns + 1, (i - 1) % self.columns + 1
  return { x = box.x + (column - 1) * (width + GAP), y = box.y + (row - 1) * (height + GAP), width = width,
    height = height, row = row, column = column }
end

-- Axes line up: in a column the widest left and right margin holds for all, in a row the highest.
local function shared_margins(self, box)
  local rows, columns = {}, {}
  local function widen(list, at, side, width)
    list[at] = list[at] or {}
    list[at][side] = math.max(list[at][side] or 0, width)
  end
  for i, panel in ipairs(self.panels) do
    local cell = cell_of(self, i, box)
    local margins = panel:margins(cell.width, cell.height)
    for _, side in ipairs { "left", "right" } do widen(columns, cell.column, side, margins[side]) end
    for _, side in ipairs { "top", "bottom" } do widen(rows, cell.row, side, margins[side]) end
  end
  return rows, columns
end

-- As high as the panels of a column from the first row to the last.
local function draw_bar(self, drawing, box, rows)
  local top = box.y + rows[1].top
  colorbar.draw(drawing, self.colorbar, box.x + box.width,
    { y = top, height = math.max(box.y + box.height - rows[#rows].bottom - top, 20) })
end

function Page:draw(drawing, box)
  local head = heading_height(self)
  if head > 0 then
    local _, ascent = text.measure("0", theme.heading_size, true)
    drawing:text(box.x, box.y + ascent, text.shortened(text.clean(self.title), theme.heading_size, box.width, true),
      { size = theme.heading_size, bold = true })
  end
  box = { x = box.x, y = box.y + head, width = box.width, height = box.height - head }
  if self.colorbar then box.width = box.width - colorbar.width(self.colorbar, box.height) end
  local rows, columns = shared_margins(self, box)
  for i, panel in ipairs(self.panels) do
    local cell = cell_of(self, i, box)
    local row, column = rows[cell.row], columns[cell.column]
    panel:draw(drawing, cell, { left = column.left, right = column.right, top = row.top, bottom = row.bottom })
  end
  if self.colorbar then draw_bar(self, drawing, box, rows) end
end

return Page
