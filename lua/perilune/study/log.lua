-- log.lua -- Optuna's log lines, on stderr.
--
-- A library prints nothing unless it is asked: the default shows warnings only (a trial that failed and was caught, a
-- worker that died); perilune.study.set_verbosity("info") shows every trial.
local core = require "perilune.core"
local options = require "perilune.options"

local log = {}

local LEVELS = { off = 0, warning = 1, info = 2 }
local LETTERS = { warning = "W", info = "I" }
local level = LEVELS.warning
local function to_stderr(line) io.stderr:write(line, "\n") end
local sink = to_stderr

--- Which log lines of studies go to stderr: "info" (every trial, as Optuna does), "warning" (the default) or "off".
---@param name string
function log.set_verbosity(name)
  level = LEVELS[options.choice("study.set_verbosity", "verbosity", name, { "off", "warning", "info" })]
end

--- The name of the level that is set.
---@return string
function log.get_verbosity()
  for name, number in pairs(LEVELS) do
    if number == level then return name end
  end
end

-- Where the lines go instead of stderr: a worker of n_jobs hands them to the process that started it.
function log.set_sink(f) sink = f end

-- [I 2026-11-23 08:01:26,516] text
local function write(kind, text)
  if level < LEVELS[kind] then return end
  local time = core.terminal.time()
  sink(("[%s %s,%03d] %s"):format(LETTERS[kind], os.date("%Y-%m-%d %H:%M:%S", math.floor(time)),
    math.floor(time % 1 * 1000), text))
end

function log.info(text) write("info", text) end

function log.warning(text) write("warning", text) end

-- As Python writes it.
local function python(value)
  if value == true then return "True" elseif value == false then return "False" end
  if type(value) == "string" then return "'" .. value:gsub("['\\]", "\\%0") .. "'" end
  if type(value) ~= "number" then return tostring(value) == "null" and "None" or tostring(value) end
  if math.type(value) == "integer" then return tostring(value) end
  local text = ("%.15g"):format(value)
  if tonumber(text) ~= value then text = ("%.17g"):format(value) end
  return text:find("[.en]") and text or text .. ".0"
end

local function dictionary(params, order)
  local names, parts = order, {}
  if not names then
    names = {}
    for name in pairs(params) do names[#names + 1] = name end
    table.sort(names)
  end
  for i, name in ipairs(names) do parts[i] = python(name) .. ": " .. python(params[name]) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

-- Says how a trial ended.  order: the names of its parameters as they were asked for, or nil.
function log.trial(study, record, order, failure)
  local params = dictionary(record.params, order)
  if record.state == "PRUNED" then
    log.info(("Trial %d pruned."):format(record.number))
  elseif record.state == "FAIL" then
    log.warning(("Trial %d failed with parameters: %s because of the following error: %s."):format(record.number,
      params, failure or "it was told to fail"))
  elseif #study.directions > 1 then
    local values = {}
    for i, value in ipairs(record.values) do values[i] = python(value) end
    log.info(("Trial %d finished with values: [%s] and parameters: %s."):format(record.number,
      table.concat(values, ", "), params))
  elseif level >= LEVELS.info then
    local best = study.best_trial
    log.info(("Trial %d finished with value: %s and parameters: %s. Best is trial %d with value: %s."):format(
      record.number, python(record.value), params, best.number, python(best.value)))
  end
end

return log
