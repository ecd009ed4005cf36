-- samplers/partial_fixed.lua -- some parameters stand fast, another sampler chooses the others.
local Sampler = require "perilune.study.samplers.base"
local core = require "perilune.core"
local options = require "perilune.options"
local search_space = require "perilune.study.search_space"
local shown = require "perilune.shown"

local PartialFixed = Sampler:extend("PartialFixedSampler")

PartialFixed.__tostring = shown.by("PartialFixedSampler", function(self)
  local parts = {}
  for i, name in ipairs(search_space.names(self.fixed)) do parts[i] = name .. " = " .. shown.value(self.fixed[name]) end
  return "{ " .. table.concat(parts, ", ") .. " }", tostring(self.sampler)
end)

function PartialFixed:init(fixed, sampler)
  if type(fixed) ~= "table" or type(sampler) ~= "table" then
    core.raise("PartialFixedSampler: it takes a table { name = value } and a sampler")
  end
  self.fixed, self.sampler = {}, sampler
  for name, value in pairs(fixed) do self.fixed[name] = value end
end

function PartialFixed:infer_relative_search_space(study, trial)
  local left = {}
  for name, distribution in pairs(self.sampler:infer_relative_search_space(study, trial)) do
    if self.fixed[name] == nil then left[name] = distribution end
  end
  return left
end

function PartialFixed:sample_relative(study, trial, space) return self.sampler:sample_relative(study, trial, space) end

function PartialFixed:sample_independent(study, trial, name, distribution)
  local value = self.fixed[name]
  if value == nil then return self.sampler:sample_independent(study, trial, name, distribution) end
  local internal = distribution:to_internal(value)
  if internal == nil or not distribution:contains(internal) then
    core.raise(("PartialFixedSampler: the fixed value %s of '%s' is not in its range"):format(
      options.described(value), name))
  end
  return internal
end

function PartialFixed:before_trial(study, trial) self.sampler:before_trial(study, trial) end

function PartialFixed:after_trial(...) self.sampler:after_trial(...) end

--- Keeps some parameters at fixed values; another sampler chooses the others.
---@param fixed table  { name = value }
---@param sampler table
---@return table
return function(fixed, sampler) return PartialFixed(fixed, sampler) end
