-- samplers/nsgaii.lua -- NSGA-II (Deb et al., IEEE TEC 2002), with Optuna's defaults: for several objectives.
--
-- The first population_size complete trials are random.  Parents of a generation are the elite of the last one and its
-- own parents; a child takes each parameter from one of two parents, and now and then a random one.  A trial keeps its
-- generation in a note, so that a study that was stopped, or has several workers, goes on where it is.
local Learning = require "perilune.study.learning"
local draw = require "perilune.study.draw"
local fronts = require "perilune.study.fronts"
local search_space = require "perilune.study.search_space"
local settings = require "perilune.study.settings"

local NSGAII = Learning:extend("NSGAIISampler")

local GENERATION = "NSGAIISampler:generation"

settings(NSGAII, { { "seed", nil, "integer" }, { "population_size", 50, least = 2 },
  { "mutation_prob", nil, "number", least = 0, most = 1 }, { "crossover_prob", 0.9, least = 0, most = 1 },
  { "swapping_prob", 0.5, least = 0, most = 1 } })

function NSGAII.make(study)
  return { signs = fronts.signs(study), generations = { [0] = {} }, parents = { [0] = {} }, newest = 0 }
end

function NSGAII.add(state, record)
  local generation = record.system_attrs[GENERATION]
  if record.state ~= "COMPLETE" then return end
  state.space = search_space.intersect(state.space, record.distributions)
  if not generation then return end
  state.generations[generation] = state.generations[generation] or {}
  table.insert(state.generations[generation], record)
  state.newest = math.max(state.newest, generation)
end

-- Those of one generation, and of the ones before it, from whom the next is bred.
local function parents_of(self, state, generation)
  local known = state.parents[generation]
  if known then return known end
  local before = parents_of(self, state, generation - 1)
  local all = table.move(before, 1, #before, 1, {})
  local last = state.generations[generation - 1] or {}
  table.move(last, 1, #last, #all + 1, all)
  state.parents[generation] = fronts.elite(all, state.signs, self.population_size)
  return state.parents[generation]
end

function NSGAII:before_trial(study, trial)
  if trial.record.system_attrs[GENERATION] then return end
  local state = self.history(study, trial.record)
  local population = state.generations[state.newest]
  local full = population and #population >= self.population_size
  study:set_system_attr(trial.record, GENERATION, full and state.newest + 1 or state.newest)
end

function NSGAII:infer_relative_search_space(study, trial)
  local state = self.history(study, trial.record)
  local begun = trial.record.system_attrs[GENERATION] > 0 and state.space
  return begun and search_space.open(state.space) or {}
end

-- One of two that are picked at random, the better one if there is a better one; not the other parent.
local function tournament(self, number, parents, signs, k, other)
  local left = {}
  for _, record in ipairs(parents) do
    if record ~= other then left[#left + 1] = record end
  end
  local first = left[1 + math.floor(draw(self.seed, number, "\0parents", k) * #left)]
  local second = left[1 + math.floor(draw(self.seed, number, "\0parents", k + 1) * #left)]
  return fronts.dominates(first, second, signs) and first or second
end

-- Internal values of a child; a parameter that mutates is left out, so that it is drawn at random.
local function child(self, number, parents, signs, names)
  local mother = tournament(self, number, parents, signs, 1)
  local crossed = #parents > 1 and draw(self.seed, number, "\0parents", 0) < self.crossover_prob
  local father = crossed and tournament(self, number, parents, signs, 3, mother) or mother
  local mutation_prob, values = self.mutation_prob or 1 / #names, {}
  for _, name in ipairs(names) do
    local from = draw(self.seed, number, name, 1) < self.swapping_prob and father or mother
    if draw(self.seed, number, name, 2) >= mutation_prob then values[name] = from.internal_params[name] end
  end
  return values
end

function NSGAII:sample_relative(study, trial, space)
  local state = self.history(study, trial.record)
  local parents = parents_of(self, state, trial.record.system_attrs[GENERATION])
  return child(self, trial.number, parents, state.signs, search_space.names(space))
end

--- NSGA-II (Deb et al., IEEE TEC 2002), for one or several objectives.  Options: seed (without one, another at each
--- run); population_size 50; mutation_prob: how likely a parameter is drawn at random, default 1 / their number;
--- crossover_prob 0.9: how likely a child has two parents; swapping_prob 0.5: how likely a parameter is the second's.
---@param given? table  { seed, population_size = 50, mutation_prob, crossover_prob = 0.9, swapping_prob = 0.5 }
---@return table
return function(given) return NSGAII(given) end
