-- storages/rdb/database.lua -- one connection through LuaSQL: statements, transactions, patience, quoting.
--
-- LuaSQL binds no parameters, so every value goes through text() or number().  A statement outside of transaction() is
-- its own.  Where another process holds the lock, waiting is done here: no "database is locked" reaches a user before
-- PATIENCE_s are over.
--
-- A connection that is lost (the server was restarted, an administrator ended it) is made anew.  A statement outside of
-- a transaction is sent again; so each of those must bear being done twice.  A transaction is done again as a whole,
-- unless its COMMIT was sent and the server says that it was done.
local core = require "perilune.core"
local json = require "perilune.study.json"
local log = require "perilune.study.log"
local shield = require "perilune.study.shield"

local Database = {}
Database.__index = Database

local PATIENCE_s = 300
local RECONNECTION_s = 60
local REPETITIONS = 20

local DIALECTS = { sqlite = "sqlite", postgresql = "postgresql", postgres = "postgresql" }

local function dialect_of(url)
  local scheme = type(url) == "string" and url:match("^(%l+)[%w+]*://")
  if not DIALECTS[scheme] then
    core.raise(("study: a storage is sqlite:///study.db or postgresql://user:password@host/database, got %q")
      :format(tostring(url)))
  end
  return require("perilune.study.storages.rdb." .. DIALECTS[scheme])
end

local function environment_of(dialect)
  local found, luasql = pcall(require, dialect.module)
  if not found then
    core.raise(("study: this storage needs LuaSQL: `apt-get install %s` or `luarocks install %s`"):format(
      dialect.package, dialect.rock))
  end
  return luasql[dialect.maker]()
end

--- A URL as it may be printed.
---@param url string
---@return string
function Database.without_password(url) return (url:gsub("(://[^:/@]*):[^@/]*@", "%1:***@")) end

local function explained(self, message)
  message = tostring(message):gsub("^LuaSQL: ", ""):gsub("%s+$", "")
  local advice = self.dialect.advice(message)
  return ("study: %s: %s%s"):format(Database.without_password(self.url), message,
    advice and " (" .. advice .. ")" or "")
end

-- -- values --

--- A string as SQL.
function Database.text(value)
  if value:find("\0", 1, true) then core.raise("study: a database cannot keep a string with a zero byte") end
  if not utf8.len(value) then core.raise("study: a database cannot keep a string that is not valid UTF-8") end
  return "'" .. value:gsub("'", "''") .. "'"
end

--- A value as JSON as SQL.
function Database.json(value)
  local fine, encoded = pcall(json.encode, value)
  if not fine then core.raise("study: this value cannot be kept: " .. encoded) end
  return Database.text(encoded)
end

--- A finite number as SQL that is read back to the same bits.  SQLite's reader loses a bit at the ends of the range.
function Database.number(x)
  if math.type(x) == "integer" then return ("%d"):format(x) end
  local size = math.abs(x)
  if size ~= 0 and size < 1e-280 then return ("%.17g * %.17g"):format(x * 0x1p200, 0x1p-200) end
  if size > 1e280 then return ("%.17g * %.17g"):format(x * 0x1p-200, 0x1p200) end
  local text = ("%.17g"):format(x)
  return text:find("[.e]") and text or text .. ".0"
end

-- -- statements --

local function execute(connection, sql) return connection:execute(sql) end

