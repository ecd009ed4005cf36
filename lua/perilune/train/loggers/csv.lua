-- csv.lua -- perilune.loggers.CSVLogger: LOG_DIR/metrics.csv, one row for each step at which something was logged.
--
-- The first columns are step and epoch, the others come as the names do; a new one rewrites the file, beside the
-- old one and then renamed.  Every row is in the file as soon as it is logged.
local core = require "perilune.core"
local folders = require "perilune.train.folders"
local Logger = require "perilune.train.loggers.logger"
local options = require "perilune.options"

---@class perilune.loggers.CSVLogger
---@field log_dir string
local CSVLogger = Logger:extend("CSVLogger")

local read = options.reader("CSVLogger", { { "name", "lightning_logs" }, { "version", nil, "any" } })

--- Writes what is logged to SAVE_DIR/NAME/VERSION/metrics.csv.
---
--- Options: name = "lightning_logs" ("": none), version: default the first free version_N; an integer or a name ("":
--- none).  With the version of a run that goes on from a checkpoint, its rows after the checkpoint are replaced.
---@param save_dir string
---@param given? table
function CSVLogger:init(save_dir, given)
  options.string("CSVLogger", "the folder", save_dir)
  local chosen = read(given)
  self:place(save_dir, chosen.name, chosen.version)
  self.path = self.log_dir .. "/metrics.csv"
  self.columns, self.rows = { "step", "epoch" }, {}
end

local function cell(value)
  if value == nil then return "" end
  if math.type(value) == "integer" then return tostring(value) end
  return ("%.9g"):format(value)
end

local function line_of(self, row)
  local cells = {}
  for i, name in ipairs(self.columns) do cells[i] = cell(row[name]) end
  return table.concat(cells, ",") .. "\n"
end

local function check(ok, message)
  if not ok then core.raise("CSVLogger: " .. tostring(message)) end
  return ok
end

local function rewrite(self)
  if self.file then self.file:close() end
  folders.make(self.log_dir)
  local beside = self.path .. ".tmp"
  local file = check(io.open(beside, "w"))
  file:write(table.concat(self.columns, ","), "\n")
  for _, row in ipairs(self.rows) do file:write(line_of(self, row)) end
  check(file:close())
  check(os.rename(beside, self.path))
  self.file = check(io.open(self.path, "a"))
end

-- Adds the columns that are new; returns whether there were some.
local function extend_columns(self, row)
  local known, added = {}, {}
  for _, name in ipairs(self.columns) do known[name] = true end
  for name in pairs(row) do
    if not known[name] then added[#added + 1] = name end
  end
  table.sort(added)
  for _, name in ipairs(added) do self.columns[#self.columns + 1] = name end
  return #added > 0
end

--- Adds a row.
---@param values table<string, number>
---@param step integer
function CSVLogger:log_metrics(values, step)
  local row = { step = step }
  for name, value in pairs(values) do row[name] = value end
  self.rows[#self.rows + 1] = row
  local grown = extend_columns(self, row)
  if grown or not self.file then return rewrite(self) end
  check(self.file:write(line_of(self, row)))
  check(self.file:flush())
end

local function split(line)
  local cells = {}
  for text in (line .. ","):gmatch("([^,]*),") do cells[#cells + 1] = text end
  return cells
end

--- How many rows there are.
---@return { rows: integer }
function CSVLogger:state_dict() return { rows = #self.rows } end

--- Takes over the rows that an earlier process had written when it saved; the others will come again.
---@param _ integer
---@param state { rows: integer }
function CSVLogger:resume(_, state)
  local file = #self.rows == 0 and io.open(self.path)
  if file then
    self.columns = split(file:read("l") or "step,epoch")
    for line in file:lines() do
      local row = {}
      for i, text in ipairs(split(line)) do row[self.columns[i] or i] = math.tointeger(text) or tonumber(text) end
      if row.step then self.rows[#self.rows + 1] = row end
    end
    file:close()
  end
  for i = #self.rows, (state.rows or 0) + 1, -1 do self.rows[i] = nil end
  if #self.rows > 0 then rewrite(self) end
end

function CSVLogger:finalize()
  if self.file then self.file:close() end
  self.file = nil
end

return CSVLogger
