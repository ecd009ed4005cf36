-- samplers/base.lua -- what a study asks of a sampler; a sampler overrides what it needs.
--
-- A space is a table { parameter name = distribution }; sampled values are internal ones (see distributions.lua).
-- Draws come from perilune.study.draw, keyed by seed, trial number and parameter name.  settings.lua reads options, and
-- learning.lua is the class for samplers that learn from the finished trials.
--
-- For each trial the study calls, in this order and never while a transaction is open:
--   before_trial(study, trial)                               the trial is RUNNING and has no parameters yet
--   infer_relative_search_space(study, trial) -> space       what is sampled together
--   sample_relative(study, trial, space) -> internal values  by name; a part of the space may be left out.  Only
--                                                            called for a space that is not empty
--   sample_independent(study, trial, name, distribution) -> internal value
--                                                            for what was left out, when the objective asks for it
--   after_trial(study, trial, state, values)                 before the result is written; values: a list, or nil
--
-- trial has .number and .record (see storages/base.lua); trial.record may be edited by nobody but the study.
-- Of the study a sampler may use
--   study.directions              { "minimize" or "maximize", ... }
--   study.study_name
--   study:finished_since(cursor)  newly finished trials and the next cursor (0: all), in an order that never changes
--                                 for this process; O(new).  It reads no database: a study looks for what other
--                                 workers did when a trial begins (before before_trial) and at should_prune
--   study:active_trials()         RUNNING records, this trial's among them, with the parameters they have so far
--   study:set_system_attr(record, key, value)   kept with a trial; read as record.system_attrs[key]
local class = require "perilune.train.class"

local Sampler = class.new("Sampler")

-- A seed that differs from run to run; the host's generator is left alone.
local function fresh_seed()
  local address = tonumber(tostring({}):match("0x(%x+)") or "0", 16)
  return os.time() * 1000003 ~ address ~ math.floor(os.clock() * 1e6)
end

function Sampler:init(seed) self.seed = seed or fresh_seed() end

-- The parameters that are sampled together, before the trial begins.
function Sampler:infer_relative_search_space(_, _) return {} end -- luacheck: ignore self

-- Internal values for (a part of) that space.
function Sampler:sample_relative(_, _, _) return {} end -- luacheck: ignore self

function Sampler:before_trial(_, _) end -- luacheck: ignore self

function Sampler:after_trial(_, _, _, _) end -- luacheck: ignore self

return Sampler
