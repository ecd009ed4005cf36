--- How good samples are, as a classifier sees them.
--
--   frechet_distance   between the features (the classifier's penultimate layer) of the samples and of the test images:
--                      as FID, in a network that knows these images (Heusel et al., NIPS 2017).  Small: the same kinds
--                      of images, as often
--   top_probability    mean over the samples of the likeliest class's probability.  Large: each looks like one thing
--   class_entropy      in nats, of the mean of all predictions.  log 10 = 2.303: every class as often; less where some
--                      are rare.  It says nothing of single images: the first two do
local perilune = require "perilune"
local outputs = require "support.outputs"

local M = {}

--- Features (N, 128) and class probabilities (N, 10) of images.
local function judge(network, images)
  local features = outputs(network.features, images)
  local function probabilities(inner) return network.top(inner):softmax(2) end
  return features, outputs(probabilities, features)
end

--- A function that says how good images are beside those given here.
---@param network table      from support.classifier, in evaluation mode
---@param reference tensor   images (N, 1, 28, 28) in [0, 1], or uint8
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
