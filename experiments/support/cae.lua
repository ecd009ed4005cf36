--- The convolutional auto-encoder of the published study, to the letter.
local perilune = require "perilune"
local nn = perilune.nn

local M = {}

--- Encoder: (N, 1, 28, 28) -> codes (N, d); 28 -> 15 -> 8 -> 3 pixels a side.
---@param n integer  channels of the first layer
---@param d integer  size of the code
function M.encoder(n, d)
  return nn.Sequential {
    nn.Conv2d(1, n, 3, { stride = 2, padding = 2 }), nn.ReLU(),
    nn.Conv2d(n, 2 * n, 3, { stride = 2, padding = 1 }), nn.ReLU(),
    nn.Conv2d(2 * n, 4 * n, 3, { stride = 2 }), nn.ReLU(),
    nn.Flatten(),
    nn.Linear(36 * n, 64), nn.ReLU(),
    nn.Linear(64, d),
  }
end

--- Decoder: codes (N, d) -> images (N, 1, 28, 28) in [0, 1]; 3 -> 7 -> 14 -> 28 pixels a side.
function M.decoder(n, d)
  return nn.Sequential {
    nn.Linear(d, 64), nn.ReLU(),
    nn.Linear(64, 36 * n), nn.ReLU(),
    nn.Unflatten(2, { 4 * n, 3, 3 }),
    nn.ConvTranspose2d(4 * n, 2 * n, 3, { stride = 2 }), nn.ReLU(),
    nn.ConvTranspose2d(2 * n, n, 3, { stride = 2, padding = 1, output_padding = 1 }), nn.ReLU(),
    nn.ConvTranspose2d(n, 1, 3, { stride = 2, padding = 1, output_padding = 1 }),
    nn.Sigmoid(),
  }
end

--- The whole network, with children "encoder" and "decoder".
function M.autoencoder(n, d)
  return nn.Sequential { { "encoder", M.encoder(n, d) }, { "decoder", M.decoder(n, d) } }
end

return M
