-- resized.lua -- a picture (3, H, W) uint8 in another size: means over areas when it shrinks, squares when it grows.
local nn = require "perilune.nn"

return function(picture, height, width)
  local batch = picture:to("float32"):unsqueeze(1)
  return nn.functional.adaptive_avg_pool2d(batch, { height, width }):select(1, 1):round():to("uint8")
end
