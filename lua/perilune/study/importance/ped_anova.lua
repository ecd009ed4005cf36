-- importance/ped_anova.lua -- PED-ANOVA (Watanabe, Bansal & Hutter, IJCAI 2023), with Optuna 5's rules.
--
-- What the best tenth of the trials chose is compared with what all chose: the Pearson divergence between the two
-- densities of a parameter, each a Parzen estimator on a grid.  A parameter that not all trials have, or not with the
-- same range, is looked at in each regime by itself, with the regimes' shares as weights.
local Evaluator = require "perilune.study.importance.base"
local core = require "perilune.core"
local search_space = require "perilune.study.search_space"
local settings = require "perilune.study.settings"

local PedAnova = Evaluator:extend("PedAnovaImportanceEvaluator")

local GRID, PRIOR_WEIGHT, LEAST_TRIALS, TINY = 50, 1, 2, 1e-12
local LEAST_SIGMA = 0.5 / 1.64     -- 90 % of a kernel stay in its cell

settings(PedAnova, { { "target_quantile", 0.1 }, { "region_quantile", 1.0, "number" }, { "evaluate_on_local", true } })

function PedAnova:init(given)
  self:configure(given)
  if not (0 < self.target_quantile and self.target_quantile < self.region_quantile and self.region_quantile <= 1) then
    core.raise(("PedAnova: 0 < target_quantile < region_quantile <= 1 must hold, got %g and %g"):format(
      self.target_quantile, self.region_quantile))
  end
end

-- -- densities on a grid --

local function cells_of(distribution)
  if distribution.choices then return #distribution.choices end
  local range = distribution.high - distribution.low
  if distribution.name == "IntDistribution" and distribution.log then
    return math.min(math.ceil(math.log(range + 1) / math.log(2)) + 1, GRID)
  end
  if not distribution.step then return GRID end
  return math.min(math.floor(range / distribution.step + 0.5) + 1, GRID)
end

-- How many trials have their value nearest to each grid point; [0 .. cells - 1].
local function counts_of(name, distribution, trials)
  local cells, counts = cells_of(distribution), {}
  for i = 0, cells - 1 do counts[i] = 0 end
  local low, high = distribution.low, distribution.high
  if distribution.log then low, high = math.log(low), math.log(high) end
  for _, trial in ipairs(trials) do
    local value = trial.internal_params[name]
    local at = math.tointeger(value)
    if not distribution.choices then
      value = distribution.log and math.log(value) or value
      at = math.ceil((value - low) / ((high - low) / (cells - 1)) - 0.5)   -- a tie goes down
      at = math.max(0, math.min(at, cells - 1))
    end
    counts[at] = counts[at] + 1
  end
  return counts, cells
end

-- The first index whose running sum passes `limit`, or reaches it.
local function quartile(weights, limit, passes)
  local sum = 0
  for i, weight in ipairs(weights) do
    sum = sum + weight
    if passes and sum > limit or not passes and sum >= limit then return i end
  end
  return #weights
end

