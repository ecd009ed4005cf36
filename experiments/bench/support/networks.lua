--- The networks that are timed; networks.py has the same for PyTorch.
local perilune = require "perilune"
local nn = perilune.nn

local M = {}

-- Those of the study.
local bench = debug.getinfo(1, "S").source:match("^@(.*)support/networks%.lua$")
package.path = package.path .. ";" .. bench .. "../?.lua"
local cae = require "support.cae"
M.encoder, M.decoder, M.autoencoder = cae.encoder, cae.decoder, cae.autoencoder

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
