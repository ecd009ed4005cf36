local core = require "perilune.core"
local labels = require "perilune.metrics.labels"
local options = require "perilune.options"

local read = options.reader("knn_accuracy", { { "n_neighbors", 10 } })

local BLOCK <const> = 2048

-- Among classes with equally many votes the smallest, as scikit-learn has it.
local function majority(votes, n_classes)
  local counts = core.create.zeros(votes.shape[1], n_classes)
  return counts:scatter_add(2, votes, core.create.ones(votes.shape[1], votes.shape[2])):argmax(2)
end

--- The share of points whose class is the one that most of their nearest neighbours have, each point left out of its
-- own neighbours.  Between equally many votes the smallest class is taken.
---@param x tensor  (n, d) float32 or float64
---@param targets tensor  (n) int64 classes, from 1
---@param given? table  { n_neighbors = 10 }, less than n
---@return number
local function knn_accuracy(x, targets, given)
  local k = options.integer("knn_accuracy", "n_neighbors", read(given).n_neighbors, 1)
  targets = labels.targets("knn_accuracy", targets)
  if not core.is_tensor(x) or x:dim() ~= 2 or not x.dtype:find("^float") then
    core.raise("knn_accuracy: x must be a float tensor (points, features)")
  end
  local n = #x
  if #targets ~= n then core.raise(("knn_accuracy: %d points but %d targets"):format(n, #targets)) end
  if k >= n then core.raise(("knn_accuracy: n_neighbors is %d; there are %d points"):format(k, n)) end
  if not x:isfinite():all():item() then core.raise("knn_accuracy: x has NaN or infinite values") end
  local points, hits, n_classes = x:detach():to("float32"):contiguous(), 0, targets:max():item()
  for first = 1, n, BLOCK do
    local scope <close> = core.scope() -- luacheck: ignore
    local count = math.min(BLOCK, n - first + 1)
    local index = core.manifold.neighbors(points, points:narrow(1, first, count), k, first)
    local votes = targets:index_select(1, index:flatten()):view(count, k)
    hits = hits + majority(votes, n_classes):eq(targets:narrow(1, first, count)):sum():item()
  end
  return hits / n
end

return knn_accuracy
