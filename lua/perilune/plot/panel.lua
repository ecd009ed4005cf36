-- panel.lua -- two axes and what stands between them: the part that scatter, line, bar, histogram and heatmap share.
--
-- A panel of any kind has margins(width, height) -> { left, top, right, bottom } and draw(drawing, box, margins); the
-- margins may be wider than it asked for, so that the axes of several panels line up.  This one is described by
--   what                     the name of the plot, for messages
--   title, xlabel, ylabel    "" for none
--   x, y                     wishes: { scale, limits, names, integers, base, padding, reversed }; base: a value at
--   which
--                            no room is left (the foot of bars)
--   marks                    drawn in their order; each has range() -> x low, x high, y low, y high,
--                            draw(drawing, map) and visit(map, visit): see marks/
--   legend, legend_place     entries; "right", "inside" (a free corner, else right) or "none"
--   colorbar                 or nil
--   grid                     "both", "x", "y" or "none"
--   overhang                 how many points marks may reach over the edges (0)
--   nothing                  what stands in the middle where there are no marks ("no data")
--   equal                    true: a unit is as long on x as on y
local axis = require "perilune.plot.axis"
local colorbar = require "perilune.plot.colorbar"
local legend = require "perilune.plot.legend"
local scale = require "perilune.plot.scale"
local text = require "perilune.plot.text"
local theme = require "perilune.plot.theme"

---@class perilune.plot.Panel
local Panel = {}
Panel.__index = Panel

function Panel.new(description) return setmetatable(description, Panel) end

-- nil, if both are.
local function lower(a, b) return a and b and math.min(a, b) or a or b end
local function higher(a, b) return a and b and math.max(a, b) or a or b end

local function data_range(self)
  local x_low, x_high, y_low, y_high
  for _, mark in ipairs(self.marks) do
    local a, b, c, d = mark:range()
    x_low, x_high, y_low, y_high = lower(x_low, a), higher(x_high, b), lower(y_low, c), higher(y_high, d)
  end
  return { x_low, x_high }, { y_low, y_high }, x_low == nil or y_low == nil
end

local function scale_of(self, name, range)
  local wish = self[name]
  local made
  if wish.names then
    made = scale.category(wish.names)
  else
    local low, high = range[1], range[2]
    made = scale.fit(self.what, name, wish, low, high, wish.padding or 0.05)
    if wish.base and not wish.limits and low and low < high then
      if low == wish.base then made.low = low end
      if high == wish.base then made.high = high end
    end
  end
  made.reversed = wish.reversed
  return made
end

-- The axis on which a unit is too long gets a wider range.
local function equalize(x, y, inner)
  local per_x, per_y = (x.high - x.low) / inner.width, (y.high - y.low) / inner.height
  local wide, length = per_x < per_y and x or y, per_x < per_y and inner.width or inner.height
  local room = (math.max(per_x, per_y) * length - (wide.high - wide.low)) / 2
  wide.low, wide.high = wide.low - room, wide.high + room
end

local function inner_of(box, margins)
  return { x = box.x + margins.left, y = box.y + margins.top,
    width = math.max(box.width - margins.left - margins.right, 20),
    height = math.max(box.height - margins.top - margins.bottom, 20) }
end

local function map_of(x, y, inner)
  local function share(s, value)
    local at = s:position(value)
    return s.reversed and 1 - at or at
  end
  return { inner = inner,
    x = function(value) return inner.x + share(x, value) * inner.width end,
    y = function(value) return inner.y + (1 - share(y, value)) * inner.height end }
end

local function title_height(self)
  if self.title == "" then return 0 end
  local _, ascent, descent = text.measure("0", theme.title_size, true)
  return ascent + descent + theme.gap
end

local function margins_of(self, parts, inner)
  local x, y = parts.x_axis, parts.y_axis
  local label = theme.label_size + theme.gap + 2
  local right = x.high_overhang
  if parts.legend_right then right = math.max(right, (legend.measure(self.legend, inner.height)) + theme.gap) end
  if self.colorbar then right = right + colorbar.width(self.colorbar, inner.height) end
  return {
    left = math.max(y.depth, x.low_overhang) + (self.ylabel ~= "" and label or 0),
    right = right,
    top = math.max(title_height(self), y.high_overhang),
    bottom = math.max(x.depth, y.low_overhang) + (self.xlabel ~= "" and label or 0),
  }
end

