-- trial.lua -- what the objective gets: it asks for parameters, reports, and is told when to stop.
local core = require "perilune.core"
local distributions = require "perilune.study.distributions"
local options = require "perilune.options"

local Trial = {}
Trial.__index = Trial

-- What prune() raises.
Trial.PRUNED = setmetatable({}, { __tostring = function() return "trial pruned" end })

function Trial.new(study, record)
  local self = setmetatable({ study = study, record = record, number = record.number }, Trial)
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

local function suggest(self, name, distribution)
  check_running(self, "suggest")
  if type(name) ~= "string" then core.raise("Trial:suggest: name must be a string, got " .. type(name)) end
  local known = self.study.parameters[name]
  if known and not known:agrees(distribution) then
    core.raise(("Trial:suggest: '%s' was another kind of parameter before (class, log and choices stay the same in a "
      .. "study); give it another name"):format(name))
  end
  local record = self.record
  if record.params[name] ~= nil then return record.params[name] end
  local internal = sampled(self, name, distribution)
  self.study.parameters[name] = known or distribution
  record.internal_params[name], record.distributions[name] = internal, distribution
  record.params[name] = distribution:to_external(internal)
  return record.params[name]
end

-- A number in [low, high]; { log, step }.  A name asked for again in one trial keeps its value.
function Trial:suggest_float(name, low, high, given)
  return suggest(self, name, distributions.FloatDistribution(low, high, given))
end

-- An integer in [low, high]; { log, step }.
function Trial:suggest_int(name, low, high, given)
  return suggest(self, name, distributions.IntDistribution(low, high, given))
end

-- One of the choices.
function Trial:suggest_categorical(name, choices)
  return suggest(self, name, distributions.CategoricalDistribution(choices))
end

-- The value at a step (an integer, 0 or more); the first report of a step counts.
function Trial:report(value, step)
  check_running(self, "report")
  options.integer("Trial:report", "step", step, 0)
  if type(value) ~= "number" then core.raise("Trial:report: value must be a number, got " .. type(value)) end
  local values = self.record.intermediate_values
  if values[step] == nil then values[step] = value + 0.0 end
end

-- Whether the study's pruner gives this trial up.
function Trial:should_prune()
  if #self.study.directions > 1 then core.raise("Trial:should_prune: several objectives cannot be pruned") end
  return self.study.pruner:prune(self.study, self.record)
end

-- Leaves the objective; optimize counts the trial as PRUNED.
function Trial:prune() -- luacheck: ignore self
  error(Trial.PRUNED, 0)
end

function Trial:set_user_attr(key, value)
  check_running(self, "set_user_attr")
  self.record.user_attrs[key] = value
end

return Trial
