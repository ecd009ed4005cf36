-- storages/in_memory.lua -- the trials of a study, in this process.
--
-- A trial's record is filled while it runs and never touched after it finished; finished ones are handed out as they
-- are.  finished lists them in finishing order.
local Storage = {}
Storage.__index = Storage

local function now() return os.date("!%Y-%m-%d %H:%M:%S") .. ".000000" end

function Storage.new()
  return setmetatable({ records = {}, finished = {}, waiting = {}, first_waiting = 1 }, Storage)
end

-- A record in state RUNNING or WAITING; number counts from 0.
function Storage:create_trial(state, system_attrs)
  local number = #self.records
  local record = { number = number, trial_id = number + 1, state = state, params = {}, internal_params = {},
    distributions = {}, intermediate_values = {}, user_attrs = {}, system_attrs = system_attrs or {},
    datetime_start = state == "RUNNING" and now() or nil }
  self.records[number + 1] = record
  if state == "WAITING" then table.insert(self.waiting, record) end
  return record
end

-- The oldest WAITING trial, now RUNNING, or nil.
function Storage:claim_waiting()
  local record = self.waiting[self.first_waiting]
  if not record then return nil end
  self.waiting[self.first_waiting] = nil
  self.first_waiting = self.first_waiting + 1
  record.state, record.datetime_start = "RUNNING", now()
  return record
end

function Storage:finish_trial(record, state, values)
  record.state, record.values, record.value = state, values, values and #values == 1 and values[1] or nil
  record.datetime_complete = now()
  table.insert(self.finished, record)
end

return Storage
