-- dots.lua -- points of a scatter plot, drawn in the order in which they were given, so that no class hides another.
local data = require "perilune.plot.data"
local markers = require "perilune.plot.markers"

local Dots = {}
Dots.__index = Dots

--- Points of which x or y is not finite are left out.
---@param given table  xs, ys (lists); colors, shapes: one value or a list; radius; stroke
---@return table mark
function Dots.new(given)
  local self = setmetatable({ xs = {}, ys = {}, colors = {}, shapes = {}, radius = given.radius,
    stroke = given.stroke, dropped = 0 }, Dots)
  for i = 1, #given.xs do
    local x, y = given.xs[i], given.ys[i]
    if data.is_finite(x) and data.is_finite(y) then
      local n = #self.xs + 1
      self.xs[n], self.ys[n] = x, y
      self.colors[n] = type(given.colors) == "table" and given.colors[i] or given.colors
      self.shapes[n] = type(given.shapes) == "table" and given.shapes[i] or given.shapes or "circle"
    else
      self.dropped = self.dropped + 1
    end
  end
  return self
end

function Dots:range()
  local x_low, x_high = data.range(self.xs)
  return x_low, x_high, data.range(self.ys)
end

function Dots:draw(drawing, map)
  for _, shape in ipairs(markers.NAMES) do
    local dots = { x = {}, y = {}, colors = {}, radius = self.radius, stroke = self.stroke, shape = shape }
    for i = 1, #self.xs do
      if self.shapes[i] == shape then
        local n = #dots.x + 1
        dots.x[n], dots.y[n], dots.colors[n] = map.x(self.xs[i]), map.y(self.ys[i]), self.colors[i]
      end
    end
    if #dots.x > 0 then drawing:dots(dots) end
  end
end

function Dots:visit(map, visit)
  for i = 1, #self.xs do visit(map.x(self.xs[i]), map.y(self.ys[i])) end
end

return Dots
