local Boxes = require "perilune.plot.marks.boxes"
local common = require "perilune.plot.common"
local core = require "perilune.core"
local data = require "perilune.plot.data"
local groups = require "perilune.plot.groups"
local theme = require "perilune.plot.theme"

local WHAT = "timeline"
local read = common.reader(WHAT, { { "start", nil, "any" }, { "length", nil, "any" }, { "lane", nil, "any" } },
  groups.OPTIONS)

-- Lane numbers and, where lanes have names, those.
local function lanes_of(option, n)
  local lanes, numeric = {}, true
  for i = 1, n do lanes[i] = i end
  if option.lane == nil then return lanes, nil end
  if core.is_tensor(option.lane) then return data.numbers(WHAT, "lane", option.lane), nil end
  for i = 1, #option.lane do numeric = numeric and math.type(option.lane[i]) == "integer" end
  if numeric then return option.lane, nil end
  local found = groups.of(WHAT, "lane", option.lane, nil, n)
  return found.of, found.names
end

--- Spans of time in lanes, the first lane on top.  plot.timeline { start = begin, length = seconds, label = states }
-- Options: start, length: tensors (N) or lists (what is not finite is left out); lane of each: integers or strings
-- (default 1 .. N, one for each span); label: a class for each, integers or strings, each in a colour of its own;
-- names: of the integers 1, 2 ...; palette.  And those of all plots: title, xlabel, ylabel, xlim, ylim, legend
-- ("inside": a free corner, "right", false), grid, width, height.
---@param given table
---@return perilune.plot.Figure
local function timeline(given)
  local option = read(given)
  local starts = data.numbers(WHAT, "start", common.need(WHAT, option, "start"))
  local lengths = data.numbers(WHAT, "length", common.need(WHAT, option, "length"))
  data.same_length(WHAT, "start", #starts, "length", #lengths)
  local lanes, lane_names = lanes_of(option, #starts)
  data.same_length(WHAT, "start", #starts, "lane", #lanes)
  local of, colors, entries = nil, { theme.series }, {}
  if option.label ~= nil then
    local found
    found, entries = groups.coloured(WHAT, option, #starts, function() return "box" end)
    of, colors = found.of, found.colors
  end
  local list = {}
  for i = 1, #starts do
    list[i] = { x1 = starts[i], x2 = starts[i] + lengths[i], y1 = lanes[i] - 0.4, y2 = lanes[i] + 0.4,
      color = colors[of and of[i] or 1] }
  end
  return common.figure(WHAT, option, { legend = entries, grid = "x",
    marks = { Boxes.new { list = list, horizontal = true } },
    x = { padding = 0.02 }, y = { names = lane_names, integers = true, reversed = true, padding = 0.02 } })
end

return timeline
