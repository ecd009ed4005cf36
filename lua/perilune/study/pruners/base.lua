-- pruners/base.lua -- what a study asks of a pruner.
--
-- A pruner is any object with prune(self, study, record) -> boolean, called by trial:should_prune() after the study has
-- looked for what other workers finished.  record is the RUNNING trial's own (storages/base.lua); what it reported is
-- record.intermediate_values, { step = value }, NaN among them.  study offers what samplers/base.lua says: directions,
-- study_name, finished_since, active_trials, and set_system_attr to leave a note (a rung) that other workers can read.
-- settings.lua reads options.
local class = require "perilune.train.class"

local Pruner = class.new("Pruner")

function Pruner:init() end -- luacheck: ignore self

function Pruner:prune(_, _) return false end -- luacheck: ignore self

return Pruner
