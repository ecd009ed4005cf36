--- A small convolutional network that tells the ten classes apart, and what its training images go through.
--
-- Its penultimate layer is the space in which 04_samples measures how far samples are from images.
local perilune = require "perilune"
local nn = perilune.nn

local M = {}

local function block(inputs, outputs)
  return nn.Sequential { nn.Conv2d(inputs, outputs, 3, { padding = 1, bias = false }), nn.BatchNorm2d(outputs),
    nn.ReLU(), nn.MaxPool2d(2) }
end

--- Images (N, 1, 28, 28) -> logits (N, 10); children "features", whose result (N, 128) is not negative, and "top".
-- 28 -> 14 -> 7 -> 3 pixels a side.
function M.network()
  local features = nn.Sequential { block(1, 24), block(24, 48), block(48, 96), nn.Flatten(), nn.Dropout(0.1),
    nn.Linear(9 * 96, 128), nn.ReLU() }
  return nn.Sequential { { "features", features }, { "dropout", nn.Dropout(0.1) }, { "top", nn.Linear(128, 10) } }
end

--- The network of a file, in evaluation mode.
function M.load(path)
  local model = M.network()
  model:load_state_dict(assert(perilune.load(path)))
  return model:eval()
end

local SIDE <const>, MARGIN <const> = 28, 1

-- Moves each image by up to MARGIN pixels in both directions; what comes in is black.
local function shift(images)
  local n, wide = #images, SIDE + 2 * MARGIN
  local padded = perilune.zeros(n, 1, wide, wide)
  padded:narrow(3, MARGIN + 1, SIDE):narrow(4, MARGIN + 1, SIDE):copy_(images)
  local pixels = perilune.arange(0, SIDE - 1):view(SIDE, 1) * wide + perilune.arange(1, SIDE)
  local corners = perilune.randint(0, 2 * MARGIN, { n, 1 }) * wide + perilune.randint(0, 2 * MARGIN, { n, 1 })
  return padded:view(n, wide * wide):gather(2, corners + pixels:view(1, SIDE * SIDE)):view(n, 1, SIDE, SIDE)
end

--- The transform of a DataLoader: mirrors every second image, by chance, and shifts each.
function M.augment(images, labels)
  local scope <close> = perilune.scope()
  local mirrored = perilune.where(perilune.rand(#images, 1, 1, 1):lt(0.5), images:flip(4), images)
  return scope:keep(shift(mirrored)), labels
end

return M
