local labels = require "perilune.metrics.labels"

--- The share of predictions that are right: a number in [0, 1].
-- predictions: classes (N) int64, or scores (N, K) whose largest counts (the first of equal ones); targets: classes
-- (N) int64.  Classes are numbers from 1, as in nn.CrossEntropyLoss.
---@param predictions perilune.Tensor
---@param targets perilune.Tensor
---@return number
local function accuracy(predictions, targets)
  local predicted, wanted = labels.pair("accuracy", predictions, targets)
  return predicted:eq(wanted):sum():item() / #wanted
end

return accuracy
