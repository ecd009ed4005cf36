-- storages/rdb/trials.lua -- the trials of one study in an SQL database, and what this process knows of them.
--
-- Finished trials never change, so each is read once.  sync() asks for trials that are new and for those of other
-- workers that were not finished the last time; with n trials it costs O(new).  own are the trials that this process
-- runs: their tables are changed here, right after the database was.
local Database = require "perilune.study.storages.rdb.database"
local Storage = require "perilune.study.storages.base"
local class = require "perilune.train.class"
local core = require "perilune.core"
local distributions = require "perilune.study.distributions"
local json = require "perilune.study.json"
local process = require "perilune.study.process"

local text, encoded, number_of = Database.text, Database.json, Database.number

local Trials = class.new("RDBTrials")

local WORKER = "perilune:worker"   -- the system attribute that says which process runs a trial
local CHUNK = 500                  -- numbers in one IN (...)

function Trials:init(database, study_id, options)
  self.database, self.study_id, self.options = database, study_id, options
  self.finished, self.by_number, self.retried = {}, {}, 0
  self.last_id, self.own, self.pending = 0, {}, {}   -- own, pending (of others): trial_id -> record
  self.beats = {}                                    -- trial_id -> when its heartbeat was sent
end

-- -- reading --

-- SQLite gives nil for NULL, PostgreSQL cuts zeros off.
local function moment(value)
  if not value then return nil end
  local date, fraction = value:match("^([%d-]+ [%d:]+)%.?(%d*)")
  return date and date .. "." .. (fraction .. "000000"):sub(1, 6)
end

local SPECIAL = { INF_POS = math.huge, INF_NEG = -math.huge, NAN = 0 / 0 }

local function value_of(value, kind) return SPECIAL[kind] or tonumber(value) + 0.0 end

local DETAILS = {
  { "param_name, param_value, distribution_json", "trial_params", "param_id", function(record, row)
    local distribution, internal = distributions.decode(row[4]), tonumber(row[3]) + 0.0
    record.distributions[row[2]], record.internal_params[row[2]] = distribution, internal
    record.params[row[2]] = distribution:to_external(internal)
  end },
  { "objective, value, value_type", "trial_values", "objective", function(record, row)
    record.values = record.values or {}
    record.values[tonumber(row[2]) + 1] = value_of(row[3], row[4])
  end },
  { "step, intermediate_value, intermediate_value_type", "trial_intermediate_values", "step", function(record, row)
    record.intermediate_values[math.tointeger(row[2])] = value_of(row[3], row[4])
  end },
  { '"key", value_json', "trial_user_attributes", "trial_user_attribute_id", function(record, row)
    record.user_attrs[row[2]] = json.decode(row[3])
  end },
  { '"key", value_json', "trial_system_attributes", "trial_system_attribute_id", function(record, row)
    record.system_attrs[row[2]] = json.decode(row[3])
  end },
}

