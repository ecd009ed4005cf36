-- tsne.lua -- t-distributed stochastic neighbour embedding.
--
--   p_j|i ~ exp(-beta_i |x_i - x_j|^2)      beta_i: so that row i, its nearest neighbours, has the wanted perplexity
--   p_ij = (p_j|i + p_i|j) / 2n             what the map shall show
--   q_ij = 1 / (1 + |y_i - y_j|^2) / Z      what it shows
--   gradient_i = sum_j (p_ij - q_ij) (y_i - y_j) / (1 + |y_i - y_j|^2)
--
-- van der Maaten & Hinton, JMLR 2008; the sum over all q by a tree, van der Maaten, JMLR 2014.  As in openTSNE, the
-- usual factor 4 of the gradient is part of the learning rate.  The stages are csrc/manifold/; here is their order.
local core = require "perilune.core"
local options = require "perilune.options"
local progress = require "perilune.progress"
local seeded = require "perilune.seeded"
local shown = require "perilune.shown"

local stages, ops = core.manifold, core.ops

---@class perilune.manifold.TSNE
---@field embedding_ tensor  (n, n_components) the map
---@field kl_divergence_ number  at the end; approximate where the angle is not 0
---@field n_iter_ integer  iterations that were done
---@field learning_rate_ number  that was used
local TSNE = {}
TSNE.__index = TSNE

local read = options.reader("TSNE", { { "n_components", 2 }, { "perplexity", 30.0, "number" },
  { "early_exaggeration", 12.0, "number" }, { "early_exaggeration_iter", 250 }, { "max_iter", 1000 },
  { "learning_rate", "auto", "any" }, { "init", "pca", "any" }, { "metric", "euclidean" }, { "method", "barnes_hut" },
  { "angle", 0.5, "number" }, { "expansion", 3 }, { "tree_every", 10 }, { "strong_share", 0.3, "number" },
  { "weak_every", 4 }, { "weak_from", 60 }, { "random_state", nil, "integer" }, { "callbacks", nil, "any" },
  { "callbacks_every_iters", 50 }, { "show_progress_bar", false } })

TSNE.__tostring = shown.by(read)

local function require_that(holds, ...)
  if not holds then core.raise("TSNE: " .. string.format(...)) end
end

-- Options that count, with the least that each may be.
local COUNTS <const> = { n_components = 1, early_exaggeration_iter = 0, max_iter = 1, expansion = 0, tree_every = 1,
  weak_every = 1, weak_from = 0, callbacks_every_iters = 1 }

local function callbacks_of(given)
  local list = type(given) == "function" and { given } or given or {}
  require_that(type(list) == "table", "callbacks must be a function or a list of them")
  for _, callback in ipairs(list) do
    local meta = getmetatable(callback)
    require_that(type(callback) == "function" or type(meta) == "table" and meta.__call,
      "callbacks must be a function or a list of them, but %s is among them", tostring(callback))
  end
  return list
end

