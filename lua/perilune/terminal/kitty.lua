-- kitty.lua -- the graphics protocol of the kitty terminal: a PNG in base64, in pieces of 4096 characters.
-- https://sw.kovidgoyal.net/kitty/graphics-protocol
local base64 = require "perilune.base64"
local core = require "perilune.core"

local PIECE = 4096

return function(picture, columns, stream)
  local text = base64(core.formats.dumps_png(picture, 8))
  for from = 1, #text, PIECE do
    local control = from == 1 and ("a=T,f=100,q=2,c=%d,"):format(columns) or ""
    local more = from + PIECE <= #text and 1 or 0
    stream:write("\27_G", control, "m=", more, ";", text:sub(from, from + PIECE - 1), "\27\\")
  end
  stream:write("\n")
end
