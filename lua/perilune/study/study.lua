-- study.lua -- trials of one objective, and the best of them.  Names and rules are Optuna's.
--
-- What is kept lies in a storage (storages/base.lua): self.store are this study's trials there.  Other processes may
-- work on the same ones.  What they did is looked for when a trial begins, at should_prune, and when a list or a best
-- trial is asked for.
local Front = require "perilune.study.pareto"
local Storage = require "perilune.study.storages.base"
local Trial = require "perilune.study.trial"
local class = require "perilune.train.class"
local core = require "perilune.core"
local distributions = require "perilune.study.distributions"
local log = require "perilune.study.log"
local options = require "perilune.options"
local scalar = require "perilune.study.scalar"
local search_space = require "perilune.study.search_space"
local shown = require "perilune.shown"
local workers = require "perilune.study.workers"

local Study = class.new("Study")

-- Fields that are found when they are asked for: study.best_value.
local derived = {}

Study.__index = function(self, name)
  if derived[name] then return derived[name](self) end
  return Study[name]
end

-- The study with this id in a storage; see studies.lua.
function Study:init(storage, study_id, name, sampler, pruner)
  self.storage, self.study_id, self.study_name = storage, study_id, name
  self.directions, self.store = storage:directions(study_id), storage:trials(study_id)
  self.sampler, self.pruner = sampler, pruner
  self.running = {}                                   -- number -> record of the trials that were asked for here
  self.parameters, self.parameters_cursor = {}, 0     -- name -> the distribution that was seen first
  self.best_cursor, self.front_cursor, self.front = 0, 0, Front(self.directions)
end

