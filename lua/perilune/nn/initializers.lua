-- initializers.lua -- perilune.nn.init: fills a tensor in place and returns it.  Names and formulas are PyTorch's.
--
-- fan_in is the number of inputs that one output is made of: shape[2] times the size of the kernel; fan_out is
-- shape[1] times it.  (A transposed convolution's weight has the input channels first: PyTorch counts its fans by the
-- same rule, and so do we.)
local core = require "perilune.core"
local options = require "perilune.options"

local init = {}

local function check(what, tensor)
  if not core.is_tensor(tensor) then core.raise(what .. ": a tensor is needed, got " .. options.described(tensor)) end
  return tensor
end

-- The values go in through a detached view, so that a parameter may be filled although the tape knows it.
local function fill(what, tensor, values)
  check(what, tensor):detach():copy_(values)
  return tensor
end

--- Uniform in [low, high).
---@param tensor perilune.Tensor
---@param low? number  default 0
---@param high? number  default 1
---@return perilune.Tensor tensor
function init.uniform_(tensor, low, high)
  low, high = low or 0.0, high or 1.0
  check("uniform_", tensor):detach():uniform_(low, high)
  return tensor
end

--- Normal with this mean and standard deviation.
---@param tensor perilune.Tensor
---@param mean? number  default 0
---@param std? number  default 1
---@return perilune.Tensor tensor
function init.normal_(tensor, mean, std)
  check("normal_", tensor):detach():normal_(mean or 0.0, std or 1.0)
  return tensor
end

-- Proposals for trunc_normal_, and which of them are accepted; those that are not are drawn again.  Where the interval
-- is narrow, nearly all draws of the normal distribution would be outside: there points of the interval are proposed,
-- and accepted with their density over the largest one.
local NARROW <const> = 2.5   -- standard deviations

local function draw_normal(shape, mean, std, low, high)
  local x = core.random.randn(shape, { dtype = "float64" }) * std + mean
  return x, x:ge(low):logical_and(x:le(high))
end

local function draw_within(shape, mean, std, low, high)
  local x = core.random.rand(shape, { dtype = "float64" }) * (high - low) + low
  local likeliest = math.min(math.max(mean, low), high)
  local density = (((x - mean) / std):square() * -0.5 + 0.5 * ((likeliest - mean) / std) ^ 2):exp()
  return x, core.random.rand(shape, { dtype = "float64" }):lt(density)
end

--- Normal with this mean and standard deviation, cut off outside [low, high].
---@param tensor perilune.Tensor
---@param mean? number  default 0
---@param std? number  default 1
---@param low? number  default -2
---@param high? number  default 2
---@return perilune.Tensor tensor
function init.trunc_normal_(tensor, mean, std, low, high)
  mean, std, low, high = mean or 0.0, std or 1.0, low or -2.0, high or 2.0
  options.number("trunc_normal_", "std", std, 0)
  local shape = check("trunc_normal_", tensor).shape
  if not (low < high and mean > low - 2 * std and mean < high + 2 * std) then
    core.raise(string.format("trunc_normal_: mean %g is more than two standard deviations outside [%g, %g]", mean, low,
      high))
  end
  local draw = high - low < NARROW * std and draw_within or draw_normal
  local sample, accepted = draw(shape, mean, std, low, high)
  while not accepted:all():item() do
    local more, fine = draw(shape, mean, std, low, high)
    sample, accepted = core.ops.where(accepted, sample, more), accepted:logical_or(fine)
  end
  return fill("trunc_normal_", tensor, sample)
end

---@param tensor perilune.Tensor
---@param value number
---@return perilune.Tensor tensor
function init.constant_(tensor, value)
  check("constant_", tensor):detach():fill_(value)
  return tensor
end

---@param tensor perilune.Tensor
---@return perilune.Tensor tensor
function init.zeros_(tensor) return init.constant_(tensor, 0) end

