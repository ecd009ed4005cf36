-- table.lua -- the trials of a study as rows: what Optuna calls its data frame.
local core = require "perilune.core"
local json = require "perilune.study.json"

local tables = {}

local function sorted_keys(records, field)
  local seen, names = {}, {}
  for _, record in ipairs(records) do
    for name in pairs(record[field]) do
      if not seen[name] then names[#names + 1], seen[name] = name, true end
    end
  end
  table.sort(names)
  return names
end

-- value, or values_0, values_1 ..., or values_<metric name>.
local function value_columns(study)
  local metrics, names = study.metric_names, {}
  if #study.directions == 1 and not metrics then return { "value" } end
  for i in ipairs(study.directions) do
    names[i] = (#study.directions == 1 and "value_" or "values_") .. (metrics and metrics[i] or i - 1)
  end
  return names
end

local function seconds_of(moment)
  local year, month, day, hour, minute, second, fraction = moment:match("(%d+)-(%d+)-(%d+) (%d+):(%d+):(%d+)(%.%d+)")
  return os.time { year = year, month = month, day = day, hour = hour, min = minute, sec = second, isdst = false }
    + tonumber(fraction)
end

local function duration(record)
  if not (record.datetime_start and record.datetime_complete) then return nil end
  return seconds_of(record.datetime_complete) - seconds_of(record.datetime_start)
end

local GROUPS = { { "params", "params_" }, { "user_attrs", "user_attrs_" } }

--- The trials as rows: a list of { number =, value = (or values_0, ...), datetime_start =, datetime_complete =,
--- duration = seconds, params_<name> =, user_attrs_<name> =, state = }, with the names in order in .columns.
---@return table
function tables:table()
  local records, rows = self.trials, {}
  local values = value_columns(self)
  local columns = table.move(values, 1, #values, 2, { "number" })
  for _, name in ipairs { "datetime_start", "datetime_complete", "duration" } do columns[#columns + 1] = name end
  local groups = {}
  for _, group in ipairs(GROUPS) do
    groups[group[1]] = sorted_keys(records, group[1])
    for _, name in ipairs(groups[group[1]]) do columns[#columns + 1] = group[2] .. name end
  end
  columns[#columns + 1] = "state"
  for i, record in ipairs(records) do
    local row = { number = record.number, state = record.state, datetime_start = record.datetime_start,
      datetime_complete = record.datetime_complete, duration = duration(record) }
    for k, name in ipairs(values) do row[name] = record.values and record.values[k] end
    for _, group in ipairs(GROUPS) do
      for _, name in ipairs(groups[group[1]]) do row[group[2] .. name] = record[group[1]][name] end
    end
    rows[i] = row
  end
  rows.columns = columns
  return rows
end

local function cell(value)
  if value == nil then return "" end
  local text = type(value) == "string" and value or json.encode(value)
  if text:find('[",\r\n]') then text = '"' .. text:gsub('"', '""') .. '"' end
  return text
end

local function line(cells) return table.concat(cells, ",") .. "\n" end

--- Writes the table as CSV (RFC 4180 but for the line ends).  Returns true, or nil and what was wrong.
---@param path string
function tables:csv(path)
  if type(path) ~= "string" then core.raise("Study:csv: path must be a string, got " .. type(path)) end
  local rows, headers = self:table(), {}
  for i, name in ipairs(rows.columns) do headers[i] = cell(name) end
  local lines = { line(headers) }
  for _, row in ipairs(rows) do
    local cells = {}
    for i, name in ipairs(rows.columns) do cells[i] = cell(row[name]) end
    lines[#lines + 1] = line(cells)
  end
  local beside = path .. ".tmp"
  local file, message = io.open(beside, "w")
  if not file then return nil, message end
  local written, failure = file:write(table.concat(lines))
  local closed, late = file:close()
  if not (written and closed) then
    os.remove(beside)
    return nil, failure or late
  end
  return os.rename(beside, path)
end

return tables
