local arange = require("perilune.core").create.arange
local confusion_matrix = require "perilune.metrics.confusion_matrix"
local options = require "perilune.options"

local read = options.reader("per_class_accuracy", { { "num_classes", nil, "integer" } })

--- The share of each true class that was predicted right (its recall): (K) float32, 0 for a class without samples.
-- predictions: classes (N) int64, or scores (N, K); targets: classes (N) int64, from 1.  Options: num_classes, as in
-- confusion_matrix.
---@param predictions perilune.Tensor
---@param targets perilune.Tensor
---@param given? table
---@return perilune.Tensor
local function per_class_accuracy(predictions, targets, given)
  local option = read(given)
  local shares = confusion_matrix(predictions, targets, { num_classes = option.num_classes, normalize = "true" })
  local n = #shares
  return shares:flatten():index_select(1, arange(1, n * n, n + 1))
end

return per_class_accuracy
