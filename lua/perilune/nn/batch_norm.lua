-- batch_norm.lua -- normalises each channel over the batch.  Ioffe & Szegedy, ICML 2015.
local core = require "perilune.core"
local Module = require "perilune.nn.module"
local options = require "perilune.options"
local parameter = require "perilune.nn.parameter"

local ops = core.ops
local KNOWN = { { "eps", 1e-5 }, { "momentum", 0.1, "any" }, { "affine", true }, { "track_running_stats", true } }

---@class perilune.nn.BatchNorm: perilune.nn.Module
---@field weight perilune.Tensor|nil  (num_features)
---@field bias perilune.Tensor|nil  (num_features)
---@field running_mean perilune.Tensor|nil  (num_features)
---@field running_var perilune.Tensor|nil  (num_features), unbiased
---@field num_batches_tracked perilune.Tensor|nil  0-dim int64

-- The two classes differ in their name and in the number of dims that they accept.
local function define(name, accepted)
  local class = Module:extend(name)
  class.transient = true
  local read = options.reader(name, KNOWN)

  --- y = (x - mean) / sqrt(var + eps) * weight + bias, for each channel: while training with the mean and the biased
  --- variance of the batch, which also move the running statistics by `momentum`; in evaluation mode with the running
  --- statistics (always with the batch's, where track_running_stats is false).  momentum = false averages over all
  --- batches so far.
  ---@param num_features integer  the number of channels
  ---@param given? table  { eps = 1e-5, momentum = 0.1 or false, affine = true, track_running_stats = true }
  function class:init(num_features, given)
    self.num_features = options.integer(name, "num_features", num_features)
    local chosen = read(given)
    self.eps, self.momentum = chosen.eps, chosen.momentum
    options.number(name, "eps", chosen.eps, 0)
    if chosen.momentum then options.number(name, "momentum", chosen.momentum, 0, 1) end
    if chosen.affine then
      self.weight = parameter.new(core.create.ones(num_features))
      self.bias = parameter.new(core.create.zeros(num_features))
    end
    if chosen.track_running_stats then
      self:register_buffer("running_mean", core.create.zeros(num_features))
      self:register_buffer("running_var", core.create.ones(num_features))
      self:register_buffer("num_batches_tracked", core.create.tensor(0, { dtype = "int64" }))
    end
    self.affine, self.track_running_stats = chosen.affine, chosen.track_running_stats
    self._training = { training = true, momentum = self.momentum or 0.0, eps = self.eps }
    self._training_relu = { training = true, momentum = self.momentum or 0.0, eps = self.eps, activation = "relu" }
    self._evaluation = { training = false, eps = self.eps }
    self._evaluation_relu = { training = false, eps = self.eps, activation = "relu" }
  end

  local function normalise(self, x, training, evaluation)
    local n_dims = x:dim()
    if not accepted[n_dims] then
      core.raise(string.format("%s: x has %d dims, but needs %s", name, n_dims, accepted.text))
    end
    local running_mean, running_var = self.running_mean, self.running_var
    if not self.training and running_mean then
      return ops.batch_norm(x, self.weight, self.bias, running_mean, running_var, evaluation)
    end
    if not running_mean then return ops.batch_norm(x, self.weight, self.bias, nil, nil, training) end
    local tracked = self.num_batches_tracked
    if not self.momentum then training.momentum = 1 / (tracked:item() + 1) end
    local y = ops.batch_norm(x, self.weight, self.bias, running_mean, running_var, training)
    tracked:add_(1)   -- only now: a batch that the operation refuses is not counted
    return y
  end

  function class:forward(x) return normalise(self, x, self._training, self._evaluation) end

  function class:forward_relu(x) return normalise(self, x, self._training_relu, self._evaluation_relu) end

  function class:extra_repr()
    return string.format("%d, eps=%g, momentum=%s, affine=%s, track_running_stats=%s", self.num_features, self.eps,
      self.momentum, self.affine, self.track_running_stats)
  end

  return class
end

return {
  BatchNorm1d = define("BatchNorm1d", { [2] = true, [3] = true, text = "2 (N, C) or 3 (N, C, L)" }),
  BatchNorm2d = define("BatchNorm2d", { [4] = true, text = "4 (N, C, H, W)" }),
}
