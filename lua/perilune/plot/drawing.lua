-- drawing.lua -- what a plot comes down to: a list of primitives, from which a PNG and an SVG are made.
--
-- A command is a table with its name in `kind`:
--   line, polygon { points = { x1, y1, ... } }   rectangle { x, y, width, height }   circle { x, y, radius }
--   dots { x = list, y = list, radius, shape, colors = list or one colour }    clip { x, y, width, height }   unclip
--   text { x, y, text, size, bold, color, anchor (0 start, 0.5 middle, 1 end), angle (degrees, clockwise) }
--   image { png, x, y, width, height, smooth }
-- The first four take a style: fill, stroke (colours), line_width, dash (a list).  Points, from the upper left.
local text = require "perilune.plot.text"
local theme = require "perilune.plot.theme"

---@class perilune.plot.Drawing
local Drawing = {}
Drawing.__index = Drawing

function Drawing.new(width, height)
  return setmetatable({ width = width, height = height, commands = {} }, Drawing)
end

local function add(self, kind, command, style)
  command.kind = kind
  for name, value in pairs(style or {}) do command[name] = value end
  self.commands[#self.commands + 1] = command
end

function Drawing:line(points, style) add(self, "line", { points = points }, style) end
function Drawing:polygon(points, style) add(self, "polygon", { points = points }, style) end
function Drawing:circle(x, y, radius, style) add(self, "circle", { x = x, y = y, radius = radius }, style) end
function Drawing:dots(dots) add(self, "dots", dots) end

function Drawing:rectangle(x, y, width, height, style)
  add(self, "rectangle", { x = x, y = y, width = width, height = height }, style)
end

function Drawing:clip(x, y, width, height) add(self, "clip", { x = x, y = y, width = width, height = height }) end
function Drawing:unclip() add(self, "unclip", {}) end

function Drawing:image(png, x, y, width, height, smooth)
  add(self, "image", { png = png, x = x, y = y, width = width, height = height, smooth = smooth or false })
end

--- On its base line.  style: size, bold, color, anchor, angle.
function Drawing:text(x, y, s, style)
  if s == "" then return end
  add(self, "text", { x = x, y = y, text = text.clean(s), size = theme.tick_size, bold = false, color = theme.ink,
    anchor = 0, angle = 0 }, style)
end

return Drawing
