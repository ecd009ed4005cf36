-- storages/base.lua -- what a study asks of the place where its trials are kept.
--
-- A trial is a record, a plain table:
--   number             counts from 0 within the study, without a gap
--   trial_id           the storage's own name of it
--   state              "RUNNING", "WAITING" (enqueued), "COMPLETE", "PRUNED", "FAIL"
--   values, value      a list of floats, one for each objective, and the only one of a single objective; nil until told
--   params             { name = value } as the objective sees it
--   internal_params    { name = float }: numbers as they are, categories as the 0-based index of the choice
--   distributions      { name = distribution } (distributions.lua)
--   intermediate_values  { step = float }, NaN and infinities among them
--   user_attrs, system_attrs   { key = anything that JSON can say }
--   datetime_start, datetime_complete   "YYYY-MM-DD HH:MM:SS.ffffff", UTC; nil until then
-- A finished record never changes again: it is handed out as it is, and nobody edits it.
local class = require "perilune.train.class"

return class.new("Storage")
