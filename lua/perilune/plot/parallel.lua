-- parallel.lua -- the panel of parallel_coordinates: upright axes side by side, and lines across them.
local axis = require "perilune.plot.axis"
local color = require "perilune.plot.color"
local colorbar = require "perilune.plot.colorbar"
local data = require "perilune.plot.data"
local quantity = require "perilune.plot.quantity"
local text = require "perilune.plot.text"
local theme = require "perilune.plot.theme"

local Parallel = {}
Parallel.__index = Parallel

local SIZE = theme.tick_size
local LABEL_GAP, NAME_GAP = 6, 12

--- given: title, axes ({ name, values, scale }), colors (list or nil), colorbar, alpha, best
function Parallel.new(given) return setmetatable(given, Parallel) end

function Parallel.margins() return { left = 0, top = 0, right = 0, bottom = 0 } end

local function line_height(size, bold)
  local _, ascent, descent = text.measure("0", size, bold)
  return ascent + descent
end

-- Names that are wider than the space between two axes stand on two levels.
local function has_two_levels(self, pitch)
  for i = 2, #self.axes do
    local width = (text.measure(self.axes[i].name, SIZE, true) + text.measure(self.axes[i - 1].name, SIZE, true)) / 2
    if width + LABEL_GAP > pitch then return true end
  end
  return false
end

local function layout(self, box)
  local head = self.title ~= "" and line_height(theme.title_size, true) + theme.gap or 0
  local first, last = self.axes[1], self.axes[#self.axes]
  local half_first, half_last = text.measure(first.name, SIZE, true) / 2, text.measure(last.name, SIZE, true) / 2
  local bar = self.colorbar and colorbar.width(self.colorbar, box.height - head - 40) + 8 or 0
  local height = box.height - head
  local labels = axis.fit(first.scale, height, "y", box.width * 0.2)
  local left = math.min(math.max(labels.depth, half_first), box.width * 0.3)
  local right = bar + math.min(half_last, box.width * 0.2)
  local pitch = (box.width - left - right) / (#self.axes - 1)
  local levels = has_two_levels(self, pitch) and 2 or 1
  local names = levels * line_height(SIZE, true) + NAME_GAP
  local inner = { x = box.x + left, y = box.y + head + names, width = box.width - left - right,
    height = math.max(height - names - line_height(SIZE) / 2, 20) }
  return { inner = inner, pitch = pitch, levels = levels, bar_x = box.x + box.width - bar }
end

-- Lines of the better end come last; those without a colour first.
local function order_of(self, n)
  local order, key = {}, {}
  for i = 1, n do
    order[i] = i
    local value = self.colors and self.colors[i] or 0
    key[i] = data.is_finite(value) and (self.best == "low" and -value or value) or -math.huge
  end
  table.sort(order, function(a, b) return key[a] < key[b] or key[a] == key[b] and a < b end)
  return order
end

-- rank: 0 for the worst line .. 1 for the best, which stands out.
local function color_of(self, i, rank)
  if not self.colors then return color.faded(theme.series, self.alpha) end
  return color.faded(quantity.color(self.colorbar, self.colors[i]), self.alpha * (0.3 + 0.7 * rank))
end

local function draw_lines(self, drawing, parts)
  local inner, n = parts.inner, #self.axes[1].values
  for rank, i in ipairs(order_of(self, n)) do
    local points = {}
    for k, one in ipairs(self.axes) do
      local value = one.values[i]
      if not data.is_finite(value) then break end
      points[#points + 1] = inner.x + (k - 1) * parts.pitch
      points[#points + 1] = inner.y + (1 - one.scale:position(value)) * inner.height
    end
    if #points >= 4 then drawing:line(points, { stroke = color_of(self, i, rank / n), line_width = 1.4 }) end
  end
end

-- White behind each label, because lines run below it.
local function draw_axis(drawing, one, x, inner, room)
  local found = axis.fit(one.scale, inner.height, "y", room)
  local _, ascent, descent = text.measure("0", SIZE)
  drawing:line({ x, inner.y, x, inner.y + inner.height }, { stroke = theme.ink, line_width = 1.2 })
  for i, share in ipairs(found.shares) do
    local y = inner.y + (1 - share) * inner.height
    local width = text.measure(found.texts[i], SIZE)
    drawing:line({ x - theme.tick_length, y, x, y }, { stroke = theme.ink, line_width = 1 })
    drawing:rectangle(x - theme.tick_length - 4 - width, y - ascent / 2 - 1, width + 2, ascent + 2,
      { fill = 0xFFFFFFE0 })
    drawing:text(x - theme.tick_length - 3, y + (ascent - descent) / 2, found.texts[i], { anchor = 1 })
  end
end

function Parallel:draw(drawing, box)
  local parts = layout(self, box)
  local inner = parts.inner
  local _, title_ascent = text.measure("0", theme.title_size, true)
  drawing:text(box.x, box.y + title_ascent,
    text.shortened(text.clean(self.title), theme.title_size, box.width, true), { size = theme.title_size, bold = true })
  draw_lines(self, drawing, parts)
  for k, one in ipairs(self.axes) do
    local x = inner.x + (k - 1) * parts.pitch
    local level = parts.levels == 2 and k % 2 or 0
    draw_axis(drawing, one, x, inner, parts.pitch * 0.8)
    drawing:text(x, inner.y - NAME_GAP - level * line_height(SIZE, true),
      text.shortened(text.clean(one.name), SIZE, parts.pitch * (parts.levels == 2 and 2 or 1.2) - LABEL_GAP, true),
      { bold = true, anchor = 0.5 })
  end
  if self.colorbar then colorbar.draw(drawing, self.colorbar, parts.bar_x, inner) end
end

return Parallel
