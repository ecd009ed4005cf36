-- storages/rdb/sqlite.lua -- what is special about SQLite.  sqlite:///relative.db, sqlite:////absolute.db
--
-- The rollback journal is kept (no WAL): viewers and browsers open the file as it is.  synchronous = FULL: a trial
-- that was told survives a power cut too, and with it a transaction costs half a millisecond to one on a local disk.
local core = require "perilune.core"

local sqlite = {
  module = "luasql.sqlite3", maker = "sqlite3", package = "lua-sql-sqlite3", rock = "luasql-sqlite3",
  begin = "BEGIN IMMEDIATE",
  now = "strftime('%Y-%m-%d %H:%M:%f000', 'now')",
  lock = "",
  types = { ID = "INTEGER NOT NULL", FLOAT = "FLOAT", DATETIME = "DATETIME", DIRECTION = "VARCHAR(8)",
    STATE = "VARCHAR(8)", VALUE_TYPE = "VARCHAR(7)", INTERMEDIATE_TYPE = "VARCHAR(7)" },
  before_schema = {},
  has_schema = "SELECT name FROM sqlite_master WHERE name = 'alembic_version'",
}

--- The moment that lies some seconds back, in SQL.
function sqlite.ago(seconds)
  return ("strftime('%%Y-%%m-%%d %%H:%%M:%%f000', 'now', '-%.3f seconds')"):format(seconds)
end

local function path_of(url)
  local path = url:match("^sqlite[+%w]*:///(.+)$")
  return path or core.raise(("study: %q names no file; write sqlite:///study.db"):format(url))
end

function sqlite.exists(url)
  local path = path_of(url)
  local file = path == ":memory:" or io.open(path, "rb")
  if file and file ~= true then file:close() end
  return file and true or false
end

function sqlite.connect(environment, url) return environment:connect(path_of(url)) end

-- What a new connection is told.  Workers wait for each other within SQLite.  How long differs a little from one to
-- the other, so that they do not come back together.
function sqlite.settings()
  local jitter = tonumber(tostring({}):match("0x(%x+)") or "0", 16) // 16 % 500
  return { "PRAGMA busy_timeout = " .. 750 + jitter, "PRAGMA synchronous = FULL" }
end

-- Runs an INSERT and returns the new row's id, or nil if there is none.  (LuaSQL begins a statement that returns rows
-- twice, so RETURNING would insert twice.)
function sqlite.insert(database, sql)
  return database:change(sql) > 0 and math.tointeger(database.connection:getlastautoid()) or nil
end

function sqlite.is_busy(message)
  return message:find("is locked", 1, true) ~= nil
end

function sqlite.must_repeat() return false end

function sqlite.is_lost() return false end

local ADVICE = {
  { "unable to open", "does its folder exist, and may it be written?" },
  { "readonly", "the file or its folder is read-only: what is in it can be loaded, no trial can begin or be told" },
  { "file is not a database", "this file is something else" },
  { "malformed", "the file is damaged; `sqlite3 FILE .recover` may save what is in it" },
  { "disk is full", "make room and tell the trial again: nothing that was told is lost" },
}

function sqlite.advice(message)
  for _, entry in ipairs(ADVICE) do
    if message:find(entry[1], 1, true) then return entry[2] end
  end
end

return sqlite
