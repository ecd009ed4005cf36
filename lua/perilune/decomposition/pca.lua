-- pca.lua -- principal component analysis.  Pearson, Phil. Mag. 1901; Halko, Martinsson & Tropp, SIAM Review 2011.
--
-- The components are the eigenvectors of the covariance, largest eigenvalue first; names, defaults and signs are
-- scikit-learn's.  Results are tensors of the dtype of the data (float32 for uint8).
local core = require "perilune.core"
local options = require "perilune.options"
local seeded = require "perilune.seeded"
local shown = require "perilune.shown"

local ops, stages = core.ops, core.decomposition

---@class perilune.decomposition.PCA
---@field components_ tensor  (k, d) unit vectors, one a row
---@field explained_variance_ tensor  (k) variance of the data along them
---@field explained_variance_ratio_ tensor  (k) the same as parts of the whole variance
---@field singular_values_ tensor  (k) sqrt(explained_variance_ * (n - 1))
---@field mean_ tensor  (d)
---@field noise_variance_ number  mean variance along the directions that were left out
---@field n_components_ integer
---@field n_features_in_ integer
---@field n_samples_ integer
local PCA = {}
PCA.__index = PCA

local SOLVERS <const> = { auto = true, covariance_eigh = true, full = true, randomized = true }

local read = options.reader("PCA", { { "n_components", nil, "number" }, { "whiten", false }, { "svd_solver", "auto" },
  { "random_state", nil, "integer" }, { "n_oversamples", 10 }, { "iterated_power", nil, "integer" } })

PCA.__tostring = shown.by(read)

--- A principal component analysis that is yet to be fitted.
---@param given? table  { n_components, whiten, svd_solver, random_state, n_oversamples, iterated_power }
---  n_components nil: min(n, d); an integer: so many; a fraction 0 < f < 1: as few as explain more than that part of
---  the variance.
---  whiten false: true divides each component by its standard deviation.
---  svd_solver "auto": as scikit-learn chooses among "covariance_eigh" (few features, many rows), "full" (the singular
---  value decomposition of the data), "randomized" (a few of many components).
---  random_state: seed of "randomized", otherwise drawn from the state's generator.
---  n_oversamples 10, iterated_power (7, or 4 for many components): of "randomized".
---@return perilune.decomposition.PCA
function PCA.new(given)
  local chosen = read(given)
  local k = chosen.n_components
  if k and not (k > 0 and (k < 1 or math.tointeger(k))) then
    core.raise(("PCA: n_components must be a positive integer or a fraction between 0 and 1, got %s"):format(k))
  end
  if not SOLVERS[chosen.svd_solver] then
    core.raise(("PCA: svd_solver must be auto, covariance_eigh, full or randomized, got %q"):format(chosen.svd_solver))
  end
  options.integer("PCA", "n_oversamples", chosen.n_oversamples, 0)
  if chosen.iterated_power then options.integer("PCA", "iterated_power", chosen.iterated_power, 0) end
  return setmetatable(chosen, PCA)
end

local function check_data(what, x, n_features)
  if not core.is_tensor(x) then core.raise(("PCA.%s: x must be a tensor, got %s"):format(what, type(x))) end
  if x:dim() ~= 2 then
    core.raise(("PCA.%s: x must be (samples, features), got %d dims; x:flatten(2) makes rows of images"):format(
      what, x:dim()))
  end
  if x.dtype ~= "float32" and x.dtype ~= "float64" and x.dtype ~= "uint8" then
    core.raise(("PCA.%s: x must be float32, float64 or uint8, got %s"):format(what, x.dtype))
  end
  if n_features and x.shape[2] ~= n_features then
    core.raise(("PCA.%s: x has %d features but the analysis was fitted with %d"):format(what, x.shape[2], n_features))
  end
end

-- scikit-learn's choice.
local function choose_solver(self, n, d)
  if self.svd_solver ~= "auto" then return self.svd_solver end
  local k, least = self.n_components or math.min(n, d), math.min(n, d)
  if d <= 1000 and n >= 10 * d then return "covariance_eigh" end
  if math.max(n, d) > 500 and k >= 1 and k < 0.8 * least then return "randomized" end
  return "full"
end

local function check_components(self, solver, n, d)
  local k, least = self.n_components, math.min(n, d)
  if not k then return end
  if k > least then
    core.raise(("PCA.fit: n_components is %s but %d samples of %d features have only %d components"):format(
      k, n, d, least))
  end
  if k < 1 and solver == "randomized" then
    core.raise("PCA.fit: a fraction of the variance needs svd_solver covariance_eigh or full, not randomized")
  end