-- Labels need room, and with less room there are other labels: three rounds settle it.
local function settle(self, box, least, legend_right)
  local x_range, y_range, is_empty = data_range(self)
  local margins = { left = 50, right = 10, top = 24, bottom = 40 }
  local parts
  for _ = 1, 3 do
    local inner = inner_of(box, margins)
    local x, y = scale_of(self, "x", x_range), scale_of(self, "y", y_range)
    if self.equal then equalize(x, y, inner) end
    parts = { x = x, y = y, is_empty = is_empty, legend_right = legend_right,
      x_axis = axis.fit(x, inner.width, "x", box.height * 0.4),
      y_axis = axis.fit(y, inner.height, "y", box.width * 0.4) }
    margins = margins_of(self, parts, inner)
    for side, width in pairs(least or {}) do margins[side] = math.max(margins[side], width) end
  end
  parts.margins, parts.inner = margins, inner_of(box, margins)
  parts.map = map_of(parts.x, parts.y, parts.inner)
  return parts
end

local function layout(self, box, least)
  local entries = self.legend or {}
  if #entries == 0 or self.legend_place == "none" then return settle(self, box, least, false) end
  if self.legend_place == "inside" then
    local parts = settle(self, box, least, false)
    parts.legend_x, parts.legend_y = legend.free_corner(entries, parts.inner, function(visit)
      for _, mark in ipairs(self.marks) do mark:visit(parts.map, visit) end
    end)
    if parts.legend_x then return parts end
  end
  return settle(self, box, least, true)
end

function Panel:margins(width, height)
  return layout(self, { x = 0, y = 0, width = width, height = height }).margins
end

local function draw_frame(self, drawing, parts)
  local inner = parts.inner
  if self.grid == "both" or self.grid == "x" then axis.draw_grid(drawing, parts.x_axis, inner, "x") end
  if self.grid == "both" or self.grid == "y" then axis.draw_grid(drawing, parts.y_axis, inner, "y") end
end

local function draw_labels(self, drawing, box, parts)
  local inner, margins = parts.inner, parts.margins
  local bottom, style = inner.y + inner.height, { size = theme.label_size, anchor = 0.5 }
  drawing:line({ inner.x, bottom, inner.x + inner.width, bottom }, { stroke = theme.axis, line_width = 1 })
  axis.draw_labels(drawing, parts.x_axis, inner, "x")
  axis.draw_labels(drawing, parts.y_axis, inner, "y")
  local _, _, descent = text.measure("0", theme.label_size)
  drawing:text(inner.x + inner.width / 2,
    bottom + math.max(parts.x_axis.depth, parts.y_axis.low_overhang) + theme.gap + theme.label_size - descent + 2,
    text.shortened(text.clean(self.xlabel), theme.label_size, box.width), style)
  style.angle = -90
  drawing:text(inner.x - parts.y_axis.depth - theme.gap - descent,
    inner.y + inner.height / 2, text.shortened(text.clean(self.ylabel), theme.label_size, box.height), style)
  local left = math.min(inner.x, box.x + margins.left)
  drawing:text(left, inner.y - theme.gap - 4,
    text.shortened(text.clean(self.title), theme.title_size, box.x + box.width - left, true),
    { size = theme.title_size, bold = true })
end

local function draw_sides(self, drawing, parts)
  local inner = parts.inner
  local right = inner.x + inner.width
  if self.colorbar then
    colorbar.draw(drawing, self.colorbar, right, inner)
    right = right + colorbar.width(self.colorbar, inner.height)
  end
  if parts.legend_right then
    legend.draw(drawing, self.legend, right + theme.gap, inner.y - 4, inner.height)
  elseif parts.legend_x then
    legend.draw(drawing, self.legend, parts.legend_x, parts.legend_y, inner.height, true)
  end
end

function Panel:draw(drawing, box, least)
  local parts = layout(self, box, least)
  local inner = parts.inner
  draw_frame(self, drawing, parts)
  local over = self.overhang or 0
  drawing:clip(inner.x - over, inner.y - over, inner.width + 2 * over, inner.height + 2 * over)
  for _, mark in ipairs(self.marks) do mark:draw(drawing, parts.map) end
  drawing:unclip()
  if parts.is_empty then
    drawing:text(inner.x + inner.width / 2, inner.y + inner.height / 2, self.nothing or "no data",
      { size = theme.label_size, color = theme.tick_ink, anchor = 0.5 })
  end
  draw_labels(self, drawing, box, parts)
  draw_sides(self, drawing, parts)
end

return Panel