-- Scott's rule (1992), with the lesser of deviation and scaled interquartile range.
local function bandwidth(centers, weights)
  local sum, mean, square = 0, 0, 0
  for i, x in ipairs(centers) do sum, mean = sum + weights[i], mean + weights[i] * x end
  mean = mean / sum
  for i, x in ipairs(centers) do square = square + weights[i] * (x - mean) ^ 2 end
  local deviation = math.sqrt(square / math.max(1, sum - 1))
  local range = centers[quartile(weights, sum * 3 // 4, true)] - centers[quartile(weights, sum // 4)]
  return math.max(1.059 * math.min(range / 1.34, deviation) * sum ^ -0.2, LEAST_SIGMA)
end

-- The masses of the cells 0 .. cells - 1 under a normal cut to the grid, times weight, are added to pdf.
local function add_kernel(pdf, cells, mu, sigma, weight)
  local function log_mass(low, high) return core.study.log_normal_mass((low - mu) / sigma, (high - mu) / sigma) end
  local whole = log_mass(-0.5, cells - 0.5)
  for i = 0, cells - 1 do pdf[i] = pdf[i] + weight * math.exp(log_mass(i - 0.5, i + 0.5) - whole) end
end

local function add_category(pdf, cells, observed, kernels, weight)
  for i = 0, cells - 1 do
    local own = PRIOR_WEIGHT / kernels + (i == observed and 1 or 0)
    pdf[i] = pdf[i] + weight * own / (cells * PRIOR_WEIGHT / kernels + 1)
  end
end

local function density(name, distribution, trials)
  local counts, cells = counts_of(name, distribution, trials)
  local pdf, centers, weights, sum = {}, {}, {}, PRIOR_WEIGHT
  for i = 0, cells - 1 do
    pdf[i] = TINY
    if counts[i] > 0 then centers[#centers + 1], weights[#weights + 1], sum = i, counts[i], sum + counts[i] end
  end
  local sigma = not distribution.choices and bandwidth(centers, weights)
  for k, center in ipairs(centers) do
    if sigma then add_kernel(pdf, cells, center, sigma, weights[k] / sum)
    else add_category(pdf, cells, center, #centers + 1, weights[k] / sum) end
  end
  if sigma then add_kernel(pdf, cells, (cells - 1) / 2, cells, PRIOR_WEIGHT / sum)
  else
    for i = 0, cells - 1 do pdf[i] = pdf[i] + PRIOR_WEIGHT / sum / cells end
  end
  return pdf, cells
end

-- sum p_all (p_top / p_all - 1)^2
local function divergence(self, name, distribution, top, all)
  local p_top, cells = density(name, distribution, top)
  local p_all = self.evaluate_on_local and density(name, distribution, all)
  local sum = 0
  for i = 0, cells - 1 do
    local p = p_all and p_all[i] or 1 / cells
    sum = sum + p * (p_top[i] / p - 1) ^ 2
  end
  return sum
end

-- -- trials --

-- Those whose value is among the best of this quantile, ties included.
local function best_of(trials, values, quantile, is_lower_better)
  if quantile == 1 then return trials end
  local sign, sorted, chosen = is_lower_better and 1 or -1, {}, {}
  for i, value in ipairs(values) do sorted[i] = sign * value end
  table.sort(sorted)
  local limit = sorted[math.ceil(quantile * #sorted)]
  for i, trial in ipairs(trials) do
    if sign * values[i] <= limit then chosen[#chosen + 1] = trial end
  end
  return chosen
end

-- Trials that had a parameter with the same distribution; those that had none are left out.
local function regimes_of(name, trials)
  local regimes = {}
  for _, trial in ipairs(trials) do
    local distribution, regime = trial.distributions[name], nil
    for _, known in ipairs(distribution and regimes or {}) do
      if search_space.equal(known.distribution, distribution) then regime = known end
    end
    if distribution and not regime then
      regime = { distribution = distribution, trials = {} }
      regimes[#regimes + 1] = regime
    end
    if regime then table.insert(regime.trials, trial) end
  end
  return regimes
end

local function importance_of(self, name, top, is_top, region)
  local sum = 0
  for _, regime in ipairs(regimes_of(name, region)) do
    local top_here = {}
    for _, trial in ipairs(regime.trials) do
      if is_top[trial] then top_here[#top_here + 1] = trial end
    end
    local counts = #regime.trials >= LEAST_TRIALS and #top_here > 0 and not regime.distribution:single()
    if counts then
      local weight = (#top_here / #top) ^ 2 / (#regime.trials / #region)
      sum = sum + weight * divergence(self, name, regime.distribution, top_here, regime.trials)
    end
  end
  return sum * (#top / #region) ^ 2
end

local function all_names(trials)
  local union = {}
  for _, trial in ipairs(trials) do
    for name, distribution in pairs(trial.distributions) do union[name] = distribution end
  end
  return search_space.names(union)
end

function PedAnova:evaluate(trials, values, params, is_lower_better)
  local found = {}
  for _, name in ipairs(params or all_names(trials)) do found[name] = 0 end
  if #trials <= 1 then return found end
  local top = best_of(trials, values, self.target_quantile, is_lower_better)
  local region, is_top = best_of(trials, values, self.region_quantile, is_lower_better), {}
  for _, trial in ipairs(top) do is_top[trial] = true end
  for name in pairs(found) do found[name] = importance_of(self, name, top, is_top, region) end
  return found
end

--- PED-ANOVA (Watanabe, Bansal & Hutter, IJCAI 2023): how much what the best trials chose differs from what all chose.
--- Fast, and it knows conditional parameters.  Options: target_quantile 0.1: the part of the trials that is the best;
--- region_quantile 1: the part they are compared with; evaluate_on_local true: compare with the trials' own density,
--- not with the uniform one over the range.
---@param given? table  { target_quantile = 0.1, region_quantile = 1, evaluate_on_local = true }
---@return table
return function(given) return PedAnova(given) end
