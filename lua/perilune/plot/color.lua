-- color.lua -- colours as integers 0xRRGGBBAA.
local core = require "perilune.core"
local options = require "perilune.options"

local color = {}

local DARK <const>, WHITE <const> = 0x1A1A1AFF, 0xFFFFFFFF

local NAMED = { black = 0x000000FF, white = 0xFFFFFFFF, gray = 0x7F7F7FFF, red = 0xD62728FF, green = 0x2CA02CFF,
  blue = 0x1F77B4FF, orange = 0xFF7F0EFF }

--- "#rgb", "#rrggbb", "#rrggbbaa" or a name as a colour; raises, in the name of `what`, on all else.
---@param what string
---@param value any
---@return integer
function color.parse(what, value)
  if NAMED[value] then return NAMED[value] end
  local digits = type(value) == "string" and value:match("^#(%x+)$") or ""
  if #digits == 3 then digits = digits:gsub("%x", "%0%0") end
  if #digits == 6 then return tonumber(digits, 16) << 8 | 0xFF end
  if #digits == 8 then return tonumber(digits, 16) end
  return core.raise(("%s: a colour is \"#rrggbb\" or one of black, white, gray, red, green, blue, orange; got %s")
    :format(what, options.described(value)))
end

--- Red, green, blue and alpha, each 0..255.
function color.parts(c) return c >> 24 & 0xFF, c >> 16 & 0xFF, c >> 8 & 0xFF, c & 0xFF end

--- Of three shares 0..1.
function color.from_shares(r, g, b)
  local function byte(share) return math.floor(math.min(math.max(share, 0), 1) * 255 + 0.5) end
  return byte(r) << 24 | byte(g) << 16 | byte(b) << 8 | 0xFF
end

--- c with its alpha multiplied by a share 0..1.
function color.faded(c, alpha) return c & ~0xFF | math.floor((c & 0xFF) * alpha + 0.5) end

--- a where share is 0, b where it is 1; opaque.
function color.mixed(a, b, share)
  local r1, g1, b1 = color.parts(a)
  local r2, g2, b2 = color.parts(b)
  local function mix(p, q) return (p + (q - p) * share) / 255 end
  return color.from_shares(mix(r1, r2), mix(g1, g2), mix(b1, b2))
end

local function linear(byte)
  local share = byte / 255
  return share <= 0.04045 and share / 12.92 or ((share + 0.055) / 1.055) ^ 2.4
end

--- Relative luminance, 0 black .. 1 white (WCAG 2).
function color.luminance(c)
  local r, g, b = color.parts(c)
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
end

--- How well a can be read on b: 1, not at all, .. 21, black on white (WCAG 2).
function color.contrast(a, b)
  local one, other = color.luminance(a), color.luminance(b)
  return (math.max(one, other) + 0.05) / (math.min(one, other) + 0.05)
end

--- Dark or white, whichever is read better on c.
function color.ink_on(c)
  return color.contrast(DARK, c) >= color.contrast(WHITE, c) and DARK or WHITE
end

return color
