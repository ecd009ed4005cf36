-- samplers/tpe.lua -- the tree-structured Parzen estimator, with Optuna 5's rules (csrc/study/parzen.h, tpe.h).
--
-- The better tenth of the trials (at most 25) makes one density, the others another, and of 24 points drawn from the
-- first the one with the largest ratio is tried.  COMPLETE trials are ranked by value, PRUNED ones come after them,
-- those that went farther first.  Parameters that all trials had are sampled together; each other one by itself.
local Learning = require "perilune.study.learning"
local Pair = require "perilune.study.parzen_pair"
local search_space = require "perilune.study.search_space"
local settings = require "perilune.study.settings"

local TPE = Learning:extend("TPESampler")

local MOST_BETTER = 25

settings(TPE, { { "seed", nil, "integer" }, { "n_startup_trials", 10, least = 0 },
  { "n_ei_candidates", 24, least = 1 }, { "multivariate", true }, { "constant_liar", true } })

TPE.one_objective = true

-- What a trial is ranked by: COMPLETE before PRUNED, then the farthest step, then the value.
local function score(record, sign)
  if record.state == "COMPLETE" then return { 0, 0, sign * record.value, record.number } end
  local last = -1
  for step in pairs(record.intermediate_values) do last = math.max(last, step) end
  if last < 0 then return { 1, 1, 0, record.number } end
  local value = record.intermediate_values[last]
  return { 1, -last, value == value and sign * value or math.huge, record.number }
end

local function comes_before(a, b)
  for i = 1, 4 do
    if a[i] ~= b[i] then return a[i] < b[i] end
  end
  return false
end

function TPE.make(study)
  return { trials = {}, ranked = {}, better = {}, pairs = {}, sign = study.directions[1] == "maximize" and -1 or 1 }
end

-- Once MOST_BETTER trials count as better, one that is not among the first of them never comes back.
local function rank(state, record)
  local entry, ranked = { record = record, score = score(record, state.sign) }, state.ranked
  local low, high = 1, #ranked + 1
  while low < high do
    local middle = (low + high) // 2
    if comes_before(ranked[middle].score, entry.score) then low = middle + 1 else high = middle end
  end
  table.insert(ranked, low, entry)
  local n_better = math.min((#state.trials + 9) // 10, MOST_BETTER)
  while n_better == MOST_BETTER and #ranked > MOST_BETTER do table.remove(ranked) end
  state.better = {}
  for i = 1, n_better do state.better[ranked[i].record.number] = ranked[i].record end
end

function TPE.add(state, record)
  if record.state ~= "COMPLETE" and record.state ~= "PRUNED" then return end
  table.insert(state.trials, record)
  rank(state, record)
  local space = search_space.intersect(state.space, record.distributions)
  if space ~= state.space then state.space, state.open_space = space, search_space.open(space) end
end

function TPE:init(given)
  Learning.init(self, given)
  self.begun = setmetatable({}, { __mode = "k" })   -- by record: what was sampled together and not asked for yet
end

function TPE:infer_relative_search_space(study, trial)
  if not self.multivariate then return {} end
  local state = self.history(study, trial.record)
  return #state.trials >= self.n_startup_trials and state.open_space or {}
end

-- What the other running trials try, as far as it is known.
local function running_values(self, study, trial)
  local running, pruner = {}, study.pruner
  local bracket = pruner.bracket_of and pruner:bracket_of(study, trial.record)
  for _, record in ipairs(study:active_trials()) do
    if record.number ~= trial.number and (not bracket or pruner:bracket_of(study, record) == bracket) then
      local values = {}
      for name, value in pairs(self.begun[record] or {}) do values[name] = value end
      for name, value in pairs(record.internal_params) do values[name] = value end
      running[record.number] = values
    end
  end
  return running
end

-- The pair of densities over this space, up to date.
local function pair_for(self, study, trial, space, key)
  local state = self.history(study, trial.record)
  local pair = state.pairs[key]
  if not pair or not pair:fits(space) then
    pair = Pair.new(space, key)
    state.pairs[key] = pair
  end
  pair:pretend({})
  pair:follow(state.trials, state.better)
  if self.constant_liar then pair:pretend(running_values(self, study, trial)) end
  return pair
end

function TPE:sample_relative(study, trial, space)
  local values = pair_for(self, study, trial, space, ""):choose(self.seed, trial.number, self.n_ei_candidates)
  self.begun[trial.record] = values
  return values
end

function TPE:sample_independent(study, trial, name, distribution)
  if #self.history(study, trial.record).trials < self.n_startup_trials then
    return self.random:sample_independent(study, trial, name, distribution)
  end
  local pair = pair_for(self, study, trial, { [name] = distribution }, name .. "\0")
  return pair:choose(self.seed, trial.number, self.n_ei_candidates)[name]
end

--- The tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011; multivariate: Falkner et al., ICML 2018), for
--- one objective.  Options: seed (without one, another at each run); n_startup_trials 10 random ones before it has
--- something to go by; n_ei_candidates 24 points of which the most promising is tried; multivariate true: parameters
--- that every trial has are sampled together; constant_liar true: keeps away from what other workers try just now.
---@param given? table  { seed, n_startup_trials = 10, n_ei_candidates = 24, multivariate = true, constant_liar = true }
---@return table
return function(given) return TPE(given) end