-- All rows, or nil and what went wrong.  LuaSQL begins the statement again at the first fetch, so that a lock of
-- another process may be met there, too.
local function query(connection, sql)
  local cursor, message = connection:execute(sql)
  if not cursor or type(cursor) == "number" then return cursor and {}, message end
  local rows = {}
  while true do
    local row, failure = cursor:fetch({}, "n")
    if not row then
      cursor:close()
      return not failure and rows or nil, failure
    end
    rows[#rows + 1] = row
  end
end

-- A new connection with its settings, or nil and what is wrong.
local function connect(self)
  local connection, message = self.dialect.connect(self.environment, self.url)
  if not connection then return nil, message end
  for _, setting in ipairs(self.dialect.settings()) do
    local done, failure = query(connection, setting)
    if not done then return nil, failure end
  end
  return connection
end

-- Waits a little; Ctrl-C ends what waits.
local function pause()
  local _, how = os.execute("sleep 0.2")
  if how == "signal" then error("interrupted!", 0) end
end

-- What stands where a connection was, until there is a new one.
local CLOSED = { close = function() end, execute = function() return nil, "no connection to the server" end }

local function reconnect(self)
  pcall(self.connection.close, self.connection)
  self.connection = CLOSED
  local start, connection, message = core.terminal.now(), connect(self)
  while not connection do
    if core.terminal.now() - start > RECONNECTION_s or not self.dialect.may_come_back(message) then
      error(explained(self, "the connection was lost, and there is no new one: " .. message), 0)
    end
    pause()
    connection, message = connect(self)
  end
  self.connection = connection
  log.warning(("The connection to %s was lost; there is a new one."):format(Database.without_password(self.url)))
end

-- Asks again while another process holds the lock, and where the connection was lost.
local function patiently(self, ask, sql)
  local start, losses = nil, 0
  while true do
    local result, message = ask(self.connection, sql)
    if result then return result end
    local is_lost = self.dialect.is_lost(message) and not self.in_transaction
    if not (is_lost and losses < REPETITIONS or self.dialect.is_busy(message)) then
      error(explained(self, message), 0)
    end
    if is_lost then
      losses = losses + 1
      reconnect(self)
    end
    start = start or core.terminal.now()
    if core.terminal.now() - start > PATIENCE_s then
      error(explained(self, ("another program has held its lock for %d seconds"):format(PATIENCE_s)), 0)
    end
  end
end

local function read_all(self, sql) return patiently(self, query, sql) end

-- Positions belong to the user's line: within a transaction the outermost call adds them.
local function guarded(self, f, sql)
  if self.in_transaction then return f(self, sql) end
  return shield(f, self, sql)
end

--- The rows of a query: lists of what LuaSQL makes of the columns (PostgreSQL: strings).
---@param sql string
---@return table[]
function Database:rows(sql) return guarded(self, read_all, sql) end

local function change(self, sql)
  local result = patiently(self, execute, sql)
  return type(result) == "number" and math.tointeger(result) or 0
end

--- Runs a statement; the number of rows it changed.
---@param sql string
---@return integer
function Database:change(sql) return guarded(self, change, sql) end

--- Runs an INSERT of one row; its id, the column of this name, or nil if there was a conflict.
---@param sql string
---@param id string
---@return integer?
function Database:insert(sql, id) return self.dialect.insert(self, sql, id) end

-- -- transactions --

-- Whether the transaction of this id was done, though its COMMIT got no answer.
local function was_committed(self, id)
  local state = self.dialect.state_of(self, id)
  while state == "in progress" do       -- the server has not seen yet that nobody is there
    pause()
    state = self.dialect.state_of(self, id)
  end
  return state == "committed"
end

-- Whether it was done; the result, or what is wrong.
local function attempt(self, body)
  local first = read_all(self, self.dialect.begin)[1]
  self.in_transaction = true
  local fine, result = pcall(body)
  local committed, message = false, result
  if fine then committed, message = pcall(change, self, "COMMIT") end
  if not committed then self.connection:execute("ROLLBACK") end
  self.in_transaction = false
  if fine and not committed and self.dialect.is_lost(message) then committed = was_committed(self, first[1]) end
  if committed then return true, result end
  return false, message
end

local function run(self, body)
  for _ = 1, REPETITIONS do
    local fine, result = attempt(self, body)
    if fine then return result end
    local message = tostring(result)
    if not self.dialect.must_repeat(message) and not self.dialect.is_lost(message) then error(result, 0) end
  end
  error(explained(self, "other transactions came in between again and again"), 0)
end

--- Runs body() in one transaction and returns its result.  An error rolls back; so the body, which may run again,
--- leaves Lua's tables alone.  Ctrl-C waits for the end.
---@param body fun(): any
function Database:transaction(body)
  if self.in_transaction then return body() end
  return shield(run, self, body)
end

--- Connects; raises what is wrong.  Nothing is created if must_exist.
---@param url string
---@param must_exist? boolean
function Database.open(url, must_exist)
  local dialect = dialect_of(url)
  local self = setmetatable({ url = url, dialect = dialect, in_transaction = false }, Database)
  local environment = environment_of(dialect)
  if must_exist and not dialect.exists(url) then
    core.raise(("study: there is no %s"):format(Database.without_password(url)))
  end
  local connection, message = dialect.connect(environment, url)
  if not connection then core.raise(explained(self, message)) end
  self.environment, self.connection = environment, connection
  for _, setting in ipairs(dialect.settings()) do self:rows(setting) end
  return self
end

function Database:close()
  self.connection:close()
  self.environment:close()
end

return Database
