-- picture.lua -- a picture that fills a rectangle between values.
local color = require "perilune.plot.color"
local core = require "perilune.core"

local Picture = {}
Picture.__index = Picture

--- given: png (bytes), x1, x2 (left and right), y1, y2 (the values at the upper and lower edge), smooth
function Picture.new(given) return setmetatable(given, Picture) end

--- One pixel for each value of a list of rows; pixel (r, c) is centred on x = c, y = r.
function Picture.of_rows(rows, color_of, smooth)
  local n_rows, n_columns = #rows, #rows[1]
  local planes = { {}, {}, {} }
  for r, row in ipairs(rows) do
    for plane = 1, 3 do planes[plane][r] = {} end
    for c, value in ipairs(row) do
      planes[1][r][c], planes[2][r][c], planes[3][r][c] = color.parts(color_of(value))
    end
  end
  local png = core.formats.dumps_png(core.create.tensor(planes, { dtype = "uint8" }), 8)
  return Picture.new { png = png, x1 = 0.5, x2 = n_columns + 0.5, y1 = 0.5, y2 = n_rows + 0.5, smooth = smooth }
end

function Picture:range() return self.x1, self.x2, math.min(self.y1, self.y2), math.max(self.y1, self.y2) end

function Picture:draw(drawing, map)
  local x, y = map.x(self.x1), map.y(self.y1)
  drawing:image(self.png, x, y, map.x(self.x2) - x, map.y(self.y2) - y, self.smooth)
end

function Picture.visit(_, map, visit)
  local inner = map.inner
  for i = 0, 10 do
    for j = 0, 10 do visit(inner.x + inner.width * i / 10, inner.y + inner.height * j / 10) end
  end
end

return Picture
