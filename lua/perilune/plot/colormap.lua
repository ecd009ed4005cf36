-- colormap.lua -- colours of a quantity: 0 .. 1 to a colour, by straight lines between the entries of a small table.
--
-- viridis and magma (van der Walt & Smith, 2015; CC0) grow evenly in lightness and are read alike with and without
-- colour-vision deficiencies.  blues begins at white, for counts; coolwarm has its middle at 0.5, for signed values.
local color = require "perilune.plot.color"
local options = require "perilune.options"

local TABLES = {
  viridis = { 0x440154, 0x481A6C, 0x472F7D, 0x414487, 0x39568C, 0x31688E, 0x2A788E, 0x23888E,
    0x1F988B, 0x22A884, 0x35B779, 0x54C568, 0x7AD151, 0xA5DB36, 0xD2E21B, 0xFDE725 },
  magma = { 0x000004, 0x0B0924, 0x20114B, 0x3B0F70, 0x57157E, 0x721F81, 0x8C2981, 0xA8327D,
    0xC43C75, 0xDE4968, 0xF1605D, 0xFA7F5E, 0xFE9F6D, 0xFEBF84, 0xFDDEA0, 0xFCFDBF },
  blues = { 0xF7FBFF, 0xDCEAF6, 0xBAD6EB, 0x89BEDC, 0x539ECD, 0x2B7BBA, 0x0B559F, 0x08306B },
  coolwarm = { 0x2B5BA8, 0x6C9BD2, 0xB3CFE8, 0xF5F5F5, 0xF2BFA8, 0xDD7A5C, 0xB2302B },
  gray = { 0x000000, 0xFFFFFF },
}
local NAMES = { "viridis", "magma", "blues", "coolwarm", "gray" }

local colormap = {}

--- A function from 0 .. 1 (what lies beyond is clamped) to a colour; raises, in the name of `what`, on an unknown name.
---@param what string
---@param name string  viridis, magma, blues, coolwarm or gray
---@return fun(share: number): integer
function colormap.get(what, name)
  local stops = TABLES[options.choice(what, "colormap", name, NAMES)]
  return function(share)
    local at = math.min(math.max(share, 0), 1) * (#stops - 1)
    local i = math.min(math.floor(at), #stops - 2)
    return color.mixed(stops[i + 1] << 8 | 0xFF, stops[i + 2] << 8 | 0xFF, at - i)
  end
end

return colormap
