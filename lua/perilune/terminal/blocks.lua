-- blocks.lua -- two pixels in each character cell: the colour of an upper half block and that of its background.
-- 24-bit colours where COLORTERM promises them, else the 6 x 6 x 6 of 256-colour terminals.
local resized = require "perilune.terminal.resized"

local function exact(layer, r, g, b) return ("\27[%d;2;%d;%d;%dm"):format(layer, r, g, b) end

local function coarse(layer, r, g, b)
  local function level(byte) return (byte * 5 + 127) // 255 end
  return ("\27[%d;5;%dm"):format(layer, 16 + 36 * level(r) + 6 * level(g) + level(b))
end

return function(picture, columns, stream, environment)
  local promise = (environment or os.getenv) "COLORTERM"
  local paint = (promise == "truecolor" or promise == "24bit") and exact or coarse
  local height = math.max(1, math.floor(picture.shape[2] * columns / picture.shape[3] + 0.5))
  local planes = resized(picture, height, columns):totable()
  for y = 1, height, 2 do
    for x = 1, columns do
      local upper = paint(38, planes[1][y][x], planes[2][y][x], planes[3][y][x])
      local lower = y < height and paint(48, planes[1][y + 1][x], planes[2][y + 1][x], planes[3][y + 1][x]) or "\27[49m"
      stream:write(upper, lower, "▀")
    end
    stream:write("\27[0m\n")
  end
end
