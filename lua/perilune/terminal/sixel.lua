-- sixel.lua -- DEC's sixels: bands of six rows, in which each colour draws its own columns of six bits.
-- Colours are those of a cube of 6 x 6 x 6.
local resized = require "perilune.terminal.resized"

local CELL_PIXELS = 10         -- a usual width of a character cell

local function color_index(r, g, b)
  local function level(byte) return (byte * 5 + 127) // 255 end
  return 36 * level(r) + 6 * level(g) + level(b)
end

local function palette()
  local parts = {}
  for i = 0, 215 do parts[i + 1] = ("#%d;2;%d;%d;%d"):format(i, i // 36 * 20, i // 6 % 6 * 20, i % 6 * 20) end
  return table.concat(parts)
end

-- Equal characters in a row are counted.
local function packed(row, width)
  local parts, x = {}, 1
  while x <= width do
    local bits, from = row[x] or 0, x
    while x <= width and (row[x] or 0) == bits do x = x + 1 end
    local character, n = string.char(63 + bits), x - from
    parts[#parts + 1] = n > 3 and ("!%d%s"):format(n, character) or character:rep(n)
  end
  return table.concat(parts)
end

-- The columns of six bits of each colour in the band whose first row is `top`.
local function band_of(planes, top, height, width)
  local rows, order = {}, {}
  for k = 0, math.min(5, height - top) do
    local red, green, blue = planes[1][top + k], planes[2][top + k], planes[3][top + k]
    for x = 1, width do
      local index = color_index(red[x], green[x], blue[x])
      local row = rows[index]
      if not row then
        row = {}
        rows[index], order[#order + 1] = row, index
      end
      row[x] = (row[x] or 0) | 1 << k
    end
  end
  return rows, order
end

return function(picture, columns, stream)
  local width = columns * CELL_PIXELS
  local height = math.max(1, math.floor(picture.shape[2] * width / picture.shape[3] + 0.5))
  local planes = resized(picture, height, width):totable()
  stream:write(('\27Pq"1;1;%d;%d'):format(width, height), palette())
  for top = 1, height, 6 do
    local rows, order = band_of(planes, top, height, width)
    for i, index in ipairs(order) do
      stream:write(i > 1 and "$" or "", "#", index, packed(rows[index], width))
    end
    stream:write("-")
  end
  stream:write("\27\\\n")
end