-- Study("cae", minimize, 20 trials, best_value = 0.0123)
Study.__tostring = shown.by("Study", function(self)
  local facts = { shown.value(self.study_name), table.concat(self.directions, ", ") }
  local fine, trials = pcall(function() return self.trials end)   -- its database may be gone
  if not fine then return facts[1], facts[2] end
  facts[3] = ("%d trial%s"):format(#trials, #trials == 1 and "" or "s")
  local has_best, best = pcall(function() return self.best_value end)
  if has_best then facts[4] = "best_value = " .. shown.value(best) end
  return table.unpack(facts)
end)

Study.help = [[Study

What study.create and study.load return: a search, its trials and what they found.  help("Study.optimize") tells of one
method.
Methods: optimize, ask, tell, stop, enqueue_trial, add_trial, add_trials, set_user_attr, set_metric_names, table, csv.
Fields: best_trial, best_value, best_params, best_trials (the Pareto front of several objectives), trials (each with
number, state, value, values, params, distributions, intermediate_values, user_attrs, system_attrs, datetime_start,
datetime_complete), study_name, direction, directions, sampler, pruner, user_attrs, system_attrs, metric_names.]]

-- -- ask and tell --

-- A trial that was begun and could not be handed out.
local function give_up(self, record)
  self.running[record.number] = nil
  self.store:finish(record, "FAIL", nil)
end

local function check_distributions(given)
  if type(given) ~= "table" then
    core.raise("Study:ask: it takes a table { name = distribution }, got " .. options.described(given))
  end
  for name, distribution in pairs(given) do
    if type(name) ~= "string" or not distributions.is_distribution(distribution) then
      core.raise(("Study:ask: %s has no distribution such as perilune.study.FloatDistribution(0, 1)"):format(
        options.described(name)))
    end
  end
end

-- With a limit: nil when the study has that many trials already.
function Study:begin_trial(limit)
  local record = self.store:begin(limit)
  if not record then return nil end
  self.running[record.number] = record
  local fine, trial = pcall(Trial.new, self, record)
  if fine then return trial end
  give_up(self, record)
  error(trial, 0)
end

--- A new trial, or the oldest enqueued one; it ends with tell.  With distributions its parameters are chosen at once:
--- study:ask({ x = perilune.study.FloatDistribution(0, 1) }).params.x
---@param fixed_distributions? table  { name = distribution }
---@return table
function Study:ask(fixed_distributions)
  local wanted = fixed_distributions or {}
  check_distributions(wanted)
  local trial = self:begin_trial()
  for _, name in ipairs(search_space.names(wanted)) do
    local fine, message = pcall(trial.suggest, trial, name, wanted[name])
    if not fine then
      give_up(self, trial.record)
      error(message, 0)
    end
  end
  return trial
end

local read_tell = options.reader("Study:tell", { { "state", nil, "string" }, { "skip_if_finished", false } })

-- What was given instead of a number, for a message.
local function named(value)
  if core.is_tensor(value) then return ("a tensor of shape (%s)"):format(table.concat(value.shape, ", ")) end
  local kind = type(value)
  return ((kind == "string" or kind == "boolean") and "the " .. kind .. " " or "") .. options.described(value)
end

-- A list of a finite or infinite number for each objective; or nil and what is wrong.
local function checked(study, values)
  if type(values) ~= "table" or #values == 0 then values = { values } end
  local n, list = #study.directions, {}
  for i = 1, math.max(#values, 1) do
    local number = scalar(values[i])
    if not number or number ~= number then
      return nil, ("the objective must return a number%s, not %s"):format(n > 1 and " for each direction" or "",
        named(values[i]))
    end
    list[i] = number + 0.0
  end
  if #list ~= n then return nil, ("%d values for %d objective%s"):format(#list, n, n > 1 and "s" or "") end
  return list
end

local function last_reported(record)
  local last
  for step in pairs(record.intermediate_values) do
    if not last or step > last then last = step end
  end
  return record.intermediate_values[last or 0]
end

local function record_of(self, trial)
  local number = type(trial) == "table" and trial.number or trial
  local record = self.running[number] or math.type(number) == "integer" and self.store:find(number)
  if not record then core.raise(("Study:tell: there is no trial %s"):format(tostring(number))) end
  return record
end

-- Ends a trial; returns its record, and what was wrong with the values.  See tell.
function Study:conclude(trial, values, given)
  local chosen = read_tell(given)
  local state, record = chosen.state, record_of(self, trial)
  if record.state ~= "RUNNING" then
    if chosen.skip_if_finished and record.datetime_complete then return record end
    core.raise(("Study:tell: trial %d is not running (%s)"):format(record.number, record.state))
  end
  if state then options.choice("Study:tell", "state", state, { "COMPLETE", "PRUNED", "FAIL" }) end
  local list, problem
  if state == "PRUNED" then list = checked(self, last_reported(record))
  elseif state ~= "FAIL" then list, problem = checked(self, values) end
  if state == "COMPLETE" and not list then
    core.raise("Study:tell: a COMPLETE trial needs a number per objective: " .. problem)
  end
  state = state or (list and "COMPLETE" or "FAIL")
  local handle = type(trial) == "table" and trial or { number = record.number, record = record }
  self.sampler:after_trial(self, handle, state, list)
  self.store:finish(record, state, list)
  self.running[record.number] = nil
  return record, problem
end

--- Ends a trial (or the one of this number): a number, or a list with one for each objective; a tensor of one element
--- is a number.  NaN, anything else and a wrong count: FAIL, and a warning says so; infinities count; state "PRUNED"
--- takes the value that was last reported, "FAIL" none.  Options: state, skip_if_finished = false.  Returns the
--- finished trial.
---@param trial table|integer
---@param values? any
---@param given? table
---@return table
function Study:tell(trial, values, given)
  local record, problem = self:conclude(trial, values, given)
  if problem then log.trial(self, record, nil, problem) end
  return record
end

-- -- what samplers and pruners ask --

-- Newly finished trials since a cursor (0: all), in an order that never changes here, and the next cursor.
function Study:finished_since(cursor)
  local finished = self.store.finished
  return table.move(finished, cursor + 1, #finished, 1, {}), #finished
end

-- How many trials are finished, as far as was looked.
function Study:count_finished() return #self.store.finished end

-- The RUNNING trials, of this and of other workers, by number.
function Study:active_trials() return self.store:active() end

-- Keeps a note with a trial that is not finished: what a sampler or a pruner must remember of it.
function Study:set_system_attr(record, key, value) self.store:set_attr(record, "system", key, value) end

-- The distribution that this parameter had first, in any trial that is known, or nil.
function Study:known_distribution(name)
  local fresh
  fresh, self.parameters_cursor = self:finished_since(self.parameters_cursor)
  for _, record in ipairs(fresh) do
    for key, distribution in pairs(record.distributions) do
      self.parameters[key] = self.parameters[key] or distribution
    end
  end
  return self.parameters[name]
end

-- -- results --

-- All trials by number; finished ones are shared, do not edit them.
function derived.trials(self) return self.store:all() end

-- The COMPLETE trial with the best value; the first of equals.
function derived.best_trial(self)
  if #self.directions > 1 then core.raise("study.best_trial: use best_trials, this study has several objectives") end
  self.store:sync()
  local sign = self.directions[1] == "maximize" and -1 or 1
  local fresh
  fresh, self.best_cursor = self:finished_since(self.best_cursor)
  for _, trial in ipairs(fresh) do
    local best = self.best
    if trial.state == "COMPLETE" and (not best or sign * trial.value < sign * best.value
      or trial.value == best.value and trial.number < best.number) then self.best = trial end
  end
  return self.best or core.raise("study.best_trial: no trial is complete yet")
end

function derived.best_value(self) return self.best_trial.value end

function derived.best_params(self) return self.best_trial.params end

-- The Pareto front: COMPLETE trials that no other is at least as good as in everything and better in something.
function derived.best_trials(self)
  self.store:sync()
  local fresh
  fresh, self.front_cursor = self:finished_since(self.front_cursor)
  for _, trial in ipairs(fresh) do
    if trial.state == "COMPLETE" then self.front:add(trial) end
  end
  return self.front:list()
end

function derived.direction(self)
  if #self.directions > 1 then core.raise("study.direction: use directions, this study has several objectives") end
  return self.directions[1]
end

function derived.user_attrs(self) return self.storage:study_attrs(self.study_id, "user") end

function derived.system_attrs(self) return self.storage:study_attrs(self.study_id, "system") end

function derived.metric_names(self) return self.system_attrs["study:metric_names"] end

-- -- more trials --

local read_enqueue = options.reader("Study:enqueue_trial", { { "user_attrs", {} }, { "skip_if_exists", false } })

local function same(a, b)
  for name, value in pairs(a) do
    if b[name] ~= value then return false end
  end
  for name in pairs(b) do
    if a[name] == nil then return false end
  end
  return true
end

local function exists(self, params)
  for _, record in ipairs(self.trials) do
    if same(params, record.system_attrs.fixed_params or record.params) then return true end
  end
  return false
end

--- A trial with these parameters comes next; parameters that are not given are sampled.  Options: user_attrs = {},
--- skip_if_exists = false: whether a trial that was enqueued or ran with the same parameters will do.
---@param params table  { name = value }
---@param given? table
function Study:enqueue_trial(params, given)
  local chosen = read_enqueue(given)
  if type(params) ~= "table" then core.raise("Study:enqueue_trial: params must be a table { name = value }") end
  if workers.is_replaying() or chosen.skip_if_exists and exists(self, params) then return end
  local fixed = {}
  for name, value in pairs(params) do
    if type(name) ~= "string" then core.raise("Study:enqueue_trial: params must be a table { name = value }") end
    fixed[name] = value
  end
  self.store:add { { state = "WAITING", user_attrs = chosen.user_attrs, system_attrs = { fixed_params = fixed } } }
end

local read_trial = options.reader("Study:add_trial", { { "state", "COMPLETE" }, { "value", nil, "number" },
  { "values", nil, "table" }, { "params", {} }, { "distributions", {} }, { "intermediate_values", {} },
  { "user_attrs", {} }, { "system_attrs", {} }, { "datetime_start", nil, "string" },
  { "datetime_complete", nil, "string" }, { "internal_params", nil, "any" }, { "number", nil, "any" },
  { "trial_id", nil, "any" } })

local function internal_params(params, known)
  local internal = {}
  for name, value in pairs(params) do
    if not distributions.is_distribution(known[name]) then
      core.raise(("Study:add_trial: '%s' has no distribution; distributions is a table such as "
        .. "{ %s = perilune.study.FloatDistribution(0, 1) }"):format(name, name))
    end
    internal[name] = known[name]:to_internal(value)
    if not internal[name] or not known[name]:contains(internal[name]) then
      core.raise(("Study:add_trial: the value %s of '%s' is not in its range"):format(options.described(value), name))
    end
  end
  return internal
end

local function check_reports(reports)
  for step, value in pairs(reports) do
    if math.type(step) ~= "integer" or step < 0 or type(value) ~= "number" then
      core.raise(("Study:add_trial: intermediate_values are { step = number }, steps from 0; got [%s] = %s"):format(
        options.described(step), options.described(value)))
    end
  end
end

local MOMENT <const> = "^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d%.%d%d%d%d%d%d$"

local function check_times(fields)
  for _, name in ipairs { "datetime_start", "datetime_complete" } do
    local moment = fields[name]
    if moment and not moment:find(MOMENT) then
      core.raise(("Study:add_trial: %s is written 2026-01-31 23:59:59.000000, in UTC; got %q"):format(name, moment))
    end
  end
end

local function times(fields)
  local is_finished = fields.state ~= "WAITING"
  return is_finished and (fields.datetime_start or Storage.now()) or nil,
    is_finished and (fields.datetime_complete or Storage.now()) or nil
end

-- The fields of a new record, checked.
local function trial_fields(self, given)
  local fields = read_trial(given)
  options.choice("Study:add_trial", "state", fields.state, { "COMPLETE", "PRUNED", "FAIL", "WAITING" })
  local values = checked(self, fields.values or fields.value)
  if fields.state == "COMPLETE" and not values then
    core.raise("Study:add_trial: a COMPLETE trial needs a number per objective")
  end
  check_reports(fields.intermediate_values)
  check_times(fields)
  local start, complete = times(fields)
  return { state = fields.state, values = values, value = values and #values == 1 and values[1] or nil,
    params = fields.params, internal_params = internal_params(fields.params, fields.distributions),
    distributions = fields.distributions, intermediate_values = fields.intermediate_values,
    user_attrs = fields.user_attrs, system_attrs = fields.system_attrs, datetime_start = start,
    datetime_complete = complete }
end

--- Adds trials that ran elsewhere; all of them or none.  Each is a trial of another study, or a table with some of
--- state = "COMPLETE", value or values, params, distributions ({ name = perilune.study.FloatDistribution(0, 1) }, one
--- for each parameter), intermediate_values, user_attrs, system_attrs, datetime_start, datetime_complete.
---@param list table[]
function Study:add_trials(list)
  if type(list) ~= "table" then
    core.raise("Study:add_trials: it takes a list of trials, got " .. options.described(list))
  end
  local checked_list = {}
  for i, given in ipairs(list) do checked_list[i] = trial_fields(self, given) end
  if not workers.is_replaying() then self.store:add(checked_list) end
end

--- Adds one trial; see add_trials.
---@param given table
function Study:add_trial(given) self:add_trials { given or {} } end

--- Keeps something with the study: study.user_attrs[key].
---@param key string
---@param value any  what JSON can say
function Study:set_user_attr(key, value)
  if type(key) ~= "string" then
    core.raise("Study:set_user_attr: key must be a string, got " .. options.described(key))
  end
  if workers.is_replaying() then return end
  self.storage:set_study_attr(self.study_id, "user", key, value)
end

--- Names the objectives, for tables and dashboards.
---@param names string[]
function Study:set_metric_names(names)
  if type(names) ~= "table" or #names ~= #self.directions then
    core.raise(("Study:set_metric_names: %d names are needed, one for each objective"):format(#self.directions))
  end
  for _, name in ipairs(names) do
    if type(name) ~= "string" then
      core.raise("Study:set_metric_names: a name must be a string, got " .. options.described(name))
    end
  end
  if workers.is_replaying() then return end
  self.storage:set_study_attr(self.study_id, "system", "study:metric_names", names)
end

--- Lets optimize end after the running trial.
function Study:stop() self.stopped = true end

Study.optimize = require "perilune.study.optimize"

local tables = require "perilune.study.table"
Study.table, Study.csv = tables.table, tables.csv

return Study
