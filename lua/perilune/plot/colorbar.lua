-- colorbar.lua -- which value has which colour, to the right of a panel.
--
-- A bar is { scale, map, label }: a scale of scale.lua, a function of colormap.lua, the name of the quantity or "".
local Picture = require "perilune.plot.marks.picture"
local axis = require "perilune.plot.axis"
local text = require "perilune.plot.text"
local theme = require "perilune.plot.theme"

local colorbar = {}

local WIDTH, BEFORE, STEPS = 12, 14, 256

local function labels(bar, height) return axis.fit(bar.scale, height, "y") end

--- How wide it is, with the space before it.
function colorbar.width(bar, height)
  local label = bar.label ~= "" and theme.label_size + theme.gap + 2 or 0
  return BEFORE + WIDTH + 6 + text.widest(labels(bar, height).texts, theme.tick_size) + label
end

-- A row of pixels for each step, the highest on top; as many as points in a row, because some viewers blur a picture's
-- edge by half a pixel.
local function picture_of(bar)
  local rows = {}
  for k = 1, STEPS do
    rows[k] = {}
    for c = 1, WIDTH do rows[k][c] = (STEPS - k + 0.5) / STEPS end
  end
  return Picture.of_rows(rows, bar.map).png
end

--- Draws it right of x, as high as inner.
function colorbar.draw(drawing, bar, x, inner)
  local found = labels(bar, inner.height)
  local _, ascent, descent = text.measure("0", theme.tick_size)
  x = x + BEFORE
  drawing:image(picture_of(bar), x, inner.y, WIDTH, inner.height)
  for i, share in ipairs(found.shares) do
    local y = inner.y + (1 - share) * inner.height
    drawing:line({ x + WIDTH, y, x + WIDTH + 3, y }, { stroke = theme.axis, line_width = 1 })
    drawing:text(x + WIDTH + 6, y + (ascent - descent) / 2, found.texts[i], { color = theme.tick_ink })
  end
  local left = x + WIDTH + 6 + text.widest(found.texts, theme.tick_size) + theme.gap + theme.label_size - 2
  drawing:text(left, inner.y + inner.height / 2, bar.label, { size = theme.label_size, anchor = 0.5, angle = -90 })
end

return colorbar