end

-- Largest component of each row positive, so that signs do not depend on the solver.
local function fix_signs(components)
  local at = components:abs():argmax(2, { keepdim = true })
  local sign = components:gather(2, at):sign()
  return components * ops.where(sign:eq(0), 1.0, sign)
end

-- Each solver returns the variances along the components, largest first, of which the first so many may be all that is
-- wanted; the components as rows; the whole variance; the number of directions that it is spread over; and the mean.
local solve = {}

local function is_finite(number) return number < math.huge and number > -math.huge end -- no NaN either

local function raise_infinite(what, x)
  if x:isfinite():all():item() then
    core.raise(("PCA.%s: x has values whose products are beyond %s; divide x by a number first"):format(what, x.dtype))
  end
  core.raise(("PCA.%s: x has NaN or infinite values; leave those rows out, or fill them in, first"):format(what))
end

function solve.covariance_eigh(self, x, dtype)
  local d, k = x.shape[2], self.n_components
  local mean, scatter, spread = stages.moments(x, true)
  if not is_finite(spread) then raise_infinite("fit", x) end
  local values, vectors = stages.largest(scatter:div_(x.shape[1] - 1), k and k >= 1 and math.tointeger(k) or d)
  values = values:clamp(0.0) -- rounding leaves small negative ones where there is no variance
  return values:to(dtype), vectors:to(dtype), spread / (x.shape[1] - 1), d, mean
end

local function finite_mean(x)
  local mean = stages.moments(x, false)
  if not is_finite(mean:sum():item()) then raise_infinite("fit", x) end
  return mean
end

function solve.full(_, x, dtype)
  local mean = finite_mean(x)
  local _, s, components = ops.svd(stages.triangle(x, mean:to(dtype)))
  local values = s * s / (x.shape[1] - 1)
  return values, components, values:to("float64"):sum():item(), #s, mean
end

-- Halko et al., algorithm 4.4: subspace iteration with a QR after each product, here with c = x - mean and c'.
local function randomized_on_rows(x, q, rounds, dtype)
  local mean = finite_mean(x)
  local c = x:to(dtype) - mean:to(dtype)
  for _ = 1, rounds do q = ops.qr(c:t():matmul((ops.qr(c:matmul(q))))) end
  q = ops.qr(c:matmul(q))
  local _, s, components = ops.svd(q:t():matmul(c))
  return s * s, components, (c * c):sum(1):to("float64"):sum():item(), mean
end

-- With many rows of few features c' c costs less than the products with c, and holds digits enough for a random start.
local function randomized_on_scatter(x, q, rounds)
  local mean, scatter, spread = stages.moments(x, true)
  if not is_finite(spread) then raise_infinite("fit", x) end
  local upper = scatter:triu()
  local symmetric = upper + upper:triu(1):t()
  q = ops.qr(symmetric:matmul(q:to("float64")))
  for _ = 1, rounds do q = ops.qr(symmetric:matmul(q)) end
  local values, vectors = ops.eigh(q:t():matmul(symmetric):matmul(q))
  return values:flip(1):clamp(0.0), vectors:flip(2):t():matmul(q:t()), spread, mean
end

function solve.randomized(self, x, dtype)
  local n, d = x.shape[1], x.shape[2]
  local least = math.min(n, d)
  local k = self.n_components or least
  local width = math.min(k + self.n_oversamples, least)
  local rounds = self.iterated_power or (k < 0.1 * least and 7 or 4)
  local q = seeded(self.random_state, function() return core.random.randn(d, width, { dtype = dtype }) end)
  local on_scatter = n > d and d < 4 * (rounds + 1) * width
  local run = on_scatter and randomized_on_scatter or randomized_on_rows
  local values, components, spread, mean = run(x, q, rounds, dtype)
  return (values / (n - 1)):to(dtype), components:to(dtype), spread / (n - 1), least, mean
end

-- How many components are kept: as asked for, or as few as explain more than the fraction.
local function count_components(wanted, ratios)
  if not wanted then return #ratios end
  if wanted >= 1 then return math.tointeger(wanted) end
  local sum = 0.0
  for k, ratio in ipairs(ratios:totable()) do
    sum = sum + ratio
    if sum > wanted then return k end
  end
  return #ratios
end

