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
--
-- A storage keeps studies:
--   create_study(name, directions) -> study_id, or nil when the name is taken
--   find_study(name) -> study_id or nil
--   studies() -> list of { study_id, study_name }, oldest first
--   directions(study_id) -> { "minimize" or "maximize", ... }
--   delete_study(study_id)
--   study_attrs(study_id, kind) -> table                     kind is "user" or "system"
--   set_study_attr(study_id, kind, key, value)
--   trials(study_id) -> the trials of one study, the same object for the same study
--   url                                                      nil for a storage that no other process can open
--
-- and the trials of one study are
--   finished                    finished records in the order in which this process learned of them; it only grows
--   sync()                      learns what other workers did
--   all() -> records            every trial by number; what is not finished is a copy
--   active() -> records         the RUNNING ones, of this worker (its own tables) and of others
--   find(number) -> record      or nil
--   begin(limit) -> record      the oldest WAITING trial, claimed, or a new one; RUNNING.  nil if there are `limit`
--                               trials already (see count).  No two workers ever get the same one
--   count() -> integer          finished and RUNNING trials, those left out that were retried under another number
--   add(list)                   new trials, WAITING or finished, from some of a record's fields; all or none
--   set_param(record, name, internal, distribution)
--   set_intermediate(record, step, value)
--   set_attr(record, kind, key, value)
--   finish(record, state, values)
--   heartbeat(record)           says that its worker is alive, at most every few seconds
-- The last five write first and change the record then; they raise when the trial is not RUNNING in the storage any
-- more, and set record.lost.  begin and add number trials without a gap.
local core = require "perilune.core"
local class = require "perilune.train.class"
local search_space = require "perilune.study.search_space"
local shown = require "perilune.shown"

local Storage = class.new("Storage")

--- This moment as records have it.
---@return string
function Storage.now()
  local time = core.terminal.time()
  local seconds = math.floor(time)
  return os.date("!%Y-%m-%d %H:%M:%S", seconds) .. (".%06d"):format(math.floor((time - seconds) * 1e6))
end

local MOST_PARAMETERS <const> = 12

local function parameters_text(params)
  local parts = {}
  for i, name in ipairs(search_space.names(params)) do
    if i > MOST_PARAMETERS then
      parts[i] = "..."
      break
    end
    parts[i] = name .. " = " .. shown.value(params[name])
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

--- Trial(3, COMPLETE, value = 0.25, params = { kind = "a", x = 0.5 })
---@param record table
---@return string
function Storage.text(record)
  local parts = { ("%d, %s"):format(record.number, record.state) }
  local name = record.value and "value" or record.values and "values"
  if name then parts[2] = name .. " = " .. shown.value(record[name]) end
  if next(record.params) ~= nil then parts[#parts + 1] = "params = " .. parameters_text(record.params) end
  return "Trial(" .. table.concat(parts, ", ") .. ")"
end

local Record = { __tostring = Storage.text }

--- A record in some state with nothing in it.
---@param number integer
---@param trial_id any
---@param state string
---@return table
function Storage.record(number, trial_id, state)
  return setmetatable({ number = number, trial_id = trial_id, state = state, params = {}, internal_params = {},
    distributions = {}, intermediate_values = {}, user_attrs = {}, system_attrs = {} }, Record)
end

--- A copy that does not change when the record does.
---@param record table
---@return table
function Storage.snapshot(record)
  local copy = {}
  for key, value in pairs(record) do
    if type(value) == "table" then
      local inner = {}
      for k, v in pairs(value) do inner[k] = v end
      value = inner
    end
    copy[key] = value
  end
  return setmetatable(copy, Record)
end

return Storage
