-- activations.lua -- elementwise functions and softmax as modules, for Sequential.
local core = require "perilune.core"
local Module = require "perilune.nn.module"
local options = require "perilune.options"

local ops = core.ops
local activations = {}

local function define(name)
  local class = Module:extend(name)
  class.transient = true
  class.operands = {}
  activations[name] = class
  return class
end

---@class perilune.nn.ReLU: perilune.nn.Module
local ReLU = define("ReLU")

--- max(x, 0), elementwise.
function ReLU.init() end

function ReLU.forward(_, x) return ops.relu(x) end

function ReLU.operation() return ops.relu end

---@class perilune.nn.Sigmoid: perilune.nn.Module
local Sigmoid = define("Sigmoid")

--- 1 / (1 + exp(-x)), elementwise.
function Sigmoid.init() end

function Sigmoid.forward(_, x) return ops.sigmoid(x) end

function Sigmoid.operation() return ops.sigmoid end

---@class perilune.nn.Tanh: perilune.nn.Module
local Tanh = define("Tanh")

--- tanh(x), elementwise.
function Tanh.init() end

function Tanh.forward(_, x) return ops.tanh(x) end

function Tanh.operation() return ops.tanh end

---@class perilune.nn.SiLU: perilune.nn.Module
local SiLU = define("SiLU")

--- x * sigmoid(x), elementwise.
function SiLU.init() end

function SiLU.forward(_, x) return ops.silu(x) end

function SiLU.operation() return ops.silu end

---@class perilune.nn.LeakyReLU: perilune.nn.Module
local LeakyReLU = define("LeakyReLU")
local read_leaky_relu = options.reader("LeakyReLU", { { "negative_slope", 0.01 } })

--- x for x > 0, negative_slope * x otherwise.
---@param given? { negative_slope: number }  default 0.01
function LeakyReLU:init(given)
  if type(given) == "number" then given = { negative_slope = given } end
  self._options = read_leaky_relu(given)
  options.number("LeakyReLU", "negative_slope", self._options.negative_slope, -math.huge)
end

function LeakyReLU:forward(x) return ops.leaky_relu(x, self._options) end

function LeakyReLU:extra_repr() return string.format("negative_slope=%g", self._options.negative_slope) end

---@class perilune.nn.ELU: perilune.nn.Module
local ELU = define("ELU")
local read_elu = options.reader("ELU", { { "alpha", 1.0 } })

--- x for x > 0, alpha * (exp(x) - 1) otherwise.
---@param given? { alpha: number }  default 1
function ELU:init(given)
  if type(given) == "number" then given = { alpha = given } end
  self._options = read_elu(given)
  options.number("ELU", "alpha", self._options.alpha, -math.huge)
end

function ELU:forward(x) return ops.elu(x, self._options) end

function ELU:extra_repr() return string.format("alpha=%g", self._options.alpha) end

---@class perilune.nn.GELU: perilune.nn.Module
local GELU = define("GELU")
local read_gelu = options.reader("GELU", { { "approximate", "none" } })

--- x * P(Z <= x) with Z standard normal; with approximate = "tanh" its tanh formula.
---@param given? { approximate: "none"|"tanh" }
function GELU:init(given)
  self._options = read_gelu(given)
  options.choice("GELU", "approximate", self._options.approximate, { "none", "tanh" })
end

function GELU:forward(x) return ops.gelu(x, self._options) end

function GELU:extra_repr() return "approximate=" .. self._options.approximate end

---@class perilune.nn.Softplus: perilune.nn.Module
local Softplus = define("Softplus")
local read_softplus = options.reader("Softplus", { { "beta", 1.0 }, { "threshold", 20.0 } })

--- log(1 + exp(beta * x)) / beta; x itself where beta * x > threshold.
---@param given? { beta: number, threshold: number }  defaults 1 and 20
function Softplus:init(given)
  self._options = read_softplus(given)
  local beta = options.number("Softplus", "beta", self._options.beta, -math.huge)
  if beta == 0 then core.raise("Softplus: beta must not be 0") end
  options.number("Softplus", "threshold", self._options.threshold, -math.huge)
end

function Softplus:forward(x) return ops.softplus(x, self._options) end

function Softplus:extra_repr()
  return string.format("beta=%g, threshold=%g", self._options.beta, self._options.threshold)
end

local function define_over_dim(name, operation)
  local class = define(name)
  function class:init(dim)
    if math.type(dim) ~= "integer" or dim == 0 then
      core.raise(name .. ": a dim is needed: 1 is the first, -1 the last")
    end
    self.dim = dim
  end
  function class:forward(x) return ops[operation](x, self.dim) end
  function class:extra_repr() return "dim=" .. self.dim end
end

---@class perilune.nn.Softmax: perilune.nn.Module
---@overload fun(dim: integer): perilune.nn.Softmax   exp(x) / sum of exp(x) along dim (1-based or negative)
define_over_dim("Softmax", "softmax")

---@class perilune.nn.LogSoftmax: perilune.nn.Module
---@overload fun(dim: integer): perilune.nn.LogSoftmax   log(softmax(x)) along dim (1-based or negative)
define_over_dim("LogSoftmax", "log_softmax")

return activations
