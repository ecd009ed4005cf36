-- figure.lua -- a finished plot: saved, shown, or put among others.
local Drawing = require "perilune.plot.drawing"
local core = require "perilune.core"
local options = require "perilune.options"
local theme = require "perilune.plot.theme"

---@class perilune.plot.Figure
local Figure = {}
Figure.__index = Figure

Figure.help = [[
a figure: what plot.scatter and the other kinds return

figure:save("a.png", { scale = 2 }) or figure:save("a.svg") writes a file, figure:show() draws in the terminal,
figure:png() and figure:svg() return the bytes, figure:image() a tensor (3, H, W).  plot.subplots puts figures
together.]]

local DEFAULT_SCALE = 2

--- what: the name of the plot; panel: see panel.lua; width and height: points.
function Figure.new(what, panel, width, height)
  options.number(what, "option width", width, 50, 10000)
  options.number(what, "option height", height, 50, 10000)
  return setmetatable({ what = what, panel = panel, width = width, height = height }, Figure)
end

Figure.__tostring = function(self)
  return ("%s: a figure of %g x %g points; :save(path), :show()"):format(self.what, self.width, self.height)
end

--- The figure as a list of primitives; see drawing.lua.
---@return perilune.plot.Drawing
function Figure:drawing()
  local drawing, margin = Drawing.new(self.width, self.height), theme.margin
  self.panel:draw(drawing, { x = margin, y = margin, width = self.width - 2 * margin,
    height = self.height - 2 * margin })
  return drawing
end

local read_scale = options.reader("figure", { { "scale", DEFAULT_SCALE, "number" } })

local MAX_PIXELS = 32767        -- Cairo's, for each side

local function scale_of(given) return options.number("figure", "option scale", read_scale(given).scale, 0.1, 20) end

--- The bytes of a PNG.
---@param given? { scale: number }  pixels of a point (default 2)
---@return string
function Figure:png(given)
  local scale = scale_of(given)
  local longest = math.ceil(math.max(self.width, self.height) * scale)
  if longest > MAX_PIXELS then
    core.raise(("figure: %d pixels at scale %g are too many; a side may have %d"):format(longest, scale, MAX_PIXELS))
  end
  return require "perilune.plot.png"(self:drawing(), scale)
end

--- The text of an SVG.
---@param given? { scale: number }  the size at which it is shown at first (default 1)
---@return string
function Figure:svg(given) return require "perilune.plot.svg"(self:drawing(), given and scale_of(given) or 1) end

--- The figure as a picture.
---@param given? { scale: number }  pixels of a point (default 2)
---@return tensor picture  (3, H, W) uint8
function Figure:image(given) return assert(core.formats.loads_png(self:png(given))) end

--- Writes path, a .png or .svg, whole or not at all.
---@param path string
---@param given? { scale: number }  pixels of a point (default 2; for an SVG 1)
---@return true|nil ok
---@return string? message
function Figure:save(path, given)
  local ending = type(path) == "string" and path:lower():match("%.(%a+)$")
  if ending ~= "png" and ending ~= "svg" then
    core.raise("figure: the path must end in .png or .svg, got " .. options.described(path))
  end
  return core.formats.save_bytes(path, self[ending](self, given))
end

--- Draws the figure in the terminal; image.show knows the same options.
---@param given? { method: string, columns: integer, stream: file* }
function Figure:show(given) return require("perilune.terminal").show(self:image { scale = 1 }, given) end

return Figure
