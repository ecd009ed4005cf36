local core = require "perilune.core"
local create = core.create
local labels = require "perilune.metrics.labels"
local options = require "perilune.options"

local read = options.reader("confusion_matrix", { { "num_classes", nil, "integer" }, { "normalize", "none" } })

-- Rows, columns or everything divided by their sums; what has no samples is 0.
local function normalized(counts, how)
  if how == "none" then return counts end
  local shares = counts:to("float64")
  local sums
  if how == "all" then sums = shares:sum()
  else sums = shares:sum(how == "true" and 2 or 1, { keepdim = true }) end
  return (shares / sums:clamp { min = 1 }):to("float32")
end

--- How often each class was taken for each other: (K, K), row = the true class, column = the predicted one.
-- predictions: classes (N) int64, or scores (N, K); targets: classes (N) int64, from 1.
-- Options: num_classes (default: the largest class that occurs, or the scores' K); normalize = "none" (int64 counts),
-- "true" (each row sums to 1), "pred" (each column) or "all", as float32; a class without samples has zeros.
---@param predictions perilune.Tensor
---@param targets perilune.Tensor
---@param given? table
---@return perilune.Tensor
local function confusion_matrix(predictions, targets, given)
  local option = read(given)
  options.choice("confusion_matrix", "normalize", option.normalize, { "none", "true", "pred", "all" })
  local predicted, wanted = labels.pair("confusion_matrix", predictions, targets)
  local largest = math.max(predicted:max():item(), wanted:max():item())
  local n_classes = option.num_classes or math.max(largest, predictions.ndim == 2 and predictions.shape[2] or 1)
  if n_classes < largest then
    core.raise(("confusion_matrix: num_classes is %d but class %d occurs"):format(n_classes, largest))
  end
  local cells = (wanted - 1) * n_classes + predicted
  local counts = create.zeros(n_classes * n_classes, { dtype = "int64" }):scatter_add(1, cells,
    create.ones(#cells, { dtype = "int64" }))
  return normalized(counts:view(n_classes, n_classes), option.normalize)
end

return confusion_matrix