local function fit(self, x)
  local n, d = x.shape[1], x.shape[2]
  if n < 2 then core.raise(("PCA.fit: x has %d samples; a variance needs at least 2"):format(n)) end
  if d < 1 then core.raise("PCA.fit: x has no features") end
  local solver = choose_solver(self, n, d)
  check_components(self, solver, n, d)
  local dtype = x.dtype == "float64" and "float64" or "float32"
  local values, components, total, n_directions, mean = solve[solver](self, x, dtype)
  local least = math.min(n, d)
  values, components = values:narrow(1, 1, math.min(least, #values)), components:narrow(1, 1, math.min(least, #values))
  local ratios = total > 0 and values / total or core.create.zeros_like(values)
  local k = count_components(self.n_components, ratios)
  local kept = values:narrow(1, 1, k):contiguous()
  self.n_components_, self.n_features_in_, self.n_samples_ = k, d, n
  self.mean_ = mean:to(dtype)
  self.components_ = fix_signs(components:narrow(1, 1, k)):contiguous()
  self.explained_variance_ = kept
  self.explained_variance_ratio_ = ratios:narrow(1, 1, k):contiguous()
  self.singular_values_ = (kept * (n - 1)):sqrt()
  local left = math.max(total - kept:to("float64"):sum():item(), 0.0)
  self.noise_variance_ = k < least and left / (n_directions - k) or 0.0
  return self
end

--- Finds the components of the rows of x.
---@param x tensor  (n, d) float32, float64 or uint8; n at least 2; no NaN, no infinity
---@return perilune.decomposition.PCA self
function PCA:fit(x)
  check_data("fit", x)
  return core.no_grad(fit, self, x)
end

local function check_fitted(self, what)
  if self.components_ then return end
  core.raise(("PCA.%s: the analysis has not been fitted; call fit(x) first"):format(what))
end

local TINY <const> = { float32 = 1.1920929e-07, float64 = 2.220446049250313e-16 }

-- Standard deviations of the components, none of them zero.
local function deviations(self)
  return self.explained_variance_:sqrt():clamp(TINY[self.components_.dtype])
end

-- x as stages.project takes it: float64 with a float64 basis, else float32 or uint8.
local function fitting(x, dtype)
  if dtype == "float64" or x.dtype == "float64" then return x:to(dtype) end
  return x
end

--- The coordinates of the rows of x along the components.
---@param x tensor  (m, d) no NaN, no infinity
---@return tensor  (m, k)
function PCA:transform(x)
  check_fitted(self, "transform")
  check_data("transform", x, self.n_features_in_)
  return core.no_grad(function()
    local dtype = self.components_.dtype
    local basis = self.components_
    if self.whiten then basis = basis / deviations(self):unsqueeze(2) end
    local z = stages.project(fitting(x, dtype), self.mean_, basis)
    if not is_finite(z:sum():item()) and not z:isfinite():all():item() then raise_infinite("transform", x) end
    return z
  end)
end

--- fit(x) and transform(x).
---@param x tensor  (n, d)
---@return tensor  (n, k)
function PCA:fit_transform(x) return self:fit(x):transform(x) end

--- The points that have these coordinates: what is left of x is its projection.
---@param z tensor  (m, k)
---@return tensor  (m, d)
function PCA:inverse_transform(z)
  check_fitted(self, "inverse_transform")
  check_data("inverse_transform", z, self.n_components_)
  return core.no_grad(function()
    local dtype = self.components_.dtype
    local scaled = z:to(dtype)
    if self.whiten then scaled = scaled * deviations(self) end
    return scaled:matmul(self.components_) + self.mean_
  end)
end

local STATE <const> = { "components_", "explained_variance_", "explained_variance_ratio_", "singular_values_", "mean_" }

--- What was found, for perilune.save.
---@return table<string, tensor>
function PCA:state_dict()
  check_fitted(self, "state_dict")
  local numbers = { self.n_samples_, self.noise_variance_, self.whiten and 1 or 0 }
  local state = { counts = core.create.tensor(numbers, { dtype = "float64" }) }
  for _, name in ipairs(STATE) do state[name] = self[name] end
  return state
end

--- Takes back what state_dict gave, `whiten` included.
---@param state table<string, tensor>
---@return perilune.decomposition.PCA self
function PCA:load_state_dict(state)
  for _, name in ipairs { "counts", table.unpack(STATE) } do
    if type(state) ~= "table" or not core.is_tensor(state[name]) then
      core.raise(("PCA.load_state_dict: the state has no tensor %q"):format(name))
    end
  end
  for _, name in ipairs(STATE) do self[name] = state[name] end
  self.n_components_, self.n_features_in_ = self.components_.shape[1], self.components_.shape[2]
  self.n_samples_ = math.tointeger(state.counts[1]:item())
  self.noise_variance_, self.whiten = state.counts[2]:item(), state.counts[3]:item() == 1
  return self
end

return PCA.new
