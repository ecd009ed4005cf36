-- trial.lua -- what the objective gets: it asks for parameters, reports, and is told when to stop.
local Storage = require "perilune.study.storages.base"
local core = require "perilune.core"
local distributions = require "perilune.study.distributions"
local options = require "perilune.options"
local scalar = require "perilune.study.scalar"

local Trial = { __name = "Trial" }

Trial.help = [[Trial

What the objective gets and study:ask() returns.  help("Trial.suggest_float") tells of one method.
Methods: suggest_float, suggest_int, suggest_categorical, report, should_prune, prune, set_user_attr, heartbeat.
Fields: number, params, distributions, user_attrs, system_attrs, intermediate_values, datetime_start, study.]]

local OF_RECORD = { params = true, distributions = true, user_attrs = true, system_attrs = true, datetime_start = true,
  intermediate_values = true }

Trial.__index = function(self, name)
  if OF_RECORD[name] then return rawget(self, "record")[name] end
  return Trial[name]
end

Trial.__tostring = function(self) return Storage.text(self.record) end

-- What prune() raises.
Trial.PRUNED = setmetatable({}, { __tostring = function() return "trial pruned" end })

function Trial.new(study, record)
  local self = setmetatable({ study = study, record = record, number = record.number, order = {} }, Trial)
  local sampler = study.sampler
  sampler:before_trial(study, self)
  self.space = sampler:infer_relative_search_space(study, self)
  self.relative = next(self.space) and sampler:sample_relative(study, self, self.space) or {}
  return self
end

local function check_running(self, what)
  if self.record.state ~= "RUNNING" then
    core.raise(("Trial:%s: trial %d is finished (%s)"):format(what, self.number, self.record.state))
  end
end

local function fixed_value(self, name, distribution)
  local fixed = self.record.system_attrs.fixed_params
  if not fixed or fixed[name] == nil then return nil end
  local internal = distribution:to_internal(fixed[name])
  if internal == nil or not distribution:contains(internal) then
    core.raise(("Trial:suggest: the enqueued value %s of '%s' is not in its range"):format(
      options.described(fixed[name]), name))
  end
  return internal
end

local function sampled(self, name, distribution)
  local fixed = fixed_value(self, name, distribution)
  if fixed then return fixed end
  if distribution:single() then return distribution.choices and 0.0 or distribution.low + 0.0 end
  local relative = self.relative[name]
  if relative and self.space[name]:agrees(distribution) and distribution:contains(relative) then return relative end
  return self.study.sampler:sample_independent(self.study, self, name, distribution)
end

-- The distribution that a call asks for; what is wrong with it is said of the call and the parameter.
local function described_by(call, name, maker, ...)
  if type(name) ~= "string" then
    core.raise(("Trial:%s: name must be a string, got %s"):format(call, options.described(name)))
  end
  local fine, result = pcall(maker, ...)
  if fine then return result end
  return core.raise(("Trial:%s: '%s': %s"):format(call, name, tostring(result):gsub("^.-Distribution: ", "")))
end

-- The value of a parameter with this distribution.
function Trial:suggest(name, distribution)
  check_running(self, "suggest")
  local known = self.study:known_distribution(name)
  if known and not known:agrees(distribution) then
    core.raise(("Trial:suggest: '%s' was another kind of parameter before (class, log and choices stay the same in a "
      .. "study); give it another name"):format(name))
  end
  local record = self.record
  if record.params[name] ~= nil then return record.params[name] end
  local internal = sampled(self, name, distribution)
  self.study.store:set_param(record, name, internal, distribution)
  self.study.parameters[name] = known or distribution
  self.order[#self.order + 1] = name
  return record.params[name]
end

--- A number in [low, high]; log: uniform in its logarithm; step: only low + k step.  A name that is asked for again in
--- one trial keeps its value; in the trials of a study it keeps its class and its log.
---@param name string
---@param low number
---@param high number
---@param given? table  { log = false, step }
---@return number
function Trial:suggest_float(name, low, high, given)
  return self:suggest(name, described_by("suggest_float", name, distributions.FloatDistribution, low, high, given))
end

--- An integer in [low, high]; log: uniform in its logarithm; step: only low + k step.
---@param name string
---@param low integer
---@param high integer
---@param given? table  { log = false, step = 1 }
---@return integer
function Trial:suggest_int(name, low, high, given)
  return self:suggest(name, described_by("suggest_int", name, distributions.IntDistribution, low, high, given))
end

--- One of the choices: strings, numbers, booleans; perilune.study.null stands for Python's None.
---@param name string
---@param choices any[]
---@return any
function Trial:suggest_categorical(name, choices)
  return self:suggest(name, described_by("suggest_categorical", name, distributions.CategoricalDistribution, choices))
end

--- Says what was reached at a step, for the pruner; the first report of a step counts.
---@param value number|perilune.Tensor  a tensor of one element is a number
---@param step integer  0 or more
function Trial:report(value, step)
  check_running(self, "report")
  options.integer("Trial:report", "step", step, 0)
  local number = scalar(value)
  if not number then core.raise("Trial:report: value must be a number, got " .. options.described(value)) end
  if self.record.intermediate_values[step] == nil then
    self.study.store:set_intermediate(self.record, step, number + 0.0)
  end
end

--- Whether the study's pruner gives this trial up, by what was reported so far.
---@return boolean
function Trial:should_prune()
  if #self.study.directions > 1 then core.raise("Trial:should_prune: several objectives cannot be pruned") end
  local store = self.study.store
  store:heartbeat(self.record)
  store:sync()
  return self.study.pruner:prune(self.study, self.record)
end

--- Says that this worker is alive: for an objective that does not report for minutes, on a storage that is shared.
function Trial:heartbeat()
  check_running(self, "heartbeat")
  self.study.store:heartbeat(self.record)
end

--- Leaves the objective; optimize counts the trial as PRUNED.
function Trial:prune() -- luacheck: ignore self
  error(Trial.PRUNED, 0)
end

--- Keeps something with the trial: trial.user_attrs[key].
---@param key string
---@param value any  what JSON can say
function Trial:set_user_attr(key, value)
  check_running(self, "set_user_attr")
  if type(key) ~= "string" then core.raise("Trial:set_user_attr: key must be a string, got " .. type(key)) end
  self.study.store:set_attr(self.record, "user", key, value)
end

return Trial