---@param tensor perilune.Tensor
---@return perilune.Tensor tensor
function init.ones_(tensor) return init.constant_(tensor, 1) end

local function fans(what, tensor)
  local shape = check(what, tensor).shape
  if #shape < 2 then core.raise(what .. ": a tensor of fewer than 2 dims has no fan_in and fan_out") end
  local kernel = 1
  for i = 3, #shape do kernel = kernel * shape[i] end
  return shape[2] * kernel, shape[1] * kernel
end

--- fan_in and fan_out of a weight.
---@param tensor perilune.Tensor
---@return integer fan_in
---@return integer fan_out
function init.calculate_fans(tensor) return fans("calculate_fans", tensor) end

local GAINS = { linear = 1.0, conv2d = 1.0, conv_transpose2d = 1.0, sigmoid = 1.0, tanh = 5 / 3, relu = math.sqrt(2),
  selu = 0.75 }

--- The factor that keeps the variance through a nonlinearity.
---@param nonlinearity "linear"|"conv2d"|"conv_transpose2d"|"sigmoid"|"tanh"|"relu"|"leaky_relu"|"selu"
---@param slope? number  of leaky_relu; default 0.01
---@return number
function init.calculate_gain(nonlinearity, slope)
  if nonlinearity == "leaky_relu" then return math.sqrt(2 / (1 + (slope or 0.01) ^ 2)) end
  local gain = GAINS[nonlinearity]
  if not gain then core.raise("calculate_gain: unknown nonlinearity " .. options.described(nonlinearity)) end
  return gain
end

--- Uniform in +-gain * sqrt(6 / (fan_in + fan_out)).  Glorot and Bengio, AISTATS 2010.
---@param tensor perilune.Tensor
---@param gain? number  default 1
---@return perilune.Tensor tensor
function init.xavier_uniform_(tensor, gain)
  local fan_in, fan_out = fans("xavier_uniform_", tensor)
  local bound = (gain or 1.0) * math.sqrt(6 / (fan_in + fan_out))
  return init.uniform_(tensor, -bound, bound)
end

--- Normal with standard deviation gain * sqrt(2 / (fan_in + fan_out)).  Glorot and Bengio, AISTATS 2010.
---@param tensor perilune.Tensor
---@param gain? number  default 1
---@return perilune.Tensor tensor
function init.xavier_normal_(tensor, gain)
  local fan_in, fan_out = fans("xavier_normal_", tensor)
  return init.normal_(tensor, 0, (gain or 1.0) * math.sqrt(2 / (fan_in + fan_out)))
end

local read_kaiming = options.reader("kaiming", { { "a", 0, "number" }, { "mode", "fan_in" },
  { "nonlinearity", "leaky_relu" } })

local function kaiming_std(what, tensor, given)
  local chosen = read_kaiming(given)
  options.choice(what, "mode", chosen.mode, { "fan_in", "fan_out" })
  local fan_in, fan_out = fans(what, tensor)
  local fan = chosen.mode == "fan_in" and fan_in or fan_out
  return init.calculate_gain(chosen.nonlinearity, chosen.a) / math.sqrt(fan)
end

--- Uniform in +-sqrt(3) * gain / sqrt(fan).  He et al., ICCV 2015.
---@param tensor perilune.Tensor
---@param given? { a: number, mode: "fan_in"|"fan_out", nonlinearity: string }  defaults 0, fan_in, leaky_relu
---@return perilune.Tensor tensor
function init.kaiming_uniform_(tensor, given)
  local bound = math.sqrt(3) * kaiming_std("kaiming_uniform_", tensor, given)
  return init.uniform_(tensor, -bound, bound)
end

--- Normal with standard deviation gain / sqrt(fan).  He et al., ICCV 2015.
---@param tensor perilune.Tensor
---@param given? { a: number, mode: "fan_in"|"fan_out", nonlinearity: string }  defaults 0, fan_in, leaky_relu
---@return perilune.Tensor tensor
function init.kaiming_normal_(tensor, given)
  return init.normal_(tensor, 0, kaiming_std("kaiming_normal_", tensor, given))
