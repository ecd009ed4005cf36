-- losses.lua -- what training makes small.  reduction: "mean" (the default), "sum" or "none".
local core = require "perilune.core"
local cross_entropy = require "perilune.nn.cross_entropy"
local Module = require "perilune.nn.module"
local options = require "perilune.options"

local ops = core.ops
local losses = {}

-- A loss whose options go to the operation as they are; tensors among them (weights) become buffers.
-- highest: of the options that are numbers of at least 0, how large they may be.
local function define(name, known, highest)
  local class = Module:extend(name)
  known[#known + 1] = { "reduction", "mean" }
  local read = options.reader(name, known)
  function class:init(given)
    local chosen = read(given)
    local reductions = name == "KLDivLoss" and { "none", "mean", "sum", "batchmean" } or { "none", "mean", "sum" }
    options.choice(name, "reduction", chosen.reduction, reductions)
    for key, most in pairs(highest or {}) do options.number(name, key, chosen[key], 0, most) end
    for key, value in pairs(chosen) do
      if core.is_tensor(value) then
        self:register_buffer(key, value)
        chosen[key] = nil
      end
    end
    self._options = chosen
  end
  function class:extra_repr()
    return "reduction=" .. self._options.reduction
  end
  losses[name] = class
  return class
end

---@class perilune.nn.MSELoss: perilune.nn.Module
--- (input - target)^2.  Options: reduction.
---@overload fun(given?: table): perilune.nn.MSELoss
local MSELoss = define("MSELoss", {})

function MSELoss:forward(input, target) return ops.mse_loss(input, target, self._options) end

---@class perilune.nn.L1Loss: perilune.nn.Module
--- |input - target|.  Options: reduction.
---@overload fun(given?: table): perilune.nn.L1Loss
local L1Loss = define("L1Loss", {})

function L1Loss:forward(input, target) return ops.l1_loss(input, target, self._options) end

---@class perilune.nn.SmoothL1Loss: perilune.nn.Module
--- quadratic below beta (1).  Options: beta = 1, reduction.
---@overload fun(given?: table): perilune.nn.SmoothL1Loss
local SmoothL1Loss = define("SmoothL1Loss", { { "beta", 1.0 } }, { beta = math.huge })

function SmoothL1Loss:forward(input, target) return ops.smooth_l1_loss(input, target, self._options) end

---@class perilune.nn.BCELoss: perilune.nn.Module
--- of probabilities.  Options: weight, reduction.
---@overload fun(given?: table): perilune.nn.BCELoss
local BCELoss = define("BCELoss", { { "weight", nil, "tensor" } })

function BCELoss:forward(input, target)
  return ops.binary_cross_entropy(input, target, self.weight, self._options)
end

---@class perilune.nn.BCEWithLogitsLoss: perilune.nn.Module
--- of sigmoid(input).  Options: weight, pos_weight, reduction.
---@overload fun(given?: table): perilune.nn.BCEWithLogitsLoss
local BCEWithLogitsLoss = define("BCEWithLogitsLoss", { { "weight", nil, "tensor" }, { "pos_weight", nil, "tensor" } })

function BCEWithLogitsLoss:forward(input, target)
  return ops.binary_cross_entropy_with_logits(input, target, self.weight, self.pos_weight, self._options)
end

---@class perilune.nn.NLLLoss: perilune.nn.Module
--- of log-probabilities (N, C) and labels 1 .. C.  Options: weight (C), ignore_index, reduction.
---@overload fun(given?: table): perilune.nn.NLLLoss
local NLLLoss = define("NLLLoss", { { "weight", nil, "tensor" }, { "ignore_index", nil, "integer" } })

function NLLLoss:forward(input, target) return ops.nll_loss(input, target, self.weight, self._options) end

---@class perilune.nn.CrossEntropyLoss: perilune.nn.Module
--- of logits (N, C) and labels 1 .. C, or probabilities (N, C).  Options: weight (C), ignore_index,
--- label_smoothing = 0, reduction.
---@overload fun(given?: table): perilune.nn.CrossEntropyLoss
local CrossEntropyLoss = define("CrossEntropyLoss", { { "weight", nil, "tensor" }, { "ignore_index", nil, "integer" },
  { "label_smoothing", 0.0 } }, { label_smoothing = 1 })

function CrossEntropyLoss:forward(input, target) return cross_entropy(input, target, self.weight, self._options) end

---@class perilune.nn.KLDivLoss: perilune.nn.Module
--- target (log target - input), input being log-probabilities.  Options: log_target = false, reduction.
---@overload fun(given?: table): perilune.nn.KLDivLoss
local KLDivLoss = define("KLDivLoss", { { "log_target", false } })

function KLDivLoss:forward(input, target) return ops.kl_div(input, target, self._options) end

return losses
