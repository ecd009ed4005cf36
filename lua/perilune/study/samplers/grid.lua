-- samplers/grid.lua -- every combination of given values once, in an order that the seed shuffles.
--
-- Trial number k tries point k of the shuffled grid, so that workers need not agree about anything.  Points whose trial
-- was enqueued with other values are caught up at the end.  A trial keeps its point in the note "grid_id", and the grid
-- in "search_space", which are Optuna's.
local Sampler = require "perilune.study.samplers.base"
local core = require "perilune.core"
local draw = require "perilune.study.draw"
local options = require "perilune.options"
local search_space = require "perilune.study.search_space"
local settings = require "perilune.study.settings"

local Grid = Sampler:extend("GridSampler")

local MOST_POINTS = 1000000

settings(Grid, { { "seed", 0 } }, function(self) return ("%d points of %s"):format(self.size,
  table.concat(self.names, ", ")) end)

local function checked_space(space)
  if type(space) ~= "table" or next(space) == nil then
    core.raise("GridSampler: the space must be a table { name = { values } } with at least one parameter")
  end
  local copy, size = {}, 1
  for name, values in pairs(space) do
    if type(name) ~= "string" or type(values) ~= "table" or #values == 0 then
      core.raise(("GridSampler: the values of %s must be a list that is not empty"):format(options.described(name)))
    end
    copy[name], size = table.move(values, 1, #values, 1, {}), size * #values
  end
  if size > MOST_POINTS then core.raise(("GridSampler: %d points are more than %d"):format(size, MOST_POINTS)) end
  return copy, size
end

-- 0 .. size - 1 in an order that depends on the seed alone.
local function shuffled(seed, size)
  local order = {}
  for i = 1, size do order[i] = i - 1 end
  for i = size, 2, -1 do
    local j = 1 + math.floor(draw(seed, i, "grid", 0) * i)
    order[i], order[j] = order[j], order[i]
  end
  return order
end

function Grid:init(space, given)
  self:configure(given)
  self.space, self.size = checked_space(space)
  self.names = search_space.names(self.space)
  self.order = shuffled(self.seed, self.size)
  self.visited = setmetatable({}, { __mode = "k" })   -- by study: { cursor, points, count }
end

local function visit(seen, record)
  local point = record.system_attrs.grid_id
  if point and not seen.points[point] then seen.points[point], seen.count = true, seen.count + 1 end
end

-- What finished trials have tried; failed ones count, since they would fail again.
local function visited(self, study)
  local seen = self.visited[study] or { cursor = 0, points = {}, count = 0 }
  self.visited[study] = seen
  local fresh
  fresh, seen.cursor = study:finished_since(seen.cursor)
  for _, record in ipairs(fresh) do visit(seen, record) end
  return seen
end

-- A point that nobody has tried or tries now; if there is none, one that is not finished; at last any.
local function late_point(self, study, number)
  local seen, running, left, unfinished = visited(self, study), {}, {}, {}
  for _, record in ipairs(study:active_trials()) do running[record.system_attrs.grid_id or -1] = true end
  for point = 0, self.size - 1 do
    if not seen.points[point] then
      unfinished[#unfinished + 1] = point
      if not running[point] then left[#left + 1] = point end
    end
  end
  if #left == 0 then left = unfinished end
  local count = #left > 0 and #left or self.size
  local at = math.floor(draw(self.seed, number, "grid", 1) * count)
  return #left > 0 and left[at + 1] or at
end

function Grid:before_trial(study, trial)
  local record, number = trial.record, trial.number
  if record.system_attrs.grid_id or record.system_attrs.fixed_params then return end
  study:set_system_attr(record, "search_space", self.space)
  study:set_system_attr(record, "grid_id", number < self.size and number or late_point(self, study, number))
end

-- The value of a parameter at a point, counted through like digits.
local function value_at(self, point, wanted)
  local index = self.order[point + 1]
  for _, name in ipairs(self.names) do
    local values = self.space[name]
    if name == wanted then return values[index % #values + 1] end
    index = index // #values
  end
end

function Grid:sample_independent(_, trial, name, distribution)
  local point = trial.record.system_attrs.grid_id
  if not point then
    core.raise(("GridSampler: an enqueued trial must give all parameters, '%s' is missing"):format(name))
  end
  if not self.space[name] then core.raise(("GridSampler: the grid has no parameter '%s'"):format(name)) end
  local value = value_at(self, point, name)
  local internal = distribution:to_internal(value)
  if internal == nil or not distribution:contains(internal) then
    core.raise(("GridSampler: the value %s of '%s' is not in its range"):format(options.described(value), name))
  end
  return internal
end

-- Ends the study's loop with the last point.
function Grid:after_trial(study, trial)
  local seen, point = visited(self, study), trial.record.system_attrs.grid_id
  local left = self.size - seen.count
  if left == 0 or left == 1 and point and not seen.points[point] then study:stop() end
end

--- Tries every combination of the given values once, then stops the study.  Options: seed 0 shuffles their order.
---@param space table  { name = { values } }
---@param given? table  { seed = 0 }
---@return table
return function(space, given) return Grid(space, given) end
