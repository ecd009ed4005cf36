-- surface.lua -- a surface over a grid of x and y: its colours, interpolated between the grid's lines, and level lines.
local Picture = require "perilune.plot.marks.picture"
local data = require "perilune.plot.data"
local level_lines = require "perilune.plot.level_lines"

local Surface = {}
Surface.__index = Surface

--- given: xs (ascending, one for each column), ys (ascending, one for each row), rows, levels, color_of(value),
--- line_color, filled, nearest (true: no interpolation, each place has the value at the nearest point of the grid)
function Surface.new(given) return setmetatable(given, Surface) end

function Surface:range() return self.xs[1], self.xs[#self.xs], self.ys[1], self.ys[#self.ys] end

-- For n pixels from first to last: the interval of the places in which each centre lies, and how far along it.
local function intervals(places, n)
  local first, last = places[1], places[#places]
  local found, k = {}, 1
  for i = 1, n do
    local at = first + (last - first) * (i - 0.5) / n
    while k < #places - 1 and (at - places[k + 1]) * (last - first) > 0 do k = k + 1 end
    found[i] = { k, (at - places[k]) / (places[k + 1] - places[k]) }
  end
  return found
end

local function placed(map, values)
  local places = {}
  for i, value in ipairs(values) do places[i] = map(value) end
  return places
end

local function nearest(self, columns, lines)
  local rows = {}
  for i, line in ipairs(lines) do
    local row = self.rows[line[1] + (line[2] < 0.5 and 0 or 1)]
    rows[i] = {}
    for j, column in ipairs(columns) do rows[i][j] = row[column[1] + (column[2] < 0.5 and 0 or 1)] end
  end
  return rows
end

-- Bilinear in the places on the page, so that logarithmic axes look as smooth as linear ones.
local function interpolated(self, columns, lines)
  local rows = {}
  for i, line in ipairs(lines) do
    local low, high, v = self.rows[line[1]], self.rows[line[1] + 1], line[2]
    rows[i] = {}
    for j, column in ipairs(columns) do
      local c, u = column[1], column[2]
      rows[i][j] = (low[c] * (1 - u) + low[c + 1] * u) * (1 - v) + (high[c] * (1 - u) + high[c + 1] * u) * v
    end
  end
  return rows
end

local function draw_colors(self, drawing, map)
  local px, py = placed(map.x, self.xs), placed(map.y, self.ys)
  local width, height = math.abs(px[#px] - px[1]), math.abs(py[#py] - py[1])
  local columns = intervals(px, math.max(1, math.ceil(width)))
  local rows = (self.nearest and nearest or interpolated)(self, columns, intervals(py, math.max(1, math.ceil(height))))
  local from_top = {}
  for i = #rows, 1, -1 do from_top[#from_top + 1] = rows[i] end       -- the first of ys is the lowest
  drawing:image(Picture.of_rows(from_top, self.color_of).png, px[1], py[#py], width, height, false)
end

local function draw_lines(self, drawing, map)
  local px, py = placed(map.x, self.xs), placed(map.y, self.ys)
  local function between(places, at)
    local k = math.min(math.floor(at), #places - 1)
    return places[k] + (places[k + 1] - places[k]) * (at - k)
  end
  for _, level in ipairs(self.levels) do
    for _, line in ipairs(level_lines.at(self.rows, level)) do
      local points = {}
      for _, at in ipairs(line) do
        points[#points + 1], points[#points + 2] = between(px, at[1]), between(py, at[2])
      end
      drawing:line(points, { stroke = self.line_color or self.color_of(level), line_width = self.line_width or 0.8 })
    end
  end
end

function Surface:draw(drawing, map)
  if #self.xs < 2 or #self.ys < 2 then return end
  if self.filled then draw_colors(self, drawing, map) end
  draw_lines(self, drawing, map)
end

function Surface:visit(map, visit)
  for r, row in ipairs(self.rows) do
    for c, value in ipairs(row) do
      if data.is_finite(value) then visit(map.x(self.xs[c]), map.y(self.ys[r])) end
    end
  end
end

return Surface
