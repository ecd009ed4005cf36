-- markers.lua -- the shapes of points, all of about one area.  A circle is a circle; the others are polygons.
local markers = { NAMES = { "circle", "square", "diamond", "triangle" } }

local UNIT = {
  square = { -0.88, -0.88, 0.88, -0.88, 0.88, 0.88, -0.88, 0.88 },
  diamond = { 0, -1.25, 1.25, 0, 0, 1.25, -1.25, 0 },
  triangle = { 0, -1.3, 1.2, 0.8, -1.2, 0.8 },
}

--- { x1, y1, ... } of a shape of that radius around (x, y).
function markers.corners(shape, x, y, radius)
  local corners = {}
  for i, at in ipairs(UNIT[shape]) do corners[i] = at * radius + (i % 2 == 1 and x or y) end
  return corners
end

return markers