--- A map that is yet to be made.
---@param given? table  { n_components, perplexity, early_exaggeration, early_exaggeration_iter, max_iter,
---  learning_rate, init, metric, method, angle, expansion, tree_every, strong_share, weak_every, weak_from,
---  random_state, callbacks, callbacks_every_iters, show_progress_bar }
---  n_components 2, or 3.  perplexity 30: about how many neighbours count; 3 times as many are looked at.
---  early_exaggeration 12: by how much p is multiplied in the first early_exaggeration_iter 250 of max_iter 1000
---  iterations.
---  learning_rate "auto": n / early_exaggeration, at least 200 (Belkina et al. 2019).
---  init "pca": the first components, scaled to a standard deviation of 1e-4; "random"; or a tensor (n, n_components).
---  metric "euclidean", or "cosine" (one minus the cosine).
---  method "barnes_hut", or "exact": all pairs, for a few thousand points.  angle 0.5: of the tree; smaller is more
---  exact.
---  Approximations of the forces, chosen so that the map is as good as without them (experiments/bench/tsne.lua
---  measures each).  expansion 3: in the plane, far points act by a series of third order, and the tree is kept for
---  tree_every 10 iterations; 0, and always in three dimensions: by their mean, with a new tree in each iteration.
---  The strong_share 0.3 of a point's edges with the largest p pull anew in each iteration, the others, after the first
---  weak_from 60 iterations, in every weak_every 4th.  Plain: { expansion = 0, weak_every = 1 }.
---  random_state: seed of "random" and of the principal components.
---  callbacks: f(iteration, kl_divergence, embedding), or a list of such, called every callbacks_every_iters 50
---  iterations; one that returns false ends the descent.  show_progress_bar false: on stderr.
---@return perilune.manifold.TSNE
function TSNE.new(given)
  local chosen = read(given)
  for name, least in pairs(COUNTS) do options.integer("TSNE", name, chosen[name], least) end
  require_that(chosen.n_components == 2 or chosen.n_components == 3, "n_components must be 2 or 3, got %d",
    chosen.n_components)
  require_that(chosen.perplexity >= 1 and chosen.perplexity < math.huge, "perplexity must be 1 or more, got %g",
    chosen.perplexity)
  require_that(chosen.early_exaggeration >= 1 and chosen.early_exaggeration < math.huge,
    "early_exaggeration must be 1 or more, got %g", chosen.early_exaggeration)
  require_that(chosen.angle >= 0 and chosen.angle <= 1, "angle must be in [0, 1], got %g", chosen.angle)
  require_that(chosen.expansion == 0 or chosen.expansion == 3, "expansion must be 0 or 3, got %d", chosen.expansion)
  require_that(chosen.strong_share >= 0 and chosen.strong_share <= 1, "strong_share must be in [0, 1], got %g",
    chosen.strong_share)
  local rate = chosen.learning_rate
  require_that(rate == "auto" or type(rate) == "number" and rate > 0 and rate < math.huge,
    "learning_rate must be \"auto\" or positive, got %s", tostring(rate))
  require_that(chosen.metric == "euclidean" or chosen.metric == "cosine", "metric must be euclidean or cosine, got %q",
    chosen.metric)
  require_that(chosen.method == "barnes_hut" or chosen.method == "exact", "method must be barnes_hut or exact, got %q",
    chosen.method)
  require_that(chosen.init == "pca" or chosen.init == "random" or core.is_tensor(chosen.init),
    "init must be \"pca\", \"random\" or a tensor")
  chosen.callbacks = callbacks_of(chosen.callbacks)
  return setmetatable(chosen, TSNE)
end

local function check_points(self, x)
  require_that(core.is_tensor(x) and x:dim() == 2, "fit needs a tensor (points, features)")
  require_that(x.dtype == "float32" or x.dtype == "float64" or x.dtype == "uint8",
    "points must be float32, float64 or uint8, got %s", x.dtype)
  local n = x.shape[1]
  require_that(x.shape[2] >= 1, "the points have no features")
  require_that(self.perplexity < n, "perplexity %g needs more than %d points; make it smaller, about a third of them",
    self.perplexity, n)
end

local BLOCK <const> = 2048   -- queries of one call: the host may interrupt between calls

-- first 1: the rows of x are the points themselves; 0: others.
local function nearest(points, x, k, first_row)
  local n = x.shape[1]
  local index = core.create.empty(n, k, { dtype = "int64" })
  local distance = core.create.empty(n, k, { dtype = "float32" })
  for first = 1, n, BLOCK do
    local scope <close> = core.scope() -- luacheck: ignore
    local count = math.min(BLOCK, n - first + 1)
    local i, d = stages.search(points, x:narrow(1, first, count), k, first * first_row)
    index:narrow(1, first, count):copy_(i)
    distance:narrow(1, first, count):copy_(d)
  end
  return index, distance
end

-- As scikit-learn has it: the square of one minus the cosine stands where the squared distance does.
local function cosine(x)
  local length = (x * x):sum(2, { keepdim = true }):sqrt()
  return x / ops.where(length:eq(0), 1.0, length)
end

local function affinities_of(self, points, x)
  local n = x.shape[1]
  local k = self.method == "exact" and n - 1 or math.min(n - 1, math.floor(3 * self.perplexity))
  local index, distance = nearest(points, x, k, 1)
  if self.metric == "cosine" then distance = (distance / 2):square() end
  return stages.affinities(index, stages.perplexity(distance, self.perplexity))
end

local SPREAD <const> = 1e-4

