-- study.lua -- trials of one objective, and the best of them.  Names and rules are Optuna's.
local Trial = require "perilune.study.trial"
local core = require "perilune.core"
local in_memory = require "perilune.study.storages.in_memory"
local options = require "perilune.options"

local Study = {}

-- Fields that are found when they are asked for: study.best_value.
local derived = {}

Study.__index = function(self, name)
  if derived[name] then return derived[name](self) end
  return Study[name]
end

local read = options.reader("study.create", { { "study_name", "study" }, { "direction", nil, "string" },
  { "directions", nil, "table" }, { "sampler", "random", "any" }, { "pruner", "median", "any" } })

-- "cma_es" is what samplers/cma_es.lua makes.
local function named(what, folder, given)
  if type(given) == "table" then return given end
  local path = ("perilune.study.%s.%s"):format(folder, given)
  local is_name = type(given) == "string" and given:find("^%l[%l_]*$") and given ~= "base" and given ~= "init"
  if is_name and package.searchpath(path, package.path) then return require(path)() end
  return core.raise(("study.create: there is no %s %s"):format(what, options.described(given)))
end

--- A study in memory.  Options: study_name "study"; direction "minimize" or "maximize" (directions: a list, for
--- several objectives); sampler "random" or an object; pruner "median", "nop" or an object.
---@param given? table
---@return table
function Study.create(given)
  local chosen = read(given)
  local directions = chosen.directions or { chosen.direction or "minimize" }
  if chosen.direction and chosen.directions then core.raise("study.create: give direction or directions, not both") end
  if #directions == 0 then core.raise("study.create: directions must not be empty") end
  for _, direction in ipairs(directions) do
    options.choice("study.create", "direction", direction, { "minimize", "maximize" })
  end
  return setmetatable({ study_name = chosen.study_name, directions = directions, user_attrs = {}, parameters = {},
    sampler = named("sampler", "samplers", chosen.sampler), pruner = named("pruner", "pruners", chosen.pruner),
    storage = in_memory.new(), running = {}, best_cursor = 0 }, Study)
end

-- A new trial, or the oldest enqueued one.
function Study:ask()
  local record = self.storage:claim_waiting() or self.storage:create_trial("RUNNING")
  self.running[record.number] = record
  return Trial.new(self, record)
end

local read_tell = options.reader("Study:tell", { { "state", nil, "string" } })

-- A list of one finite or infinite number for each objective, or nil.
local function checked(study, values)
  if type(values) == "number" then values = { values } end
  if type(values) ~= "table" or #values ~= #study.directions then return nil end
  local list = {}
  for i, value in ipairs(values) do
    if type(value) ~= "number" or value ~= value then return nil end
    list[i] = value + 0.0
  end
  return list
end

local function last_reported(record)
  local last = -1
  for step in pairs(record.intermediate_values) do last = math.max(last, step) end
  return record.intermediate_values[last]
end

-- Ends a trial (or the one of this number).  nil, NaN or a wrong count of values: FAIL; PRUNED takes the value that
-- was last reported.  Returns the finished trial.
function Study:tell(trial, values, given)
  local state = read_tell(given).state
  local number = type(trial) == "table" and trial.number or trial
  local record = self.running[number]
  if not record then core.raise(("Study:tell: trial %s is not running"):format(tostring(number))) end
  if state then options.choice("Study:tell", "state", state, { "COMPLETE", "PRUNED", "FAIL" }) end
  local list
  if state == "PRUNED" then list = checked(self, last_reported(record))
  elseif state ~= "FAIL" then list = checked(self, values) end
  if state == "COMPLETE" and not list then core.raise("Study:tell: a COMPLETE trial needs a number per objective") end
  state = state or (list and "COMPLETE" or "FAIL")
  local handle = type(trial) == "table" and trial or { number = number, record = record }
  self.sampler:after_trial(self, handle, state, list)
  self.storage:finish_trial(record, state, list)
  self.running[number] = nil
  return record
end

-- Newly finished trials since a cursor (0: all), in finishing order, and the next cursor.
function Study:finished_since(cursor)
  local finished = self.storage.finished
  return table.move(finished, cursor + 1, #finished, 1, {}), #finished
end

function Study:count_finished() return #self.storage.finished end

-- The RUNNING trials, of this and of other workers, by number.
function Study:active_trials()
  local list = {}
  for _, record in pairs(self.running) do list[#list + 1] = record end
  table.sort(list, function(a, b) return a.number < b.number end)
  return list
end

-- Keeps a note with a trial that is not finished: what a sampler or a pruner must remember of it.
function Study:set_system_attr(record, key, value) -- luacheck: ignore self
  record.system_attrs[key] = value
end

-- A copy, so that a running trial's table does not change under the reader.
local function snapshot(record)
  local copy = {}
  for key, value in pairs(record) do
    if type(value) == "table" then
      local inner = {}
      for k, v in pairs(value) do inner[k] = v end
      value = inner
    end
    copy[key] = value
  end
  return copy
end

-- All trials by number; finished ones are shared, do not edit them.
function derived.trials(self)
  local list = {}
  for i, record in ipairs(self.storage.records) do
    list[i] = record.datetime_complete and record or snapshot(record)
  end
  return list
end

-- The COMPLETE trial with the best value; the first of equals.
function derived.best_trial(self)
  if #self.directions > 1 then core.raise("study.best_trial: use best_trials, this study has several objectives") end
  local sign = self.directions[1] == "maximize" and -1 or 1
  local finished = self.storage.finished
  for at = self.best_cursor + 1, #finished do
    local trial, best = finished[at], self.best
    if trial.state == "COMPLETE" and (not best or sign * trial.value < sign * best.value
      or trial.value == best.value and trial.number < best.number) then self.best = trial end
  end
  self.best_cursor = #finished
  return self.best or core.raise("study.best_trial: no trial is complete yet")
end

function derived.best_value(self) return self.best_trial.value end

function derived.best_params(self) return self.best_trial.params end

local function dominates(a, b, directions)
  local better = false
  for i, direction in ipairs(directions) do
    local sign = direction == "maximize" and -1 or 1
    if sign * a.values[i] > sign * b.values[i] then return false end
    better = better or a.values[i] ~= b.values[i]
  end
  return better
end

-- The Pareto front: COMPLETE trials that no other is at least as good as in everything and better in something.
function derived.best_trials(self)
  local front = {}
  for _, trial in ipairs(self.trials) do
    local fine = trial.state == "COMPLETE"
    for _, other in ipairs(fine and self.storage.finished or {}) do
      if other.state == "COMPLETE" and dominates(other, trial, self.directions) then fine = false end
    end
    if fine then front[#front + 1] = trial end
  end
  return front
end

-- A trial with these parameters comes next; parameters that are not given are sampled.
function Study:enqueue_trial(params)
  if type(params) ~= "table" then core.raise("Study:enqueue_trial: params must be a table { name = value }") end
  local fixed = {}
  for name, value in pairs(params) do fixed[name] = value end
  self.storage:create_trial("WAITING", { fixed_params = fixed })
end

-- Lets optimize end after the running trial.
function Study:stop() self.stopped = true end

function Study:set_user_attr(key, value) self.user_attrs[key] = value end

Study.optimize = require "perilune.study.optimize"

return Study
