-- samplers/cma_es.lua -- CMA-ES (cma.lua) over the numeric parameters that every trial has, from two of them on.
--
-- It searches the unit cube (unit.lua), and begins in its middle with a sixth of its edge.  A point outside is drawn
-- again.  A trial keeps its generation in a note; when lambda trials of a generation are complete the next begins.  All
-- else is worked out from the trials, so that a study that was stopped, or has several workers, goes on where it is.
local Cma = require "perilune.study.cma"
local Learning = require "perilune.study.learning"
local draw = require "perilune.study.draw"
local options = require "perilune.options"
local search_space = require "perilune.study.search_space"
local settings = require "perilune.study.settings"
local unit = require "perilune.study.unit"

local CmaEs = Learning:extend("CmaEsSampler")

local NOTE, MOST_TRIES = "cma_es", 100

settings(CmaEs, { { "seed", nil, "integer" }, { "sigma0", 1 / 6, least = 1e-10, most = 1 },
  { "population_size", nil, "integer", least = 4, is_integer = true }, { "restart_strategy", nil, "string" },
  { "inc_popsize", 2, least = 2 } })

CmaEs.one_objective = true

function CmaEs.make(study) return { sign = study.directions[1] == "maximize" and -1 or 1, told = {}, searches = {} } end

function CmaEs.add(state, record)
  if record.state ~= "COMPLETE" then return end
  state.space = search_space.intersect(state.space, record.distributions)
  local note = record.system_attrs[NOTE]
  if not note then return end
  local generations = state.told[note.parameters] or {}
  state.told[note.parameters] = generations
  generations[note.generation] = generations[note.generation] or {}
  table.insert(generations[note.generation], record)
end

function CmaEs:infer_relative_search_space(study, trial)
  local space, numeric, count = self.history(study, trial.record).space, {}, 0
  for name, distribution in pairs(space and search_space.open(space) or {}) do
    if not distribution.choices then numeric[name], count = distribution, count + 1 end
  end
  return count > 1 and numeric or {}
end

function CmaEs:init(given)
  Learning.init(self, given)
  if self.restart_strategy then
    options.choice("CmaEsSampler", "restart_strategy", self.restart_strategy, { "ipop" })
  end
end

-- The points of the first lambda of these trials, best first, and their values, turned so that less is better.
local function ranked_points(records, lambda, sign, names, space)
  table.sort(records, function(a, b) return a.number < b.number end)
  local first, points, values = table.move(records, 1, lambda, 1, {}), {}, {}
  table.sort(first, function(a, b)
    if a.value ~= b.value then return sign * a.value < sign * b.value end
    return a.number < b.number
  end)
  for k, record in ipairs(first) do
    points[k], values[k] = {}, sign * record.value
    for i, name in ipairs(names) do points[k][i] = unit.place(record.internal_params[name], space[name]) end
  end
  return points, values
end

local function new_search(self, names)
  local middle = {}
  for i = 1, #names do middle[i] = 0.5 end
  return { names = names, parameters = table.concat(names, ","), generation = 0, restarts = 0,
    cma = Cma.new(middle, self.sigma0, self.population_size) }
end

-- From a random point, with more points a generation (Auger & Hansen, CEC 2005).
local function restart(self, search)
  search.restarts = search.restarts + 1
  local mean = {}
  for i, name in ipairs(search.names) do mean[i] = draw(self.seed, -search.restarts, name) end
  search.cma = Cma.new(mean, self.sigma0, search.cma.lambda * self.inc_popsize)
end

-- The search over this space, as far as its complete generations bring it.
local function search_over(self, state, space)
  local names = search_space.names(space)
  local parameters = table.concat(names, ",")
  local search = state.searches[parameters] or new_search(self, names)
  state.searches[parameters] = search
  local told = state.told[parameters] or {}
  while told[search.generation] and #told[search.generation] >= search.cma.lambda do
    search.cma:tell(ranked_points(told[search.generation], search.cma.lambda, state.sign, names, space))
    search.generation = search.generation + 1
    if self.restart_strategy and search.cma:has_converged() then restart(self, search) end
  end
  return search
end

-- Box-Muller; k tells the tries of a trial apart.
local function normal(seed, number, name, k)
  local radius = math.sqrt(-2 * math.log(1 - draw(seed, number, name, 2 * k - 1)))
  return radius * math.cos(2 * math.pi * draw(seed, number, name, 2 * k))
end

local function is_inside(x)
  for _, coordinate in ipairs(x) do
    if not (coordinate >= 0 and coordinate < 1) then return false end
  end
  return true
end

local function sampled_point(self, search, number)
  local x
  for try = 1, MOST_TRIES do
    local z = {}
    for i, name in ipairs(search.names) do z[i] = normal(self.seed, number, name, try) end
    x = search.cma:point(z)
    if is_inside(x) then return x end
  end
  for i, coordinate in ipairs(x) do x[i] = math.max(0, math.min(coordinate, 1 - 0x1p-53)) end
  return x
end

function CmaEs:sample_relative(study, trial, space)
  local search = search_over(self, self.history(study, trial.record), space)
  study:set_system_attr(trial.record, NOTE, { parameters = search.parameters, generation = search.generation })
  local x, values = sampled_point(self, search, trial.number), {}
  for i, name in ipairs(search.names) do values[name] = unit.value(x[i], space[name]) end
  return values
end

--- CMA-ES (Hansen, arXiv 1604.00772), for one objective and two or more numeric parameters; categories are drawn at
--- random.  Options: seed (without one, another at each run); sigma0 1/6: the first deviation, in widths of the ranges;
--- population_size: points a generation, default 4 + floor(3 ln n); restart_strategy: nothing, or "ipop": a search that
--- has converged begins anew at a random point, with inc_popsize (2) times as many points a generation (Auger & Hansen,
--- CEC 2005).
---@param given? table  { seed, sigma0 = 1/6, population_size, restart_strategy, inc_popsize = 2 }
---@return table
return function(given) return CmaEs(given) end
