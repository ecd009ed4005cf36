-- cross_entropy.lua -- nn.functional.cross_entropy: the operation for classes, a composition for probabilities.
local core = require "perilune.core"
local options = require "perilune.options"

local ops = core.ops
local read = options.reader("cross_entropy", { { "label_smoothing", 0.0, "number" },
  { "ignore_index", nil, "integer" }, { "reduction", "mean" } })

local function check(input, target, weight, chosen)
  if tostring(input.shape) ~= tostring(target.shape) or input.dtype ~= target.dtype then
    core.raise(("cross_entropy: input is %s %s but target is %s %s; it must hold int64 classes, or probabilities of " ..
      "input's shape and dtype"):format(input.dtype, input.shape, target.dtype, target.shape))
  end
  local n_classes = input.shape[input:dim() == 1 and 1 or 2]
  if weight ~= nil and (not core.is_tensor(weight) or weight:dim() ~= 1 or #weight ~= n_classes) then
    core.raise(("cross_entropy: weight must be a tensor of %d classes, not %s"):format(n_classes,
      options.described(weight)))
  end
  if chosen.ignore_index then core.raise "cross_entropy: ignore_index is for targets of classes, not probabilities" end
  options.number("cross_entropy", "label_smoothing", chosen.label_smoothing, 0, 1)
  options.choice("cross_entropy", "reduction", chosen.reduction, { "none", "mean", "sum" })
end

-- - sum over classes of w[c] t[c] log_softmax(x)[c], with t = (1 - e) target + e/C; the mean is over samples, whatever
-- their weights.
local function of_probabilities(input, target, weight, given)
  local chosen = read(given)
  check(input, target, weight, chosen)
  local dim, e = input:dim() == 1 and 1 or 2, chosen.label_smoothing
  local n_classes = input.shape[dim]
  if e > 0 then target = target * (1 - e) + e / n_classes end
  local terms = ops.log_softmax(input, dim) * target
  if weight then
    local shape = { n_classes }
    for _ = 3, input:dim() do shape[#shape + 1] = 1 end
    terms = terms * weight:reshape(shape)
  end
  if chosen.reduction == "none" then return -terms:sum(dim) end
  local total = -terms:sum()
  return chosen.reduction == "sum" and total or total / (input:numel() / n_classes)
end

--- cross_entropy(input, target [, weight [, { label_smoothing = 0, ignore_index = -100, reduction = "mean" }]])
---
--- nll_loss(log_softmax(input), target): input (N, C) or (N, C, d1, ...) holds any scores, target (N) or (N, d1, ...)
--- the int64 classes 1 .. C; then the mean divides by the sum of the weights.  Or target holds probabilities, in
--- input's shape and dtype; then the mean is over the samples, and target gets a gradient too if it wants one.
---@param input perilune.Tensor
---@param target perilune.Tensor
---@param weight? perilune.Tensor  (C)
---@param given? { label_smoothing: number, ignore_index: integer, reduction: "none"|"mean"|"sum" }
---@return perilune.Tensor
return function(input, target, weight, given)
  if not core.is_tensor(input) or not core.is_tensor(target) or input:dim() == 0
    or target.dtype ~= "float32" and target.dtype ~= "float64" then
    return ops.cross_entropy(input, target, weight, given)
  end
  if given == nil and type(weight) == "table" then weight, given = nil, weight end
  return of_probabilities(input, target, weight, given)
end
