-- thumbnails.lua -- pictures centred on points, thinned so that they can be seen.
local color = require "perilune.plot.color"
local core = require "perilune.core"
local data = require "perilune.plot.data"

local Thumbnails = {}
Thumbnails.__index = Thumbnails

--- given: xs, ys (lists), images (N, C, H, W), colors (of gray pictures: one or a list), size (points), distance: the
--- least one between two centres, along x or along y
function Thumbnails.new(given) return setmetatable(given, Thumbnails) end

function Thumbnails:range()
  local xs, ys = {}, {}
  for i = 1, #self.xs do
    if data.is_finite(self.xs[i]) and data.is_finite(self.ys[i]) then
      xs[#xs + 1], ys[#ys + 1] = self.xs[i], self.ys[i]
    end
  end
  local low, high = data.range(xs)
  return low, high, data.range(ys)
end

-- A gray picture is ink whose strength is its brightness, on transparent paper.
local function inked(picture, c)
  local r, g, b = color.parts(c)
  local bytes = core.formats.loads_png(core.formats.dumps_png(picture, 8))
  local shape, full = { 1, bytes.shape[2], bytes.shape[3] }, core.create.full
  local function plane(value) return full(shape, value, { dtype = "uint8" }) end
  return core.ops.cat({ plane(r), plane(g), plane(b), bytes }, 1)
end

-- The numbers of the points that keep their distance from all before them.  Those kept lie in a net of cells as wide
-- as the distance, so that only nine cells are looked at.
local function kept(self, map)
  local cells, list, distance = {}, {}, self.distance
  local function is_free(column, row, x, y)
    for i = column - 1, column + 1 do
      for j = row - 1, row + 1 do
        local other = cells[i * 65536 + j]
        if other and math.abs(other[1] - x) < distance and math.abs(other[2] - y) < distance then return false end
      end
    end
    return true
  end
  for i = 1, #self.xs do
    if data.is_finite(self.xs[i]) and data.is_finite(self.ys[i]) then
      local x, y = map.x(self.xs[i]), map.y(self.ys[i])
      local column, row = math.floor(x / distance), math.floor(y / distance)
      if is_free(column, row, x, y) then
        cells[column * 65536 + row] = { x, y }
        list[#list + 1] = { i = i, x = x, y = y }
      end
    end
  end
  return list
end

function Thumbnails:draw(drawing, map)
  local n_channels, height, width = self.images.shape[2], self.images.shape[3], self.images.shape[4]
  local side = self.size / math.max(height, width)
  for _, one in ipairs(kept(self, map)) do
    local picture = self.images:select(1, one.i)
    if n_channels == 1 then
      picture = inked(picture, type(self.colors) == "table" and self.colors[one.i] or self.colors)
    end
    local w, h = width * side, height * side
    drawing:image(core.formats.dumps_png(picture, 8), one.x - w / 2, one.y - h / 2, w, h, true)
  end
end

function Thumbnails:visit(map, visit)
  for i = 1, #self.xs do visit(map.x(self.xs[i]), map.y(self.ys[i])) end
end

return Thumbnails
