--- How good samples are, as a classifier sees them.
--
--   frechet_distance   between the features (the classifier's penultimate layer) of the samples and of the test images:
--                      as FID, in a network that knows these images (Heusel et al., NIPS 2017).  Small: the same kinds
--                      of images, as often
--   top_probability    mean over the samples of the likeliest class's probability.  Large: each looks like one thing
--   class_entropy      in nats, of the mean of all predictions.  log 10 = 2.303: every class as often; less where some
--                      are rare.  It says nothing of single images: the first two do
local perilune = require "perilune"

local M = {}

local BATCH <const> = 500

--- Features and class probabilities of images, in evaluation mode.
---@param network table  from support.classifier
---@param images tensor  (N, 1, 28, 28) in [0, 1], or uint8
---@return tensor features       (N, 128)
---@return tensor probabilities  (N, 10)
local function judge(network, images)
  local features, probabilities = {}, {}
  perilune.no_grad(function()
    for first = 1, #images, BATCH do
      local scope <close> = perilune.scope()
      local batch = images:narrow(1, first, math.min(BATCH, #images - first + 1))
      if batch.dtype == "uint8" then batch = batch:to("float32") / 255 end
      local inner = network.features(batch)
      features[#features + 1] = scope:keep(inner:contiguous())
      probabilities[#probabilities + 1] = scope:keep(network.top(inner):softmax(2))
    end
  end)
  return perilune.cat(features), perilune.cat(probabilities)
end

--- A function that says how good images are beside those given here.
---@param network table      from support.classifier, in evaluation mode
---@param reference tensor   images
---@return fun(images: tensor): { frechet_distance: number, top_probability: number, class_entropy: number }
function M.judge_beside(network, reference)
  local wanted = judge(network, reference)
  return function(images)
    local features, probabilities = judge(network, images)
    local mean = probabilities:to("float64"):mean(1)
    return { frechet_distance = perilune.metrics.frechet_distance(features, wanted),
      top_probability = probabilities:amax(2):mean():item(),
      class_entropy = -(mean * mean:clamp { min = 1e-12 }:log()):sum():item() }
  end
end

return M
