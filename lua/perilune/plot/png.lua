-- png.lua -- a drawing as the bytes of a PNG, by Cairo.
local canvas = require "perilune.canvas"
local markers = require "perilune.plot.markers"
local theme = require "perilune.plot.theme"

local play = {}

local function paint(k, c) k:paint(c.fill, c.stroke, c.line_width, c.dash) end

function play.line(k, c) k:line(c.points, false) paint(k, c) end
function play.polygon(k, c) k:line(c.points, true) paint(k, c) end
function play.rectangle(k, c) k:rectangle(c.x, c.y, c.width, c.height) paint(k, c) end
function play.circle(k, c) k:circle(c.x, c.y, c.radius) paint(k, c) end
function play.clip(k, c) k:clip(c.x, c.y, c.width, c.height) end
function play.unclip(k) k:unclip() end
function play.image(k, c) k:image(c.png, c.x, c.y, c.width, c.height, c.smooth) end

function play.text(k, c)
  k:text(c.text, c.x, c.y, c.anchor, math.rad(c.angle), theme.family, c.size, c.bold, c.color)
end

function play.dots(k, c)
  local xs, ys, colors = c.x, c.y, c.colors
  local one = math.type(colors) == "integer" and colors
  for i = 1, #xs do
    if c.shape == "circle" then k:circle(xs[i], ys[i], c.radius)
    else k:line(markers.corners(c.shape, xs[i], ys[i], c.radius), true) end
    k:paint(one or colors[i], c.stroke, c.line_width)
  end
end

--- scale: pixels of a point.
---@param drawing perilune.plot.Drawing
---@param scale number
---@return string
return function(drawing, scale)
  local k <close> = canvas.open(drawing.width, drawing.height, scale)
  for _, command in ipairs(drawing.commands) do play[command.kind](k, command) end
  return k:png()
end
