-- cma.lua -- the covariance matrix adaptation evolution strategy, CMA-ES, after Hansen's tutorial (arXiv 1604.00772).
--
-- Names are the tutorial's: mean m, step size sigma, covariance C, evolution paths p_sigma and p_c; weights beyond the
-- first mu are negative.  Vectors are lists of n numbers, matrices lists of rows.
local core = require "perilune.core"

local Cma = {}
Cma.__index = Cma

local EQUAL_VALUES <const>, LEAST_WIDTH <const> = 1e-12, 1e-12
local MOST_GROWTH <const>, DEGENERATE <const> = 1e4, 1e-14   -- least eigenvalue of C, as a part of the largest

local function sum(list, first, last, f)
  local total = 0
  for i = first, last do total = total + f(list[i]) end
  return total
end

local function identity(x) return x end
local function square(x) return x * x end

local function vector(n, value)
  local list = {}
  for i = 1, n do list[i] = value end
  return list
end

local function matrix_times(matrix, x)
  local y = {}
  for i, row in ipairs(matrix) do
    local total = 0
    for j = 1, #x do total = total + row[j] * x[j] end
    y[i] = total
  end
  return y
end

local function length(x) return math.sqrt(sum(x, 1, #x, square)) end

-- Weights and learning rates, table 1 of the tutorial.
local function set_constants(self)
  local n, lambda, mu = self.n, self.lambda, self.lambda // 2
  local raw = {}
  for i = 1, lambda do raw[i] = math.log((lambda + 1) / 2) - math.log(i) end
  local mu_eff = sum(raw, 1, mu, identity) ^ 2 / sum(raw, 1, mu, square)
  local mu_eff_minus = sum(raw, mu + 1, lambda, identity) ^ 2 / sum(raw, mu + 1, lambda, square)
  local c_1 = 2 / ((n + 1.3) ^ 2 + mu_eff)
  local c_mu = math.min(1 - c_1, 2 * (mu_eff - 2 + 1 / mu_eff) / ((n + 2) ^ 2 + mu_eff))
  local least = math.min(1 + c_1 / c_mu, 1 + 2 * mu_eff_minus / (mu_eff + 2), (1 - c_1 - c_mu) / (n * c_mu))
  local positive, negative = 0, 0
  for i = 1, lambda do
    if raw[i] > 0 then positive = positive + raw[i] else negative = negative - raw[i] end
  end
  self.weights = {}
  for i = 1, lambda do self.weights[i] = raw[i] >= 0 and raw[i] / positive or least * raw[i] / negative end
  self.mu, self.mu_eff, self.c_1, self.c_mu = mu, mu_eff, c_1, c_mu
  self.c_sigma = (mu_eff + 2) / (n + mu_eff + 5)
  self.d_sigma = 1 + 2 * math.max(0, math.sqrt((mu_eff - 1) / (n + 1)) - 1) + self.c_sigma
  self.c_c = (4 + mu_eff / n) / (n + 4 + 2 * mu_eff / n)
  self.expected = math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n))
end

-- C^(1/2) and C^(-1/2), both symmetric.
local function set_roots(self)
  local n = self.n
  local scope <close> = core.scope() -- luacheck: ignore scope
  local values, vectors = core.ops.eigh(core.create.tensor(self.C, { dtype = "float64" }))
  local w, v = values:totable(), vectors:totable()
  local smallest = DEGENERATE * math.max(w[n], 1e-300)
  self.is_degenerate = w[1] < smallest
  self.root, self.inverse, self.axes, self.lengths = {}, {}, v, {}
  for k = 1, n do self.lengths[k] = math.sqrt(math.max(w[k], smallest)) end
  for i = 1, n do
    self.root[i], self.inverse[i] = vector(n, 0), vector(n, 0)
    for j = 1, n do
      for k = 1, n do
        local d, product = self.lengths[k], v[i][k] * v[j][k]
        self.root[i][j] = self.root[i][j] + product * d
        self.inverse[i][j] = self.inverse[i][j] + product / d
      end
    end
  end
end

--- A search that begins at the mean, with the same deviation sigma in each direction.
---@param mean number[]  n of them
---@param sigma number
---@param lambda? integer  points a generation, default 4 + floor(3 ln n)
---@return table
function Cma.new(mean, sigma, lambda)
  local n = #mean
  local self = setmetatable({ n = n, lambda = lambda or 4 + math.floor(3 * math.log(n)), generation = 0,
    mean = table.move(mean, 1, n, 1, {}), sigma = sigma, first_sigma = sigma, C = {}, p_sigma = vector(n, 0),
    p_c = vector(n, 0), recent = {} }, Cma)
  for i = 1, n do
    self.C[i] = vector(n, 0)
    self.C[i][i] = 1
  end
  set_constants(self)
  set_roots(self)
  return self
