-- importance/base.lua -- what get_param_importances asks of an evaluator.
--
-- evaluate(self, trials, values, params, is_lower_better) -> { name = importance, 0 or more }: trials are COMPLETE
-- records (storages/base.lua), values the finite numbers to explain, params a list of names or nil for all.
local class = require "perilune.train.class"

local Evaluator = class.new("ImportanceEvaluator")

function Evaluator:init() end -- luacheck: ignore self

return Evaluator
