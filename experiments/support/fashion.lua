--- Fashion-MNIST as the experiments take it.
local perilune = require "perilune"

local M = {}

local function first(dataset, limit)
  return limit and perilune.data.Subset(dataset, perilune.arange(1, limit)) or dataset
end

--- Both data sets, cut to --limit and --test-limit.
---@param flags table  data, limit, test_limit
---@return table train
---@return table test
function M.load(flags)
  local train = perilune.datasets.FashionMNIST { split = "train", root = flags.data }
  local test = perilune.datasets.FashionMNIST { split = "test", root = flags.data }
  return first(train, flags.limit), first(test, flags.test_limit)
end

local function column(dataset, k)
  local columns, rows = dataset:columns()
  local tensor = columns[k].tensor
  return rows and tensor:index_select(1, rows) or tensor
end

--- The images of a data set or of a part of it, (N, 1, 28, 28) uint8.
function M.images(dataset) return column(dataset, 1) end

--- The labels, (N) int64.
function M.labels(dataset) return column(dataset, 2) end

--- The names of the classes.
function M.classes(dataset) return (dataset.dataset or dataset).classes end

--- The first image of each class, (10, 1, 28, 28) in [0, 1].
function M.one_of_each(dataset)
  local images, labels, rows = M.images(dataset), M.labels(dataset), {}
  for class = 1, 10 do rows[class] = images[labels:eq(class):nonzero()[1]:item()] end
  return perilune.stack(rows):to("float32") / 255
end

return M
