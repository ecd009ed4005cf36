-- labels.lua -- what the metrics of classes take: predictions as classes or scores, targets as classes.
local core = require "perilune.core"
local options = require "perilune.options"

local labels = {}

local function classes(what, name, t)
  if not core.is_tensor(t) then
    core.raise(("%s: %s must be a tensor, got %s"):format(what, name, options.described(t)))
  end
  if t.dtype ~= "int64" or t.ndim ~= 1 then
    core.raise(("%s: %s must be classes (N) int64, got (%s) %s"):format(what, name, table.concat(t.shape, ", "),
      t.dtype))
  end
  if #t == 0 then core.raise(("%s: %s are empty"):format(what, name)) end
  local low = t:min():item()
  if low < 1 then core.raise(("%s: %s have the class %d; classes are numbers from 1"):format(what, name, low)) end
  return t
end

local function is_scores(t)
  return core.is_tensor(t) and t.ndim == 2 and t.dtype:find("^float") ~= nil and t.shape[2] > 0
end

--- Predictions and targets as classes (N) int64; raises, in the name of `what`, on all else.
---@param what string
---@param predictions perilune.Tensor  classes (N) int64 or scores (N, K)
---@param targets perilune.Tensor  classes (N) int64
function labels.pair(what, predictions, targets)
  targets = classes(what, "targets", targets)
  local predicted = is_scores(predictions) and predictions:argmax(2) or classes(what, "predictions", predictions)
  if #predicted ~= #targets then
    core.raise(("%s: %d predictions but %d targets"):format(what, #predicted, #targets))
  end
  return predicted, targets
end

--- targets alone, checked.
function labels.targets(what, targets) return classes(what, "targets", targets) end

return labels
