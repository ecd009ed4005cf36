-- options.lua -- checks the trailing options table of a call.
--
-- Options travel in one table: nn.Conv2d(1, 8, 3, { stride = 2 }).  A reader is made once per function from the
-- list of what it knows, { name, default, kind }, and then turns what the user gave into a full table:
--
--   local read = options.reader("Conv2d", { { "stride", 1, "pair" }, { "bias", true } })
--   local given = read { stride = 2 }        -- { stride = 2, bias = true }
--
-- kind is "number", "integer", "boolean", "string", "function", "table", "tensor", "pair" (3 or { 3, 5 }) or "any";
-- without one it is the type of the default.  An option without a default (nil) may stay away.
local core = require "perilune.core"

local options = {}

-- reader -> { what, known }, for those that want to tell of an object's options.
local of_reader = setmetatable({}, { __mode = "k" })

local MOST_LETTERS <const> = 60

-- A value as messages show it; of bounded length.
local function described(value)
  local kind = math.type(value) or type(value)
  if value ~= value then return "nan" end -- its sign, which tostring shows, depends on the machine
  if kind == "string" then
    return string.format("%q", #value > MOST_LETTERS and value:sub(1, MOST_LETTERS) .. "..." or value)
  end
  if kind == "integer" or kind == "float" or kind == "boolean" or kind == "nil" then return tostring(value) end
  if core.is_tensor(value) then return ("a tensor %s %s"):format(value.shape, value.dtype) end
  return "a " .. kind
end

local function copied(value)
  return type(value) == "table" and table.move(value, 1, #value, 1, {}) or value
end

local function is_pair(value)
  if math.type(value) == "integer" then return true end
  return type(value) == "table" and #value == 2 and math.type(value[1]) == "integer"
    and math.type(value[2]) == "integer"
end

local accepts = {
  any = function() return true end,
  integer = function(value) return math.type(value) == "integer" end,
  pair = is_pair,
  tensor = function(value) return core.is_tensor(value) end,
}

local wanted = {
  integer = "an integer", number = "a number", boolean = "true or false", string = "a string",
  table = "a table", tensor = "a tensor", pair = "an integer or a pair of integers",
  ["function"] = "a function",
}

--- A function that checks a table of options and fills in the defaults.
---@param what string  the name of the called function, for messages
---@param known table  a list of { name, default, kind }
---@return fun(given: table|nil): table
function options.reader(what, known)
  local names, kinds = {}, {}
  for i, entry in ipairs(known) do
    names[i] = entry[1]
    kinds[entry[1]] = entry[3] or type(entry[2])
  end
  local function check(name, value)
    local kind = kinds[name]
    if not kind then
      core.raise(string.format("%s: unknown option '%s'; known: %s", what, tostring(name),
        table.concat(names, ", ")))
    end
    local accept = accepts[kind]
    local fits
    if accept then fits = accept(value) else fits = type(value) == kind end
    if not fits then
      core.raise(string.format("%s: option %s must be %s, got %s", what, name, wanted[kind], described(value)))
    end
  end
  local function read(given)
    local result = {}
    if given ~= nil then
      if type(given) ~= "table" then
        core.raise(string.format("%s: options go into a table such as { %s = ... }, got %s", what, names[1] or "",
          described(given)))
      end
      for name, value in pairs(given) do
        check(name, value)
        result[name] = value
      end
    end
    for _, entry in ipairs(known) do
      if result[entry[1]] == nil then result[entry[1]] = copied(entry[2]) end
    end
    return result
  end
  of_reader[read] = { what, known }
  return read
end

--- What a reader was made of.
---@param read function
---@return string what
---@return table known
function options.of(read) return table.unpack(of_reader[read]) end

--- value, if it is an integer of at least low; raises otherwise.
---@param what string
---@param name string
---@param value any
---@param low? integer  default 1
---@return integer
function options.integer(what, name, value, low)
  low = low or 1
  if math.type(value) ~= "integer" or value < low then
    core.raise(string.format("%s: %s must be an integer of at least %d, got %s", what, name, low, described(value)))
  end
  return value
end

--- 3 or { 3, 5 } as a table of two; raises if a part is not an integer of at least low.
---@param what string
---@param name string
---@param value any
---@param low? integer  default 0
---@return integer[]
function options.pair(what, name, value, low)
  low = low or 0
  if not is_pair(value) then
    core.raise(string.format("%s: %s must be an integer or a pair of integers, got %s", what, name, described(value)))
  end
  local pair = type(value) == "table" and { value[1], value[2] } or { value, value }
  for i = 1, 2 do
    if pair[i] < low then
      core.raise(string.format("%s: %s must be at least %d, got %d", what, name, low, pair[i]))
    end
  end
  return pair
end

--- value, if it is a string; raises otherwise.
---@param what string
---@param name string
---@param value any
---@return string
function options.string(what, name, value)
  if type(value) ~= "string" then
    core.raise(string.format("%s: %s must be a string, got %s", what, name, described(value)))
  end
  return value
end

--- value, if it is one of the choices; raises otherwise.
---@param what string
---@param name string
---@param value any
---@param choices string[]
---@return string
function options.choice(what, name, value, choices)
  for _, choice in ipairs(choices) do
    if value == choice then return value end
  end
  return core.raise(string.format("%s: %s must be one of %s, got %s", what, name, table.concat(choices, ", "),
    described(value)))
end

--- value, if it is a number with low <= value (and value <= high); raises otherwise, also for NaN.
---@param what string
---@param name string
---@param value any
---@param low number
---@param high? number
---@return number
function options.number(what, name, value, low, high)
  high = high or math.huge
  if type(value) ~= "number" or not (value >= low and value <= high) then
    core.raise(string.format("%s: %s must be a number in [%g, %g], got %s", what, name, low, high, described(value)))
  end
  return value
end

options.described = described

return options
