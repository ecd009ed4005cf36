-- points.lua -- the points that stand on a surface: the option points of contour and regions.
local Dots = require "perilune.plot.marks.dots"
local common = require "perilune.plot.common"
local data = require "perilune.plot.data"
local options = require "perilune.options"
local theme = require "perilune.plot.theme"

local points = {}

--- A reader of { x, y, size } and of more options.
---@param what string
---@param ... table  lists of { name, default, kind }
function points.reader(what, ...)
  return options.reader(what .. ": points", common.joined({ { "x", nil, "any" }, { "y", nil, "any" },
    { "size", 5, "number" } }, ...))
end

--- Points with a white outline, which stand out on every ground.
---@param what string
---@param given table  what the reader gave back
---@param colors_of? fun(n: integer): integer[]  a colour for each of n points (default: all dark)
---@return table mark
function points.of(what, given, colors_of)
  local xs = data.numbers(what, "points.x", common.need(what .. ": points", given, "x"))
  local ys = data.numbers(what, "points.y", common.need(what .. ": points", given, "y"))
  data.same_length(what, "points.x", #xs, "points.y", #ys)
  local size = options.number(what, "option points.size", given.size, 0.1, 200)
  return Dots.new { xs = xs, ys = ys, colors = colors_of and colors_of(#xs) or theme.ink, radius = size / 2,
    stroke = 0xFFFFFFFF }
end

return points