end

--- A (semi-)orthogonal matrix times gain; dims after the first are taken as one.  Saxe et al., ICLR 2014.
---@param tensor perilune.Tensor  at least 2 dims
---@param gain? number  default 1
---@return perilune.Tensor tensor
function init.orthogonal_(tensor, gain)
  local shape = check("orthogonal_", tensor).shape
  if #shape < 2 then core.raise("orthogonal_: the tensor needs at least 2 dims") end
  local rows, columns = shape[1], 1
  for i = 2, #shape do columns = columns * shape[i] end
  local tall = core.random.randn({ math.max(rows, columns), math.min(rows, columns) }, { dtype = "float64" })
  local q, r = core.ops.qr(tall)
  local d, entries = {}, r:totable()
  for i = 1, math.min(rows, columns) do d[i] = entries[i][i] < 0 and -1.0 or 1.0 end
  q = q * core.create.tensor(d, { dtype = "float64" })   -- makes the distribution uniform
  if rows < columns then q = q:t() end
  return fill("orthogonal_", tensor, (q * (gain or 1.0)):reshape(shape))
end

--- The identity matrix, as far as it fits.
---@param tensor perilune.Tensor  2 dims
---@return perilune.Tensor tensor
function init.eye_(tensor)
  local shape = check("eye_", tensor).shape
  if #shape ~= 2 then core.raise(("eye_: the tensor must have 2 dims, got %s"):format(shape)) end
  return fill("eye_", tensor, core.create.eye(shape[1], shape[2]))
end

--- A convolution's weight that hands its first channels on unchanged: 1 in the middle of the kernel of channel i to
--- channel i, 0 elsewhere.
---@param tensor perilune.Tensor  3 to 5 dims
---@param groups? integer  default 1; each group of output channels gets its input channels so
---@return perilune.Tensor tensor
function init.dirac_(tensor, groups)
  local shape = check("dirac_", tensor).shape
  groups = options.integer("dirac_", "groups", groups or 1)
  if #shape < 3 or #shape > 5 then core.raise(("dirac_: the tensor must have 3 to 5 dims, got %s"):format(shape)) end
  if shape[1] % groups ~= 0 then
    core.raise(("dirac_: %d output channels are no multiple of groups %d"):format(shape[1], groups))
  end
  local values, outputs = core.create.zeros(shape), shape[1] // groups
  for channel = 1, math.min(outputs, shape[2]) do
    local place = { 0, channel }
    for d = 3, #shape do place[d] = shape[d] // 2 + 1 end
    for group = 0, groups - 1 do
      place[1] = group * outputs + channel
      values[place] = 1
    end
  end
  return fill("dirac_", tensor, values)
end

--- Normal with this standard deviation, but for a share of each column, drawn anew, which is 0.  Martens, ICML 2010.
---@param tensor perilune.Tensor  2 dims
---@param sparsity number  the share, 0 .. 1, rounded up to whole elements
---@param std? number  default 0.01
---@return perilune.Tensor tensor
function init.sparse_(tensor, sparsity, std)
  local shape = check("sparse_", tensor).shape
  if #shape ~= 2 then core.raise(("sparse_: the tensor must have 2 dims, got %s"):format(shape)) end
  options.number("sparse_", "sparsity", sparsity, 0, 1)
  local rows, columns = shape[1], shape[2]
  local n_zeros = math.ceil(sparsity * rows)
  local values = core.random.randn(rows, columns):mul_(std or 0.01)
  for column = 1, columns do
    if n_zeros > 0 then values[{ core.random.randperm(rows):narrow(1, 1, n_zeros), column }] = 0 end
  end
  return fill("sparse_", tensor, values)
end

return setmetatable(init, { __tostring = require("perilune.shown").place("perilune.nn.init", init) })
