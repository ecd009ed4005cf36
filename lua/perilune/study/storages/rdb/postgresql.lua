-- storages/rdb/postgresql.lua -- what is special about PostgreSQL.  postgresql://user:password@host:port/database
local postgresql = {
  module = "luasql.postgres", maker = "postgres", package = "lua-sql-postgres", rock = "luasql-postgres",
  begin = "BEGIN; SELECT txid_current()",
  now = "CURRENT_TIMESTAMP",   -- as Optuna writes heartbeats: the session's time, which both compare with it
  lock = " FOR UPDATE",        -- SQLite locks the whole file at BEGIN IMMEDIATE; here the study's row stands for it
  types = { ID = "SERIAL NOT NULL", FLOAT = "DOUBLE PRECISION", DATETIME = "TIMESTAMP WITHOUT TIME ZONE",
    DIRECTION = "studydirection", STATE = "trialstate", VALUE_TYPE = "trialvaluetype",
    INTERMEDIATE_TYPE = "trialintermediatevaluetype" },
  before_schema = {
    "SELECT pg_advisory_xact_lock(7165265765)",   -- two workers that come to an empty database at once
    "CREATE TYPE studydirection AS ENUM ('NOT_SET', 'MINIMIZE', 'MAXIMIZE')",
    "CREATE TYPE trialstate AS ENUM ('RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING')",
    "CREATE TYPE trialvaluetype AS ENUM ('FINITE', 'INF_POS', 'INF_NEG')",
    "CREATE TYPE trialintermediatevaluetype AS ENUM ('FINITE', 'INF_POS', 'INF_NEG', 'NAN')",
  },
  has_schema = "SELECT 1 FROM pg_class WHERE relname = 'alembic_version' AND pg_table_is_visible(oid)",
}

function postgresql.ago(seconds) return ("CURRENT_TIMESTAMP - INTERVAL '%.3f seconds'"):format(seconds) end

function postgresql.exists() return true end

function postgresql.connect(environment, url)
  return environment:connect((url:gsub("^postgres[%w+]*://", "postgresql://")))
end

-- What a new connection is told.
function postgresql.settings()
  return { "SET client_encoding = 'UTF8'", "SET standard_conforming_strings = on", "SET datestyle = 'ISO'",
    "SET client_min_messages = warning", "SET extra_float_digits = 3" }
end

-- Runs an INSERT and returns the new row's id, or nil if there is none.
function postgresql.insert(database, sql, id)
  local row = database:rows(sql .. " RETURNING " .. id)[1]
  return row and math.tointeger(row[1])
end

function postgresql.is_busy() return false end

-- A transaction that PostgreSQL ended because of another one may simply run again.
function postgresql.must_repeat(message)
  return message:find("deadlock detected", 1, true) ~= nil or message:find("could not serialize", 1, true) ~= nil
end

local LOST = { "server closed the connection", "no connection to the server", "terminating connection",
  "could not receive data", "could not send data", "SSL connection has been closed", "SSL SYSCALL error" }

function postgresql.is_lost(message)
  for _, text in ipairs(LOST) do
    if tostring(message):find(text, 1, true) then return true end
  end
  return false
end

-- Whether a server that cannot be reached, or refuses us, may do otherwise soon.
function postgresql.may_come_back(message)
  if not message:find("FATAL", 1, true) then return true end
  return message:find("starting up", 1, true) ~= nil or message:find("shutting down", 1, true) ~= nil
    or message:find("recovery", 1, true) ~= nil or message:find("connections", 1, true) ~= nil
end

-- What became of a transaction: "committed", "aborted" or "in progress".  One that a server knows nothing of, after it
-- crashed, was not committed.
function postgresql.state_of(database, id)
  local fine, rows = pcall(database.rows, database, ("SELECT txid_status(%s)"):format(id))
  if fine then return rows[1][1] end
  if tostring(rows):find("in the future", 1, true) then return "aborted" end
  error(rows, 0)
end

function postgresql.advice() return nil end

return postgresql