-- Calls visit(ids as SQL) for each part of a list.
local function in_chunks(ids, visit)
  for first = 1, #ids, CHUNK do
    visit(table.concat(ids, ", ", first, math.min(first + CHUNK - 1, #ids)))
  end
end

-- Fills records, which are new, with all that other tables know.
local function load_details(self, records)
  local by_id, ids = {}, {}
  for i, record in ipairs(records) do by_id[record.trial_id], ids[i] = record, record.trial_id end
  in_chunks(ids, function(list)
    for _, detail in ipairs(DETAILS) do
      for _, row in ipairs(self.database:rows(("SELECT trial_id, %s FROM %s WHERE trial_id IN (%s) ORDER BY %s"):format(
        detail[1], detail[2], list, detail[3]))) do
        detail[4](by_id[math.tointeger(row[1])], row)
      end
    end
  end)
  for _, record in ipairs(records) do
    if record.values and #record.values == 1 then record.value = record.values[1] end
  end
  return records
end

local COLUMNS = "trial_id, number, state, datetime_start, datetime_complete"

local function record_of(row)
  local record = Storage.record(math.tointeger(row[2]), math.tointeger(row[1]), row[3])
  record.datetime_start, record.datetime_complete = moment(row[4]), moment(row[5])
  return record
end

local function is_finished(record) return record.state ~= "RUNNING" and record.state ~= "WAITING" end

local function keep_finished(self, record)
  table.insert(self.finished, record)
  self.by_number[record.number] = record
end

local function ids_of(records)
  local ids = {}
  for trial_id in pairs(records) do ids[#ids + 1] = trial_id end
  table.sort(ids)
  return ids
end

-- Rows of the trials that are new, and of others' that were not finished when last seen.
local function changed_rows(self)
  local rows = self.database:rows(("SELECT %s FROM trials WHERE study_id = %d AND trial_id > %d ORDER BY trial_id")
    :format(COLUMNS, self.study_id, self.last_id))
  in_chunks(ids_of(self.pending), function(list)
    local known = self.database:rows(("SELECT %s FROM trials WHERE trial_id IN (%s)"):format(COLUMNS, list))
    table.move(known, 1, #known, #rows + 1, rows)
  end)
  return rows
end

-- Is a trial the second try of another?  Counted once, when it is first seen.
local function count_retries(self, records)
  local ids = {}
  for i, record in ipairs(records) do ids[i] = record.trial_id end
  in_chunks(ids, function(list)
    local rows = self.database:rows(([[SELECT COUNT(*) FROM trial_system_attributes WHERE "key" = 'failed_trial'
      AND trial_id IN (%s)]]):format(list))
    self.retried = self.retried + math.tointeger(rows[1][1])
  end)
end

function Trials:sync()
  local fresh, new = {}, {}
  local pending = {}
  for _, row in ipairs(changed_rows(self)) do
    local record = record_of(row)
    local trial_id = record.trial_id
    if trial_id > self.last_id then new[#new + 1] = record end
    if not self.own[trial_id] then
      if is_finished(record) then fresh[#fresh + 1] = record else pending[trial_id] = record end
    end
  end
  load_details(self, fresh)
  count_retries(self, new)
  table.sort(fresh, function(a, b) return a.number < b.number end)
  for _, record in ipairs(fresh) do keep_finished(self, record) end
  for trial_id, record in pairs(pending) do
    local before = self.pending[trial_id]
    record.worker = before and before.worker   -- see fates
  end
  self.pending = pending
  for _, record in ipairs(new) do self.last_id = math.max(self.last_id, record.trial_id) end
end

-- Records of others' unfinished trials in some states, read again.
local function others(self, states)
  local list = {}
  for _, record in pairs(self.pending) do
    if states[record.state] then
      local fresh = Storage.record(record.number, record.trial_id, record.state)
      fresh.datetime_start = record.datetime_start
      list[#list + 1] = fresh
    end
  end
  return load_details(self, list)
end

local function by_number(a, b) return a.number < b.number end

function Trials:active()
  local list = others(self, { RUNNING = true })
  for _, record in pairs(self.own) do list[#list + 1] = record end
  table.sort(list, by_number)
  return list
end

function Trials:all()
  self:sync()
  local list = others(self, { RUNNING = true, WAITING = true })
  for _, record in pairs(self.own) do list[#list + 1] = Storage.snapshot(record) end
  table.move(self.finished, 1, #self.finished, #list + 1, list)
  table.sort(list, by_number)
  return list
end

function Trials:find(number)
  for _, record in pairs(self.own) do
    if record.number == number then return record end
  end
  self:sync()
  if self.by_number[number] then return self.by_number[number] end
  for _, record in ipairs(others(self, { RUNNING = true, WAITING = true })) do
    if record.number == number then return record end
  end
end

function Trials:count()
  local n = #self.finished - self.retried
  for _ in pairs(self.own) do n = n + 1 end
  for _, record in pairs(self.pending) do
    if record.state == "RUNNING" then n = n + 1 end
  end
  return n
end

-- -- new trials --

local function lock(self)
  local rows = self.database:rows(("SELECT study_id FROM studies WHERE study_id = %d%s"):format(self.study_id,
    self.database.dialect.lock))
  if not rows[1] then error("study: this study was deleted", 0) end
end

local function quoted(value) return value and text(value) or "NULL" end

-- A row in trials; its id and number.  The study is locked, so the last trial has the highest number.
local function insert_trial(self, state, start, complete)
  local last = self.database:rows(("SELECT number FROM trials WHERE study_id = %d ORDER BY trial_id DESC LIMIT 1")
    :format(self.study_id))[1]
  local number = last and math.tointeger(last[1]) + 1 or 0
  local trial_id = self.database:insert(("INSERT INTO trials (number, study_id, state, datetime_start, "
    .. "datetime_complete) VALUES (%d, %d, '%s', %s, %s)"):format(number, self.study_id, state, quoted(start),
    quoted(complete)), "trial_id")
  return trial_id, number
end

local function insert_attr(self, trial_id, kind, key, value)
  self.database:change(([[INSERT INTO trial_%s_attributes (trial_id, "key", value_json) VALUES (%d, %s, %s)
    ON CONFLICT (trial_id, "key") DO UPDATE SET value_json = excluded.value_json]]):format(kind, trial_id, text(key),
    encoded(value)))
end

local function begin_heartbeat(self, trial_id)
  self.database:change(([[INSERT INTO trial_heartbeats (trial_id, heartbeat) VALUES (%d, %s)
    ON CONFLICT (trial_id) DO UPDATE SET heartbeat = excluded.heartbeat]]):format(trial_id, self.database.dialect.now))
  local identity = process.own()
  if identity then insert_attr(self, trial_id, "system", WORKER, identity) end
end

-- The oldest WAITING trial that nobody was faster to get, or nil.
local function claim(self, start)
  local waiting = {}
  for _, record in pairs(self.pending) do
    if record.state == "WAITING" then waiting[#waiting + 1] = record end
  end
  table.sort(waiting, by_number)
  for _, record in ipairs(waiting) do
    if self.database:change(("UPDATE trials SET state = 'RUNNING', datetime_start = %s WHERE trial_id = %d AND "
      .. "state = 'WAITING'"):format(text(start), record.trial_id)) == 1 then
      return load_details(self, { Storage.record(record.number, record.trial_id, "RUNNING") })[1]
    end
  end
end

local function begin(self, limit)
  lock(self)
  self:sync()
  if limit and self:count() >= limit then return nil end
  local start = Storage.now()
  local record = claim(self, start)
  if not record then
    local trial_id, number = insert_trial(self, "RUNNING", start)
    record = Storage.record(number, trial_id, "RUNNING")
  end
  begin_heartbeat(self, record.trial_id)
  record.datetime_start = start
  return record
end

function Trials:begin(limit)
  self:retire()
  local record = self.database:transaction(function() return begin(self, limit) end)
  if not record then return nil end
  self.own[record.trial_id], self.pending[record.trial_id] = record, nil
  self.last_id = math.max(self.last_id, record.trial_id)
  self.beats[record.trial_id] = core.terminal.now()
  return record
end

local function insert_param(self, trial_id, name, internal, distribution)
  self.database:change(("INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES "
    .. "(%d, %s, %s, %s)"):format(trial_id, text(name), number_of(internal + 0.0), text(distribution:encode())))
end

-- The value and its type as SQL.
local function value_and_type(value)
  if value ~= value then return "NULL", "'NAN'" end
  if value == math.huge then return "NULL", "'INF_POS'" elseif value == -math.huge then return "NULL", "'INF_NEG'" end
  return number_of(value + 0.0), "'FINITE'"
end

local function insert_values(self, trial_id, values)
  local rows = {}
  for i, value in ipairs(values or {}) do
    rows[i] = ("(%d, %d, %s, %s)"):format(trial_id, i - 1, value_and_type(value))
  end
  if #rows == 0 then return end
  self.database:change("INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES "
    .. table.concat(rows, ", "))
end

local function insert_whole(self, fields)
  local trial_id = insert_trial(self, fields.state, fields.datetime_start, fields.datetime_complete)
  insert_values(self, trial_id, fields.values)
  for name, internal in pairs(fields.internal_params or {}) do
    insert_param(self, trial_id, name, internal, fields.distributions[name])
  end
  for step, value in pairs(fields.intermediate_values or {}) do
    self.database:change(("INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, "
      .. "intermediate_value_type) VALUES (%d, %d, %s, %s)"):format(trial_id, step, value_and_type(value)))
  end
  for key, value in pairs(fields.user_attrs or {}) do insert_attr(self, trial_id, "user", key, value) end
  for key, value in pairs(fields.system_attrs or {}) do insert_attr(self, trial_id, "system", key, value) end
end

function Trials:add(list)
  self.database:transaction(function()
    lock(self)
    for _, fields in ipairs(list) do insert_whole(self, fields) end
  end)
end

-- -- trials whose worker is gone --

local function running_ids(self)
  local ids = {}
  for trial_id, record in pairs(self.pending) do
    if record.state == "RUNNING" then ids[#ids + 1] = trial_id end
  end
  return ids
end

-- Which process runs each of these: asked once.
local function learn_workers(self, ids)
  local unknown = {}
  for _, trial_id in ipairs(ids) do
    if self.pending[trial_id].worker == nil then
      self.pending[trial_id].worker = false
      unknown[#unknown + 1] = trial_id
    end
  end
  in_chunks(unknown, function(list)
    for _, row in ipairs(self.database:rows(([[SELECT trial_id, value_json FROM trial_system_attributes
      WHERE "key" = '%s' AND trial_id IN (%s)]]):format(WORKER, list))) do
      self.pending[math.tointeger(row[1])].worker = json.decode(row[2])
    end
  end)
end

-- The trials of processes that this machine has no more, and those whose heartbeat is missing for twice the interval.
local function abandoned(self)
  local ids, gone, elsewhere = running_ids(self), {}, {}
  if #ids == 0 then return gone end
  learn_workers(self, ids)
  for _, trial_id in ipairs(ids) do
    local fate = process.fate(self.pending[trial_id].worker)
    local list = fate == "dead" and gone or fate == "unknown" and elsewhere or {}
    list[#list + 1] = trial_id
  end
  in_chunks(elsewhere, function(list)
    for _, row in ipairs(self.database:rows(("SELECT trial_id FROM trial_heartbeats WHERE trial_id IN (%s) AND "
      .. "heartbeat < %s"):format(list, self.database.dialect.ago(2 * self.options.heartbeat_interval)))) do
      gone[#gone + 1] = math.tointeger(row[1])
    end
  end)
  table.sort(gone)
  return gone
end

-- What is tried again: the parameters as far as they were known, and Optuna's notes of where they come from.
local function retry_of(record)
  local attrs = record.system_attrs
  local fixed, tries = {}, {}
  for name, value in pairs(attrs.fixed_params or {}) do fixed[name] = value end
  for name, value in pairs(record.params) do fixed[name] = value end
  for i, number in ipairs(attrs.retry_history or {}) do tries[i] = number end
  tries[#tries + 1] = record.number
  return { state = "WAITING", user_attrs = record.user_attrs, system_attrs = { fixed_params = fixed,
    failed_trial = attrs.failed_trial or record.number, retry_history = tries } }
end

local function fail_and_retry(self, trial_id)
  if self.database:change(("UPDATE trials SET state = 'FAIL', datetime_complete = %s WHERE trial_id = %d AND "
    .. "state = 'RUNNING'"):format(text(Storage.now()), trial_id)) == 0 then return end
  local row = self.database:rows(("SELECT %s FROM trials WHERE trial_id = %d"):format(COLUMNS, trial_id))[1]
  local again = retry_of(load_details(self, { record_of(row) })[1])
  if #again.system_attrs.retry_history <= self.options.max_retry then insert_whole(self, again) end
end

--- Marks trials of dead workers FAIL and enqueues their parameters again.  Returns how many there were.
function Trials:retire()
  self:sync()
  local gone = abandoned(self)
  if #gone == 0 then return 0 end
  self.database:transaction(function()
    lock(self)
    for _, trial_id in ipairs(gone) do fail_and_retry(self, trial_id) end
  end)
  return #gone
end

-- -- a running trial --

local function still_running(trial_id)
  return ("EXISTS (SELECT 1 FROM trials WHERE trial_id = %d AND state = 'RUNNING')"):format(trial_id)
end

-- A statement that changes nothing when the trial was ended by somebody else, and may be done twice (database.lua).
local function write(self, record, sql)
  if self.database:change(sql) > 0 then return end
  record.lost = true
  self.own[record.trial_id] = nil
  self.pending[record.trial_id] = record
  core.raise(("study: trial %d is not running any more: another worker ended it"):format(record.number))
end

function Trials:heartbeat(record)
  local now, beat = core.terminal.now(), self.beats[record.trial_id]
  if beat and now - beat < self.options.heartbeat_interval / 4 then return end
  self.beats[record.trial_id] = now
  self.database:change(("UPDATE trial_heartbeats SET heartbeat = %s WHERE trial_id = %d"):format(
    self.database.dialect.now, record.trial_id))
end

function Trials:set_param(record, name, internal, distribution)
  write(self, record, ("INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) "
    .. "SELECT %d, %s, %s, %s WHERE %s ON CONFLICT (trial_id, param_name) DO UPDATE SET param_value = "
    .. "excluded.param_value"):format(record.trial_id, text(name), number_of(internal + 0.0),
    text(distribution:encode()), still_running(record.trial_id)))
  self:heartbeat(record)
  record.internal_params[name], record.distributions[name] = internal, distribution
  record.params[name] = distribution:to_external(internal)
end

function Trials:set_intermediate(record, step, value)
  local sql, kind = value_and_type(value)
  write(self, record, ("INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, "
    .. "intermediate_value_type) SELECT %d, %d, %s, %s WHERE %s ON CONFLICT (trial_id, step) DO UPDATE SET "
    .. "intermediate_value = excluded.intermediate_value"):format(record.trial_id, step, sql, kind,
    still_running(record.trial_id)))
  self:heartbeat(record)
  record.intermediate_values[step] = value
end

function Trials:set_attr(record, kind, key, value)
  write(self, record, ([[INSERT INTO trial_%s_attributes (trial_id, "key", value_json) SELECT %d, %s, %s WHERE %s
    ON CONFLICT (trial_id, "key") DO UPDATE SET value_json = excluded.value_json]]):format(kind, record.trial_id,
    text(key), encoded(value), still_running(record.trial_id)))
  record[kind .. "_attrs"][key] = value
end

function Trials:finish(record, state, values)
  local complete = Storage.now()
  self.database:transaction(function()
    write(self, record, ("UPDATE trials SET state = '%s', datetime_complete = %s WHERE trial_id = %d AND "
      .. "state = 'RUNNING'"):format(state, text(complete), record.trial_id))
    insert_values(self, record.trial_id, values)
  end)
  record.state, record.values, record.value = state, values, values and #values == 1 and values[1] or nil
  record.datetime_complete = complete
  self.own[record.trial_id], self.pending[record.trial_id], self.beats[record.trial_id] = nil, nil, nil
  keep_finished(self, record)
end

return Trials
