-- boxes.lua -- rectangles between values: bars, bins, cells, spans of time.  Each may have an error bar and a text.
local data = require "perilune.plot.data"
local text = require "perilune.plot.text"
local theme = require "perilune.plot.theme"

local Boxes = {}
Boxes.__index = Boxes

local MIN_TEXT_SIZE = 6

--- given: list of { x1, y1, x2, y2, color, text, ink, error } in values; y2 (x2 where horizontal) is the end of a bar,
--- at which the text stands; inside: texts stand in the middle; gap: points that are left free between boxes; stroke.
function Boxes.new(given) return setmetatable(given, Boxes) end

local function is_finite(box)
  return data.is_finite(box.x1) and data.is_finite(box.x2) and data.is_finite(box.y1) and data.is_finite(box.y2)
end

function Boxes:range()
  local xs, ys = {}, {}
  for _, box in ipairs(self.list) do
    if is_finite(box) then
      local along = self.horizontal and xs or ys
      xs[#xs + 1], xs[#xs + 2], ys[#ys + 1], ys[#ys + 2] = box.x1, box.x2, box.y1, box.y2
      local finish, room = self.horizontal and box.x2 or box.y2, box.error or 0
      along[#along + 1], along[#along + 2] = finish - room, finish + room
    end
  end
  local x_low, x_high = data.range(xs)
  return x_low, x_high, data.range(ys)
end

local function corners_of(map, box, gap)
  local left, right = map.x(box.x1), map.x(box.x2)
  local top, bottom = map.y(box.y2), map.y(box.y1)
  if left > right then left, right = right, left end
  if top > bottom then top, bottom = bottom, top end
  return left + gap / 2, top + gap / 2, math.max(right - left - gap, 0.5), math.max(bottom - top - gap, 0)
end

local function draw_error(self, drawing, map, box)
  local style = { stroke = theme.ink, line_width = 1.2 }
  if self.horizontal then
    local y, from, to = map.y((box.y1 + box.y2) / 2), map.x(box.x2 - box.error), map.x(box.x2 + box.error)
    drawing:line({ from, y, to, y }, style)
    for _, x in ipairs { from, to } do drawing:line({ x, y - 3, x, y + 3 }, style) end
  else
    local x, from, to = map.x((box.x1 + box.x2) / 2), map.y(box.y2 - box.error), map.y(box.y2 + box.error)
    drawing:line({ x, from, x, to }, style)
    for _, y in ipairs { from, to } do drawing:line({ x - 3, y, x + 3, y }, style) end
  end
end

-- The size at which every text fits its box, and a bar's also the gap to the next; nil where that would be too small.
local function fitting_size(self, map)
  local size, room = theme.tick_size, self.inside and 1 or 1.2
  local _, ascent, descent = text.measure("0", size)
  local share = 1
  for _, box in ipairs(self.list) do
    if box.text and is_finite(box) then
      local _, _, width, height = corners_of(map, box, 0)
      if not self.horizontal then share = math.min(share, width * room / text.measure(box.text, size)) end
      if self.horizontal or self.inside then share = math.min(share, height * room / (ascent + descent)) end
    end
  end
  return size * share >= MIN_TEXT_SIZE and size * share or nil
end

-- At the end of a bar, beyond its error bar, where there is room; else in the middle.
local function text_place(self, map, box, size)
  local _, ascent, descent = text.measure("0", size)
  local x, y = (map.x(box.x1) + map.x(box.x2)) / 2, (map.y(box.y1) + map.y(box.y2)) / 2
  local base, room = y + (ascent - descent) / 2, box.error or 0
  if self.inside then return x, base, 0.5 end
  if self.horizontal then
    local back = box.x2 < box.x1
    return map.x(box.x2 + (back and -room or room)) + (back and -4 or 4), base, back and 1 or 0
  end
  if box.y2 < box.y1 then return x, map.y(box.y2 - room) + ascent + 2, 0.5 end
  return x, map.y(box.y2 + room) - 4, 0.5
end

function Boxes:draw(drawing, map)
  for _, box in ipairs(self.list) do
    if is_finite(box) then
      local x, y, width, height = corners_of(map, box, self.gap or 0)
      drawing:rectangle(x, y, width, height, { fill = box.color, stroke = self.stroke, line_width = 1 })
    end
  end
  local size = fitting_size(self, map)
  for _, box in ipairs(self.list) do
    if is_finite(box) then
      if box.error and box.error > 0 then draw_error(self, drawing, map, box) end
      if box.text and size then
        local x, y, anchor = text_place(self, map, box, size)
        drawing:text(x, y, box.text, { size = size, color = box.ink, anchor = anchor })
      end
    end
  end
end

-- The upper edge is enough for bars that stand, and the end for those that lie.
function Boxes:visit(map, visit)
  for _, box in ipairs(self.list) do
    if is_finite(box) then
      local x, y, width, height = corners_of(map, box, 0)
      for i = 0, 8 do
        for j = 0, 8 do visit(x + width * i / 8, y + height * j / 8) end
      end
      if box.text and not self.inside then
        local tx, ty = text_place(self, map, box, theme.tick_size)
        visit(tx, ty - 8)
      end
    end
  end
end

return Boxes
