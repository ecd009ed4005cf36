--- Fashion-MNIST as the experiments take it.
local perilune = require "perilune"

local M = {}

--- Both data sets, the training images cut to --limit.
---@param flags table  data, limit
---@return table train
---@return table test
function M.load(flags)
  local train = perilune.datasets.FashionMNIST { split = "train", root = flags.data }
  local test = perilune.datasets.FashionMNIST { split = "test", root = flags.data }
  return flags.limit and perilune.data.Subset(train, perilune.arange(1, flags.limit)) or train, test
end

--- The first image of each class, (10, 1, 28, 28) in [0, 1].
function M.one_of_each(dataset)
  local images, labels, rows = dataset:images(), dataset:labels(), {}
  for class = 1, 10 do rows[class] = images[labels:eq(class):nonzero()[1]:item()] end
  return perilune.stack(rows):to("float32") / 255
end

return M
