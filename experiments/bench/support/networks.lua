--- The networks that are timed; networks.py has the same for PyTorch.
local perilune = require "perilune"
local nn = perilune.nn

local M = {}

function M.encoder(n, d)
  return nn.Sequential {
    nn.Conv2d(1, n, 3, { stride = 2, padding = 2 }), nn.ReLU(),
    nn.Conv2d(n, 2 * n, 3, { stride = 2, padding = 1 }), nn.ReLU(),
    nn.Conv2d(2 * n, 4 * n, 3, { stride = 2, padding = 0 }), nn.ReLU(),
    nn.Flatten(), nn.Linear(36 * n, 64), nn.ReLU(), nn.Linear(64, d),
  }
end

function M.decoder(n, d)
  return nn.Sequential {
    nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, 36 * n), nn.ReLU(), nn.Unflatten(2, { 4 * n, 3, 3 }),
    nn.ConvTranspose2d(4 * n, 2 * n, 3, { stride = 2 }), nn.ReLU(),
    nn.ConvTranspose2d(2 * n, n, 3, { stride = 2, padding = 1, output_padding = 1 }), nn.ReLU(),
    nn.ConvTranspose2d(n, 1, 3, { stride = 2, padding = 1, output_padding = 1 }), nn.Sigmoid(),
  }
end

function M.autoencoder(n, d)
  return nn.Sequential { M.encoder(n, d), M.decoder(n, d) }
end

--- 3x32x32 -> 10 classes; five 3x3 convolutions with BatchNorm and ReLU, two poolings.
function M.convnet()
  local layers = {}
  local function add(layer) layers[#layers + 1] = layer end
  local function block(channels_in, channels_out)
    add(nn.Conv2d(channels_in, channels_out, 3, { padding = 1 }))
    add(nn.BatchNorm2d(channels_out))
    add(nn.ReLU())
  end
  block(3, 32)
  block(32, 64)
  add(nn.MaxPool2d(2))
  block(64, 64)
  block(64, 128)
  add(nn.MaxPool2d(2))
  block(128, 128)
  add(nn.AdaptiveAvgPool2d(1))
  add(nn.Flatten())
  add(nn.Linear(128, 10))
  return nn.Sequential(layers)
end

return M
