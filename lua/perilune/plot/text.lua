-- text.lua -- how wide text is, by Cairo; what cannot be drawn is replaced before it is measured.
local canvas = require "perilune.canvas"
local theme = require "perilune.plot.theme"

local text = {}

local ruler = canvas.open(1, 1, 1)

--- value as a line of valid UTF-8: other bytes become "?", line breaks and control characters spaces.
---@param value any
---@return string
function text.clean(value)
  local s = tostring(value):gsub("%c", " ")
  if utf8.len(s) then return s end
  return (s:gsub("[\x80-\xff]", "?"))
end

--- Width, height above the base line and depth below it, in points.
---@param s string
---@param size number
---@param bold? boolean
---@return number width, number ascent, number descent
function text.measure(s, size, bold) return ruler:measure(s, theme.family, size, bold or false) end

--- The greatest width in a list of texts; 0 for none.
---@param list string[]
---@param size number
---@return number
function text.widest(list, size)
  local width = 0
  for _, s in ipairs(list) do width = math.max(width, (text.measure(s, size))) end
  return width
end

--- s, or as much of its beginning as fits into a width, with an ellipsis.
---@param s string
---@param size number
---@param width number
---@param bold? boolean
---@return string
function text.shortened(s, size, width, bold)
  if text.measure(s, size, bold) <= width then return s end
  local stops = {}
  for at in utf8.codes(s) do stops[#stops + 1] = at end
  for i = #stops, 2, -1 do
    local short = s:sub(1, stops[i] - 1):gsub("%s+$", "") .. "…"
    if text.measure(short, size, bold) <= width then return short end
  end
  return "…"
end

return text