local function initial_map(self, x)
  local n, m = x.shape[1], self.n_components
  if core.is_tensor(self.init) then
    local shape = self.init.shape
    require_that(#shape == 2 and shape[1] == n and shape[2] == m, "init must be (%d, %d)", n, m)
    require_that(self.init:isfinite():all():item(), "init has NaN or infinite values")
    return self.init:to("float32"):clone():contiguous()
  end
  if self.init == "pca" and x.shape[2] >= m then
    local pca = require("perilune.decomposition").PCA { n_components = m, random_state = self.random_state or 0 }
    local y = pca:fit_transform(x)
    local spread = y:select(2, 1):std():item()
    return (y * (spread > 0 and SPREAD / spread or 0.0)):contiguous()
  end
  return seeded(self.random_state, function() return core.random.randn(n, m) * SPREAD end)
end

local function learning_rate(self, n)
  if self.learning_rate ~= "auto" then return self.learning_rate end
  return math.max(200.0, n / self.early_exaggeration)
end

local START_MOMENTUM <const>, LATER_MOMENTUM <const> = 0.5, 0.8

-- The pull of all edges: the strong ones anew, the weak ones as they were at most weak_every - 1 iterations ago.
local function attraction_of(self, map, i)
  if i <= self.weak_from or i % self.weak_every == 0 or not map.weak_pull then
    if map.weak_pull then core.release(map.weak_pull) end
    map.weak_pull = stages.attraction(map.weak, map.y)
  end
  return stages.attraction(map.strong, map.y, map.weak_pull)
end

local function repulsion_of(self, map, i)
  if map.field then return stages.field_repulsion(map.field, map.y, map.angle, (i - 1) % self.tree_every == 0) end
  return stages.repulsion(map.y, map.angle)
end

-- The exaggeration stands for the first iterations only, and with it the smaller momentum.
local function iterate(self, map, i)
  local early = i <= self.early_exaggeration_iter
  local attraction = attraction_of(self, map, i)
  local repulsion, q_sum = repulsion_of(self, map, i)
  map.descent.exaggeration = early and self.early_exaggeration or 1.0
  map.descent.momentum = early and START_MOMENTUM or LATER_MOMENTUM
  map.descent.q_sum = q_sum
  local norm = stages.step(map.y, map.velocity, map.gain, attraction, repulsion, map.descent)
  require_that(norm < math.huge, "the map flew apart in iteration %d; learning_rate %g is too large", i,
    map.descent.learning_rate)
  core.release(attraction)
  core.release(repulsion)
end

-- Of the map as it stands, which needs its own sum of q.
local function divergence(map)
  local repulsion, q_sum = stages.repulsion(map.y, map.angle)
  core.release(repulsion)
  return stages.divergence(map.affinities, map.y, q_sum)
end

local function in_callers_order(map) return map.y:index_select(1, map.order:argsort()) end

local function goes_on(self, map, i, bar)
  local anyone = #self.callbacks > 0
  if i % self.callbacks_every_iters ~= 0 or not (anyone or bar) then return true end
  local kl = divergence(map)
  if bar then bar:update(0, ("KL %.4f"):format(kl)) end
  local y = anyone and in_callers_order(map)
  for _, callback in ipairs(self.callbacks) do
    if callback(i, kl, y) == false then return false end
  end
  return true
end

local function descend(self, map)
  local bar <close> = self.show_progress_bar and progress.progress { total = self.max_iter, title = "t-SNE",
    unit = "it" } or nil
  for i = 1, self.max_iter do
    iterate(self, map, i)
    self.n_iter_ = i
    if bar then bar:update(1) end
    if not goes_on(self, map, i, bar) then break end
  end
end

local LARGE <const> = 2.0 ^ 30

-- The power of two, as an exponent, by which points are multiplied so that their squared distances stay within float32:
-- a map does not depend on the scale of its points.
local function exponent_of(x)
  local most = x:abs():max():item()
  if most == 0 or most < LARGE and most > 1 / LARGE then return 0 end
  return -math.floor(math.log(most, 2))
end

-- In two factors, since 2^exponent itself may be beyond float32.
local function scaled(x, exponent)
  return exponent == 0 and x or x * 2.0 ^ (exponent // 2) * 2.0 ^ (exponent - exponent // 2)
end

local function prepared(self, x) return (self.metric == "cosine" and cosine(x) or x):contiguous() end

-- What an iteration needs, its rows in the order of `order`, so that neighbours lie near each other in memory.
local function new_map(self, x)
  local order = stages.order(x)
  local y = initial_map(self, x):index_select(1, order)
  local map = { order = order, y = y, velocity = core.create.zeros_like(y), gain = core.create.ones_like(y),
    angle = self.method == "exact" and 0.0 or self.angle, descent = { learning_rate = learning_rate(self, #x) } }
  local ordered = prepared(self, x:index_select(1, order))
  map.points = stages.neighbor_index(ordered)
  map.affinities = affinities_of(self, map.points, ordered)
  map.strong, map.weak = stages.springs(map.affinities, self.weak_every > 1 and self.strong_share or 1.0)
  if self.expansion == 3 and self.n_components == 2 then map.field = stages.field(#x) end
  return map
end

local function as_points(x)
  x = x:detach():to("float32"):contiguous()
  require_that(x:isfinite():all():item(), "the points have NaN or infinite values, or some beyond float32")
  return x
end

local function fit(self, x)
  check_points(self, x)
  x = as_points(x)
  local exponent = exponent_of(x)
  x = scaled(x, exponent)
  local map = new_map(self, x)
  self.learning_rate_ = map.descent.learning_rate
  descend(self, map)
  self.embedding_, self.kl_divergence_ = in_callers_order(map), divergence(map)
  self._fitted = { y = map.y, points = map.points, exponent = exponent, n_features = x.shape[2] }
  return self
end

--- Makes the map of the rows of x.
---@param x tensor  (n, d) float32, float64 or uint8; more rows than the perplexity; no NaN, no infinity
---@return perilune.manifold.TSNE self
function TSNE:fit(x) return core.no_grad(fit, self, x) end

local read_transform = options.reader("TSNE:transform", { { "perplexity", 5.0, "number" }, { "max_iter", 250 },
  { "learning_rate", 0.1, "number" }, { "exaggeration", 1.5, "number" } })
local LONGEST_GRADIENT <const> = 0.25

-- The median of its neighbours' places, coordinate by coordinate: one of them that lies elsewhere does not matter.
local function between(y, index)
  local n, k, m = index.shape[1], index.shape[2], y.shape[2]
  return (y:index_select(1, index:flatten()):view(n, k, m):sort(2)):select(2, (k + 1) // 2):contiguous()
end

local function place(self, x, chosen)
  local fitted = self._fitted
  local n, k = fitted.y.shape[1], math.min(fitted.y.shape[1], math.floor(3 * chosen.perplexity))
  require_that(chosen.perplexity < n, "perplexity %g needs more than %d points", chosen.perplexity, n)
  local index, distance = nearest(fitted.points, prepared(self, scaled(as_points(x), fitted.exponent)), k, 0)
  require_that(distance:isfinite():all():item(), "some points are too far from the fitted ones")
  if self.metric == "cosine" then distance = (distance / 2):square() end
  local p, tree, y = stages.perplexity(distance, chosen.perplexity), stages.tree(fitted.y), between(fitted.y, index)
  local velocity, forces = core.create.zeros_like(y), { angle = self.angle, exaggeration = chosen.exaggeration }
  for _ = 1, chosen.max_iter do
    local scope <close> = core.scope() -- luacheck: ignore
    local gradient = stages.placement(tree, fitted.y, index, p, y, forces)
    local shorter = LONGEST_GRADIENT / gradient:square():sum(2, { keepdim = true }):sqrt():clamp(LONGEST_GRADIENT)
    velocity:copy_(velocity * LATER_MOMENTUM - gradient * shorter * chosen.learning_rate)
    y:copy_(y + velocity)
  end
  return y
end

--- Places new points in the fitted map, whose points stand still. Each goes to the median of its nearest neighbours,
--- then descends a divergence of its own; where it goes does not depend on the others that come with it.
---@param x tensor  (m, d) d as in fit; no NaN, no infinity
---@param given? table  { perplexity, max_iter, learning_rate, exaggeration } perplexity 5 of the neighbours among the
---  fitted points, max_iter 250 steps of learning_rate 0.1, exaggeration 1.5 of the attraction
---@return tensor  (m, n_components) float32
function TSNE:transform(x, given)
  local chosen = read_transform(given)
  require_that(self._fitted, "transform comes after fit")
  require_that(chosen.perplexity >= 1 and chosen.max_iter >= 0 and chosen.learning_rate > 0 and chosen.exaggeration > 0,
    "transform: perplexity must be 1 or more, max_iter 0 or more, learning_rate and exaggeration positive")
  require_that(core.is_tensor(x) and x:dim() == 2 and x.shape[2] == self._fitted.n_features,
    "transform needs a tensor (points, %d)", self._fitted.n_features)
  return core.no_grad(place, self, x, chosen)
end

--- fit(x), and the map.
---@param x tensor  (n, d)
---@return tensor  (n, n_components) float32
function TSNE:fit_transform(x) return self:fit(x).embedding_ end

return TSNE.new
