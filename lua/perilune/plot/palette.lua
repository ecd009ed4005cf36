-- palette.lua -- colours of classes and series.
--
-- Up to eight: Okabe & Ito, "Color Universal Design", 2008, in an order in which neighbours differ in lightness too,
-- and yellow, weak on white, comes late.  Nine and ten: Petroff, arXiv 2107.02270, ten colours that were optimised for
-- scatter plots under simulated colour-vision deficiencies.  More than ten repeat, with other marker shapes.
local color = require "perilune.plot.color"
local core = require "perilune.core"
local markers = require "perilune.plot.markers"
local options = require "perilune.options"

local palette = {}

local OKABE_ITO = { 0x0072B2FF, 0xE69F00FF, 0x009E73FF, 0xD55E00FF, 0xCC79A7FF, 0x56B4E9FF, 0x000000FF, 0xF0E442FF }
local PETROFF = { 0x3F90DAFF, 0xFFA90EFF, 0xBD1F01FF, 0x94A4A2FF, 0x832DB6FF, 0xA96B59FF, 0xE76300FF, 0xB9AC70FF,
  0x717581FF, 0x92DADDFF }

--- Colours for n classes; given: the user's own list of "#rrggbb", or nil.
---@param what string
---@param n integer
---@param given? string[]
---@return integer[] colors  n of them
function palette.classes(what, n, given)
  local base = n <= #OKABE_ITO and OKABE_ITO or PETROFF
  if given ~= nil then
    if type(given) ~= "table" or #given == 0 then
      core.raise(("%s: palette must be a list of colours, got %s"):format(what, options.described(given)))
    end
    base = {}
    for i, value in ipairs(given) do base[i] = color.parse(what, value) end
  end
  local colors = {}
  for i = 1, n do colors[i] = base[(i - 1) % #base + 1] end
  return colors
end

--- The marker of class i, when colours come round after `period` classes.
function palette.shape(i, period) return markers.NAMES[(i - 1) // period % #markers.NAMES + 1] end

--- After how many classes the colours of palette.classes repeat.
function palette.period(given) return given and #given or #PETROFF end

return palette
