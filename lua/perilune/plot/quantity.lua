-- quantity.lua -- colours for the values of a quantity: the options color_label, color_scale, colormap and limits.
local colormap = require "perilune.plot.colormap"
local data = require "perilune.plot.data"
local options = require "perilune.options"
local scale = require "perilune.plot.scale"
local theme = require "perilune.plot.theme"

local quantity = {}

--- The options, for a reader.
quantity.OPTIONS = { { "color_label", "" }, { "color_scale", "linear" }, { "colormap", "viridis" },
  { "limits", nil, "table" } }

--- The colour bar (colorbar.lua) of values from low to high (nil: there are none).
function quantity.bar(what, option, low, high)
  local kind = options.choice(what, "option color_scale", option.color_scale, { "linear", "log" })
  return { map = colormap.get(what, option.colormap), label = option.color_label,
    scale = scale.fit(what, "color", { scale = kind, limits = option.limits }, low, high, 0) }
end

--- The colour of a value; gray for what is not finite.
function quantity.color(bar, value)
  if not data.is_finite(value) then return theme.missing end
  return bar.map(bar.scale:position(value))
end

return quantity
