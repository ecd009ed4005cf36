-- storages/rdb/init.lua -- studies in an SQL database, in the tables of Optuna.
local Database = require "perilune.study.storages.rdb.database"
local Storage = require "perilune.study.storages.base"
local Trials = require "perilune.study.storages.rdb.trials"
local json = require "perilune.study.json"
local options = require "perilune.options"
local schema = require "perilune.study.storages.rdb.schema"
local shown = require "perilune.shown"

local text = Database.text

local RDB = Storage:extend("RDBStorage")

local read = options.reader("RDBStorage", { { "heartbeat_interval", 60, "number" }, { "max_retry", 3, "integer" },
  { "must_exist", false } })

RDB.__tostring = shown.by(read, function(self) return ("%q"):format(Database.without_password(self.url)) end)

--- Studies in Optuna's own tables: url is sqlite:///study.db or postgresql://user:password@host:port/database.  Needs
--- LuaSQL (Debian: lua-sql-sqlite3, lua-sql-postgres).
---
--- Options: heartbeat_interval = 60 seconds; max_retry = 3; must_exist = false: whether a missing file is an error.
--- A RUNNING trial whose process was killed is marked FAIL, and its parameters are enqueued again, at most max_retry
--- times (Optuna's failed_trial and retry_history tell of it).  On the same machine that is seen at once; from another
--- one after twice the interval without a heartbeat.  suggest, report and should_prune send one; an objective that is
--- silent for longer calls trial:heartbeat().  A connection to PostgreSQL that is lost is made anew, for a minute.
---@param url string
---@param given? table
function RDB:init(url, given)
  local chosen = read(given)
  options.number("RDBStorage", "heartbeat_interval", chosen.heartbeat_interval, 0.001)
  options.integer("RDBStorage", "max_retry", chosen.max_retry, 0)
  self.url, self.options, self.by_id = url, chosen, {}
  self.database = Database.open(url, chosen.must_exist)
  schema.ensure(self.database)
end

function RDB:find_study(name)
  local row = self.database:rows("SELECT study_id FROM studies WHERE study_name = " .. text(name))[1]
  return row and math.tointeger(row[1])
end

function RDB:create_study(name, directions)
  local database = self.database
  return database:transaction(function()
    local study_id = database:insert(("INSERT INTO studies (study_name) VALUES (%s) ON CONFLICT DO NOTHING"):format(
      text(name)), "study_id")
    if not study_id then return nil end
    local rows = {}
    for i, direction in ipairs(directions) do
      rows[i] = ("('%s', %d, %d)"):format(direction:upper(), study_id, i - 1)
    end
    database:change("INSERT INTO study_directions (direction, study_id, objective) VALUES " .. table.concat(rows, ", "))
    return study_id
  end)
end

function RDB:studies()
  local list = {}
  for i, row in ipairs(self.database:rows("SELECT study_id, study_name FROM studies ORDER BY study_id")) do
    list[i] = { study_id = math.tointeger(row[1]), study_name = row[2] }
  end
  return list
end

function RDB:directions(study_id)
  local list = {}
  for i, row in ipairs(self.database:rows(
    ("SELECT direction FROM study_directions WHERE study_id = %d ORDER BY objective"):format(study_id))) do
    list[i] = row[1] == "MAXIMIZE" and "maximize" or "minimize"
  end
  return list
end

local OF_TRIALS = { "trial_heartbeats", "trial_intermediate_values", "trial_values", "trial_params",
  "trial_user_attributes", "trial_system_attributes" }
local OF_STUDIES = { "trials", "study_directions", "study_user_attributes", "study_system_attributes", "studies" }

function RDB:delete_study(study_id)
  local database = self.database
  database:transaction(function()
    for _, name in ipairs(OF_TRIALS) do
      database:change(("DELETE FROM %s WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = %d)")
        :format(name, study_id))
    end
    for _, name in ipairs(OF_STUDIES) do
      database:change(("DELETE FROM %s WHERE study_id = %d"):format(name, study_id))
    end
  end)
  self.by_id[study_id] = nil
end

function RDB:study_attrs(study_id, kind)
  local attrs = {}
  for _, row in ipairs(self.database:rows(([[SELECT "key", value_json FROM study_%s_attributes WHERE study_id = %d]])
    :format(kind, study_id))) do
    attrs[row[1]] = json.decode(row[2])
  end
  return attrs
end

function RDB:set_study_attr(study_id, kind, key, value)
  self.database:transaction(function()
    self.database:change(([[INSERT INTO study_%s_attributes (study_id, "key", value_json) VALUES (%d, %s, %s)
      ON CONFLICT (study_id, "key") DO UPDATE SET value_json = excluded.value_json]]):format(kind, study_id, text(key),
      Database.json(value)))
  end)
end

function RDB:trials(study_id)
  self.by_id[study_id] = self.by_id[study_id] or Trials(self.database, study_id, self.options)
  return self.by_id[study_id]
end

return RDB
