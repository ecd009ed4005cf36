-- storages/rdb/schema.lua -- Optuna's tables, to the letter: Optuna, optuna-dashboard and we open the same database.
--
-- $NAMES are the dialect's types.  All tables are made at once: optuna-dashboard makes none.
local core = require "perilune.core"

local schema = {}

local VERSION = "v3.2.0.a"       -- Alembic's stamp of Optuna 3.2 to 5.0
local SCHEMA_VERSION = 12

local function attributes(table_name, owner)
  local singular = table_name:gsub("s$", "")
  return ([[CREATE TABLE %s (
  %s_id $ID,
  %s_id INTEGER,
  "key" VARCHAR(512),
  value_json TEXT,
  PRIMARY KEY (%s_id),
  UNIQUE (%s_id, "key"),
  FOREIGN KEY (%s_id) REFERENCES %s (%s_id)
)]]):format(table_name, singular, owner, singular, owner, owner, owner == "study" and "studies" or "trials", owner)
end

local STATEMENTS = {
  [[CREATE TABLE studies (
  study_id $ID,
  study_name VARCHAR(512) NOT NULL,
  PRIMARY KEY (study_id)
)]],
  "CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name)",
  [[CREATE TABLE version_info (
  version_info_id $ID,
  schema_version INTEGER,
  library_version VARCHAR(256),
  PRIMARY KEY (version_info_id),
  CHECK (version_info_id = 1)
)]],
  [[CREATE TABLE study_directions (
  study_direction_id $ID,
  direction $DIRECTION NOT NULL,
  study_id INTEGER NOT NULL,
  objective INTEGER NOT NULL,
  PRIMARY KEY (study_direction_id),
  UNIQUE (study_id, objective),
  FOREIGN KEY (study_id) REFERENCES studies (study_id)
)]],
  attributes("study_user_attributes", "study"),
  attributes("study_system_attributes", "study"),
  [[CREATE TABLE trials (
  trial_id $ID,
  number INTEGER,
  study_id INTEGER,
  state $STATE NOT NULL,
  datetime_start $DATETIME,
  datetime_complete $DATETIME,
  PRIMARY KEY (trial_id),
  FOREIGN KEY (study_id) REFERENCES studies (study_id)
)]],
  "CREATE INDEX ix_trials_study_id ON trials (study_id)",
  attributes("trial_user_attributes", "trial"),
  attributes("trial_system_attributes", "trial"),
  [[CREATE TABLE trial_params (
  param_id $ID,
  trial_id INTEGER,
  param_name VARCHAR(512),
  param_value $FLOAT,
  distribution_json TEXT,
  PRIMARY KEY (param_id),
  UNIQUE (trial_id, param_name),
  FOREIGN KEY (trial_id) REFERENCES trials (trial_id)
)]],
  [[CREATE TABLE trial_values (
  trial_value_id $ID,
  trial_id INTEGER NOT NULL,
  objective INTEGER NOT NULL,
  value $FLOAT,
  value_type $VALUE_TYPE NOT NULL,
  PRIMARY KEY (trial_value_id),
  UNIQUE (trial_id, objective),
  FOREIGN KEY (trial_id) REFERENCES trials (trial_id)
)]],
  [[CREATE TABLE trial_intermediate_values (
  trial_intermediate_value_id $ID,
  trial_id INTEGER NOT NULL,
  step INTEGER NOT NULL,
  intermediate_value $FLOAT,
  intermediate_value_type $INTERMEDIATE_TYPE NOT NULL,
  PRIMARY KEY (trial_intermediate_value_id),
  UNIQUE (trial_id, step),
  FOREIGN KEY (trial_id) REFERENCES trials (trial_id)
)]],
  [[CREATE TABLE trial_heartbeats (
  trial_heartbeat_id $ID,
  trial_id INTEGER NOT NULL,
  heartbeat $DATETIME NOT NULL,
  PRIMARY KEY (trial_heartbeat_id),
  UNIQUE (trial_id),
  FOREIGN KEY (trial_id) REFERENCES trials (trial_id)
)]],
  [[CREATE TABLE alembic_version (
  version_num VARCHAR(32) NOT NULL,
  CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)]],
  ("INSERT INTO version_info (version_info_id, schema_version, library_version) VALUES (1, %d, 'perilune %s')")
    :format(SCHEMA_VERSION, core.version),
  ("INSERT INTO alembic_version (version_num) VALUES ('%s')"):format(VERSION),
}

local function is_there(database) return #database:rows(database.dialect.has_schema) > 0 end

local function create(database)
  for i, statement in ipairs(database.dialect.before_schema) do
    database:change(statement)
    if i == 1 and is_there(database) then return end
  end
  if is_there(database) then return end
  for _, statement in ipairs(STATEMENTS) do
    database:change((statement:gsub("%$([A-Z_]+)", database.dialect.types)))
  end
end

--- Makes the tables where there are none; refuses a database whose stamp is another.
---@param database table
function schema.ensure(database)
  if not is_there(database) then database:transaction(function() create(database) end) end
  local row = database:rows("SELECT version_num FROM alembic_version")[1]
  if not row or row[1] ~= VERSION then
    core.raise(("study: this database is stamped %s, Optuna 3.2 and later write %s: `optuna storage upgrade` in Python")
      :format(row and row[1] or "with nothing", VERSION))
  end
end

return schema
