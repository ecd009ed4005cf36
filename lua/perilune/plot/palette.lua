-- palette.lua -- colours of classes and series.
--
-- Up to eight: Okabe & Ito, "Color Universal Design", 2008, in an order in which neighbours differ in lightness too,
-- and yellow, weak on white, comes late.  Nine and ten: found by annealing, for the largest distance between the two
-- that are most alike (in OKLab, times 100) to normal eyes, deuteranopes and protanopes (Machado et al. 2009): 20.2,
-- 12.6 and 12.5; none is darker than 44, because small dark points look black, whatever their hue.  Petroff's ten,
-- arXiv 2107.02270, have 9.0, 8.4 and 6.1; matplotlib's tab10 11.3, 2.3 and 0.7.  More than ten repeat, with other
-- marker shapes.
local color = require "perilune.plot.color"
local core = require "perilune.core"
local markers = require "perilune.plot.markers"
local options = require "perilune.options"

local palette = {}

local OKABE_ITO = { 0x0072B2FF, 0xE69F00FF, 0x009E73FF, 0xD55E00FF, 0xCC79A7FF, 0x56B4E9FF, 0x000000FF, 0xF0E442FF }
local TEN = { 0x0654A8FF, 0xEE601EFF, 0x1B9BA1FF, 0xD46EFFFF, 0x7E5309FF, 0xFDB912FF, 0x8120F9FF, 0x22E8A5FF,
  0x940069FF, 0xABC7FFFF }

--- Colours for n classes; given: the user's own list of "#rrggbb", or nil.
---@param what string
---@param n integer
---@param given? string[]
---@return integer[] colors  n of them
function palette.classes(what, n, given)
  local base = n <= #OKABE_ITO and OKABE_ITO or TEN
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
function palette.period(given) return given and #given or #TEN end

return palette
