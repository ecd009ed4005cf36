--- perilune.plot: plots, drawn by Cairo to PNG and SVG.  plot.scatter { x = x, y = y }:save("points.png")
--
-- A kind of plot is one file in kinds/, found by its name: it returns a function that takes a table of options and
-- returns a figure (figure.lua).  Kinds describe; panel.lua lays out what they describe, with scale.lua, ticks.lua,
-- axis.lua, legend.lua and colorbar.lua; marks/ draw into a list of primitives (drawing.lua), of which png.lua and
-- svg.lua make files.
local core = require "perilune.core"
local shown = require "perilune.shown"

local fine, message = pcall(require, "perilune.canvas")
if not fine then
  if not tostring(message):find("module 'perilune.canvas' not found", 1, true) then error(message, 0) end
  core.raise("plot: plots are drawn by Cairo, and perilune was built without it; install it (on Debian: "
    .. "apt-get install libcairo2-dev) and build perilune again")
end

-- For pairs and help; a file of another name in kinds/ is found all the same.
local NAMES = { "bar", "contour", "heatmap", "histogram", "image_grid", "image_scatter", "line", "parallel_coordinates",
  "regions", "scatter", "subplots", "timeline" }

local plot, entries = {}, {}
for _, name in ipairs(NAMES) do entries[name] = true end

local function find(_, name)
  local module = "perilune.plot.kinds." .. tostring(name)
  if type(name) ~= "string" or not name:find("^[%a_][%w_]*$") or not package.searchpath(module, package.path) then
    return nil
  end
  plot[name] = require(module)
  return plot[name]
end

local function find_all()
  for _, name in ipairs(NAMES) do find(nil, name) end
  return next, plot, nil
end

return setmetatable(plot, { __index = find, __pairs = find_all, __tostring = shown.place("perilune.plot", entries) })
