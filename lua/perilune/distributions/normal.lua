-- normal.lua -- the normal distribution, one for each element.
local core = require "perilune.core"
local shown = require "perilune.shown"

local ops, create = core.ops, core.create

---@class perilune.distributions.Normal
---@field loc tensor  the mean
---@field scale tensor  the standard deviation
---@field mean tensor  loc
---@field stddev tensor  scale
---@field variance tensor  scale^2
local Normal = {}

local HALF_LOG_TAU <const> = 0.5 * math.log(2 * math.pi)

local derived = {
  mean = function(self) return self.loc end,
  stddev = function(self) return self.scale end,
  variance = function(self) return self.scale * self.scale end,
}

Normal.__index = function(self, name)
  if derived[name] then return derived[name](self) end
  return Normal[name]
end

Normal.__tostring = shown.by("Normal", function(self)
  return "loc = " .. shown.value(self.loc), "scale = " .. shown.value(self.scale)
end)

local function parameter(name, value, like)
  if core.is_tensor(value) then return value end
  if type(value) ~= "number" then
    core.raise(("Normal: %s must be a number or a tensor, got %s"):format(name, type(value)))
  end
  return create.full(like and like.shape or {}, value, { dtype = like and like.dtype or "float32" })
end

--- Independent normal variables, one for each element of loc and scale, which are broadcast against each other.
---@param loc tensor|number  the mean
---@param scale tensor|number  the standard deviation, positive everywhere
---@return perilune.distributions.Normal
function Normal.new(loc, scale)
  local mean = parameter("loc", loc, core.is_tensor(scale) and scale or nil)
  local deviation = parameter("scale", scale, mean)
  if not deviation:gt(0):all():item() then core.raise("Normal: scale must be positive everywhere") end
  return setmetatable({ loc = mean, scale = deviation }, Normal)
end

-- The shape of loc and scale together.
local function zeros(self) return create.zeros_like((self.loc + self.scale):detach()) end

--- A draw that gradients pass through: loc + scale * e, e ~ N(0, 1) (Kingma & Welling 2014).
---@return tensor  of the shape of loc and scale together
function Normal:rsample()
  return self.loc + self.scale * core.random.randn_like(zeros(self))
end

--- A draw without gradient.
---@return tensor
function Normal:sample()
  return core.no_grad(function() return self:rsample() end)
end

--- The logarithm of the density at x.
---@param x tensor|number
---@return tensor
function Normal:log_prob(x)
  local z = (x - self.loc) / self.scale
  return z * z * -0.5 - ops.log(self.scale) - HALF_LOG_TAU
end

--- The probability of a value up to x.
---@param x tensor|number
---@return tensor
function Normal:cdf(x)
  return (ops.erf((x - self.loc) / (self.scale * math.sqrt(2))) + 1) * 0.5
end

--- 1/2 log(2 pi e scale^2), of each element.
---@return tensor
function Normal:entropy()
  return zeros(self) + ops.log(self.scale) + (0.5 + HALF_LOG_TAU)
end

return { Normal = Normal.new, class = Normal }
