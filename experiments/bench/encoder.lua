--- How long does inference through the encoder of the convolutional auto-encoder take?  n = 8, d = 14.
-- 10,000 test images (float32, in memory) in batches; then the latency of batches of 1 and 8.
-- encoder_pytorch.py is its peer.
package.path = (arg[0]:match("^(.*/)") or "./") .. "?.lua;" .. package.path
local perilune = require "perilune"
local networks = require "support.networks"
local timing = require "support.timing"

perilune.manual_seed(1)
local images = perilune.datasets.FashionMNIST { split = "test" }:images():to("float32") / 255
local model = networks.encoder(8, 14):eval()

local function whole(batch)
  return function()
    for first = 1, 10000, batch do model(images:narrow(1, first, math.min(batch, 10000 - first + 1))) end
  end
end

perilune.no_grad(function()
  local best = math.huge
  for _, batch in ipairs { 256, 1000 } do best = math.min(best, timing.seconds(whole(batch), 7)) end
  timing.report("10,000 images", best * 1e3, "ms")
  for _, n in ipairs { 1, 8 } do
    local x = images:narrow(1, 1, n)
    timing.report("batch " .. n, timing.seconds(function() model(x) end, 15, 200) * 1e6, "us")
  end
end)
