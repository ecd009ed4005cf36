-- samplers/cma_es.lua -- CMA-ES (cma.lua) over the numeric parameters that every trial has, from two of them on.
--
-- It searches the unit cube (unit.lua), and begins in its middle with a sixth of its edge.  A point outside is drawn
-- again.  A trial keeps its generation in a note; when lambda trials of a generation are complete the next begins.  All
-- else is worked out from the trials, so that a study that was stopped, or has several workers, goes on where it is.
local Cma = require "perilune.study.cma"
local Learning = require "perilune.study.learning"
local draw = require "perilune.study.draw"
local search_space = require "perilune.study.search_space"
local settings = require "perilune.study.settings"
local unit = require "perilune.study.unit"

local CmaEs = Learning:extend("CmaEsSampler")

local NOTE, MOST_TRIES = "cma_es", 100

settings(CmaEs, { { "seed", nil, "integer" }, { "sigma0", 1 / 6, least = 1e-10, most = 1 },
  { "population_size", nil, "integer", least = 4, is_integer = true } })

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

-- The points of the first lambda of these trials, best first.
local function ranked_points(records, lambda, sign, names, space)
  table.sort(records, function(a, b) return a.number < b.number end)
  local first, points = table.move(records, 1, lambda, 1, {}), {}
  table.sort(first, function(a, b)
    if a.value ~= b.value then return sign * a.value < sign * b.value end
    return a.number < b.number
  end)
  for k, record in ipairs(first) do
    points[k] = {}
    for i, name in ipairs(names) do points[k][i] = unit.place(record.internal_params[name], space[name]) end
  end
  return points
end

-- The search over this space, as far as its complete generations bring it.
local function search_over(self, state, space)
  local names = search_space.names(space)
  local parameters = table.concat(names, ",")
  local search = state.searches[parameters]
  if not search then
    local middle = {}
    for i = 1, #names do middle[i] = 0.5 end
    search = { names = names, parameters = parameters, cma = Cma.new(middle, self.sigma0, self.population_size) }
    state.searches[parameters] = search
  end
  local told, cma = state.told[parameters] or {}, search.cma
  while told[cma.generation] and #told[cma.generation] >= cma.lambda do
    cma:tell(ranked_points(told[cma.generation], cma.lambda, state.sign, names, space))
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
  study:set_system_attr(trial.record, NOTE, { parameters = search.parameters, generation = search.cma.generation })
  local x, values = sampled_point(self, search, trial.number), {}
  for i, name in ipairs(search.names) do values[name] = unit.value(x[i], space[name]) end
  return values
end

--- CMA-ES (Hansen, arXiv 1604.00772), for one objective and two or more numeric parameters; categories are drawn at
--- random.  Options: seed (without one, another at each run); sigma0 1/6: the first deviation, in widths of the ranges;
--- population_size: points a generation, default 4 + floor(3 ln n).
---@param given? table  { seed, sigma0 = 1/6, population_size }
---@return table
return function(given) return CmaEs(given) end