end

--- The point that a standard normal z leads to.
---@param z number[]
---@return number[]
function Cma:point(z)
  local y, x = matrix_times(self.root, z), {}
  for i = 1, self.n do x[i] = self.mean[i] + self.sigma * y[i] end
  return x
end

-- Equations 43 and 44: the step size grows if steps go the same way, and shrinks if they undo each other.
local function update_sigma(self, step)
  local c, scale = self.c_sigma, math.sqrt(self.c_sigma * (2 - self.c_sigma) * self.mu_eff)
  local whitened = matrix_times(self.inverse, step)
  for i = 1, self.n do self.p_sigma[i] = (1 - c) * self.p_sigma[i] + scale * whitened[i] end
  local size = length(self.p_sigma)
  self.sigma = math.min(self.sigma * math.exp(c / self.d_sigma * (size / self.expected - 1)), 1e32)
  return size / math.sqrt(1 - (1 - c) ^ (2 * self.generation)) < (1.4 + 2 / (self.n + 1)) * self.expected
end

-- Equations 45 to 47.
local function update_covariance(self, steps, step, moves)
  local n, c_c, c_1, c_mu, weights = self.n, self.c_c, self.c_1, self.c_mu, {}
  local scale = moves and math.sqrt(c_c * (2 - c_c) * self.mu_eff) or 0
  for i = 1, n do self.p_c[i] = (1 - c_c) * self.p_c[i] + scale * step[i] end
  for k, y in ipairs(steps) do
    local weight = self.weights[k]
    weights[k] = weight >= 0 and weight or weight * n / (length(matrix_times(self.inverse, y)) ^ 2 + 1e-8)
  end
  local kept = 1 + (moves and 0 or c_1 * c_c * (2 - c_c)) - c_1 - c_mu * sum(self.weights, 1, self.lambda, identity)
  for i = 1, n do
    for j = 1, i do
      local rank_mu = 0
      for k, y in ipairs(steps) do rank_mu = rank_mu + weights[k] * y[i] * y[j] end
      local value = kept * self.C[i][j] + c_1 * self.p_c[i] * self.p_c[j] + c_mu * rank_mu
      self.C[i][j], self.C[j][i] = value, value
    end
  end
end

-- -- convergence --

-- How many generations the range of values looks back.
local function memory_of(self) return 10 + math.ceil(30 * self.n / self.lambda) end

-- The best and the worst value of a generation, in the place of one that is forgotten.
local function remember(self, values)
  self.recent[self.generation % memory_of(self)] = { values[1], values[#values] }
end

local function values_are_equal(self)
  if self.generation <= memory_of(self) then return false end
  local low, high = math.huge, -math.huge
  for _, pair in pairs(self.recent) do
    for _, value in ipairs(pair) do low, high = math.min(low, value), math.max(high, value) end
  end
  return high - low < EQUAL_VALUES
end

local function has_no_width(self)
  local limit = LEAST_WIDTH * self.first_sigma
  for i = 1, self.n do
    if self.sigma * self.C[i][i] >= limit or self.sigma * self.p_c[i] >= limit then return false end
  end
  return true
end

-- Whether a fifth of a deviation in some coordinate, or a tenth along one axis (another one each time), is lost in
-- rounding.
local function moves_nothing(self)
  local k, along_axis = self.generation % self.n + 1, true
  for i, m in ipairs(self.mean) do
    if m == m + 0.2 * self.sigma * math.sqrt(self.C[i][i]) then return true end
    along_axis = along_axis and m == m + 0.1 * self.sigma * self.lengths[k] * self.axes[i][k]
  end
  return along_axis
end

--- Whether going on leads nowhere: all values are the same, nothing moves any more, the search diverges, or C is
--- degenerate.  Rules and limits of the tutorial (B.3) and of Auger & Hansen (CEC 2005).
---@return boolean
function Cma:has_converged()
  return values_are_equal(self) or has_no_width(self) or self.sigma * self.lengths[self.n] > MOST_GROWTH
    or moves_nothing(self) or self.is_degenerate
end

--- Learns from a generation of lambda points, best first.
---@param points number[][]
---@param values? number[]  of the points: has_converged looks at them
function Cma:tell(points, values)
  self.generation = self.generation + 1
  if values then remember(self, values) end
  local steps, step = {}, vector(self.n, 0)
  for k, x in ipairs(points) do
    steps[k] = {}
    for i = 1, self.n do
      steps[k][i] = (x[i] - self.mean[i]) / self.sigma
      if k <= self.mu then step[i] = step[i] + self.weights[k] * steps[k][i] end
    end
  end
  for i = 1, self.n do self.mean[i] = self.mean[i] + self.sigma * step[i] end
  update_covariance(self, steps, step, update_sigma(self, step))
  set_roots(self)
end

return Cma
