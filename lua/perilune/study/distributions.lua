-- distributions.lua -- what a parameter may be, with Optuna's names and its internal representation: a float for
-- numbers, the 0-based index of the choice for categories.
local core = require "perilune.core"
local json = require "perilune.study.json"
local options = require "perilune.options"
local shown = require "perilune.shown"

local distributions = {}

local Numeric = {}
Numeric.__index = Numeric

local function is_finite(x) return type(x) == "number" and x - x == 0 end

local function check_range(what, low, high, log, step)
  if not (is_finite(low) and is_finite(high) and low <= high) then
    core.raise(("%s: low and high must be finite numbers, low <= high, got %s and %s"):format(what,
      options.described(low), options.described(high)))
  end
  if log and step then core.raise(what .. ": log and step do not go together; leave one of them away") end
  if log and low <= 0 then core.raise(("%s: with log, low must be positive, got %s"):format(what, low)) end
  if step and not (is_finite(step) and step > 0) then
    core.raise(("%s: step must be positive, got %s"):format(what, options.described(step)))
  end
end

-- The largest low + k * step that is not above high.
local function on_grid(low, high, step) return low + math.floor((high - low) / step + 1e-8) * step end

local read_float = options.reader("FloatDistribution", { { "log", false }, { "step", nil, "number" } })

--- A number in [low, high]; log: uniform in its logarithm; step: only low + k step (high is lowered to one of these).
---@param low number
---@param high number
---@param given? table  { log = false, step }
---@return table
function distributions.FloatDistribution(low, high, given)
  local chosen = read_float(given)
  check_range("FloatDistribution", low, high, chosen.log, chosen.step)
  if chosen.step then high = on_grid(low, high, chosen.step) end
  return setmetatable({ name = "FloatDistribution", low = low + 0.0, high = high + 0.0, log = chosen.log,
    step = chosen.step }, Numeric)
end

local read_int = options.reader("IntDistribution", { { "log", false }, { "step", 1, "integer" } })

--- An integer in [low, high]; log: uniform in its logarithm; step: only low + k step.
---@param low integer
---@param high integer
---@param given? table  { log = false, step = 1 }
---@return table
function distributions.IntDistribution(low, high, given)
  local chosen = read_int(given)
  check_range("IntDistribution", low, high, chosen.log, chosen.step ~= 1 and chosen.step or nil)
  local first, last = math.tointeger(low), math.tointeger(high)
  if not (first and last) then core.raise("IntDistribution: low and high must be integers") end
  last = first + (last - first) // chosen.step * chosen.step
  return setmetatable({ name = "IntDistribution", low = first, high = last, log = chosen.log, step = chosen.step },
    Numeric)
end

function Numeric:single() return self.low == self.high end

function Numeric:contains(internal)
  if not (is_finite(internal) and internal >= self.low and internal <= self.high) then return false end
  if not self.step then return true end
  local k = (internal - self.low) / self.step
  return math.abs(k - math.floor(k + 0.5)) < 1e-8
end

function Numeric:to_internal(value) return type(value) == "number" and value + 0.0 or nil end -- luacheck: ignore self

function Numeric:to_external(internal)
  return self.name == "IntDistribution" and math.tointeger(internal) or internal
end

-- One parameter keeps its class and its log flag across a study; the range may change.
function Numeric:agrees(other) return self.name == other.name and self.log == other.log end

-- Optuna's JSON of it.
function Numeric:encode()
  local is_int = self.name == "IntDistribution"
  local step = self.step and (is_int and self.step or self.step + 0.0) or json.null
  return json.encode { name = self.name,
    attributes = { low = self.low, high = self.high, log = self.log, step = step } }
end

function Numeric:__tostring()
  local parts = { shown.value(self.low), shown.value(self.high) }
  if self.log then parts[#parts + 1] = "log = true" end
  if self.step and self.step ~= (self.name == "IntDistribution" and 1 or nil) then
    parts[#parts + 1] = "step = " .. shown.value(self.step)
  end
  return ("%s(%s)"):format(self.name, table.concat(parts, ", "))
end

local Categorical = {}
Categorical.__index = Categorical

function Categorical:__tostring() return ("%s(%s)"):format(self.name, shown.value(self.choices)) end

--- One of a list of strings, numbers and booleans; perilune.study.null stands for Python's None.
---@param choices any[]
---@return table
function distributions.CategoricalDistribution(choices)
  if type(choices) ~= "table" or #choices == 0 then
    core.raise("CategoricalDistribution: choices must be a list that is not empty")
  end
  for i, choice in ipairs(choices) do
    local kind = type(choice)
    if kind ~= "string" and not is_finite(choice) and kind ~= "boolean" and choice ~= json.null then
      core.raise(("CategoricalDistribution: choice %d must be a string, a finite number or a boolean, got %s"):format(i,
        options.described(choice)))
    end
  end
  return setmetatable({ name = "CategoricalDistribution", choices = table.move(choices, 1, #choices, 1, {}) },
    Categorical)
end

function Categorical:single() return #self.choices == 1 end

function Categorical:contains(internal)
  return math.tointeger(internal) ~= nil and internal >= 0 and internal < #self.choices
end

function Categorical:to_internal(value)
  for i, choice in ipairs(self.choices) do
    if choice == value then return i - 1.0 end
  end
end

function Categorical:to_external(internal) return self.choices[math.tointeger(internal) + 1] end

function Categorical:agrees(other)
  if self.name ~= other.name or #self.choices ~= #other.choices then return false end
  for i, choice in ipairs(self.choices) do
    if choice ~= other.choices[i] then return false end
  end
  return true
end

function Categorical:encode()
  return json.encode { name = self.name, attributes = { choices = self.choices } }
end

--- Whether this is what one of these functions made.
---@param value any
---@return boolean
function distributions.is_distribution(value)
  local kind = type(value) == "table" and getmetatable(value)
  return kind == Numeric or kind == Categorical
end

local decoders = {
  FloatDistribution = function(given)
    local step = given.step ~= json.null and given.step or nil
    return distributions.FloatDistribution(given.low, given.high, { log = given.log, step = step })
  end,
  IntDistribution = function(given)
    return distributions.IntDistribution(given.low, given.high, { log = given.log, step = given.step })
  end,
  -- Python's choices may be lists and dictionaries; they are kept as tables.
  CategoricalDistribution = function(given)
    return setmetatable({ name = "CategoricalDistribution", choices = given.choices }, Categorical)
  end,
}

local decoded = setmetatable({}, { __mode = "v" }) -- most trials share their texts

-- The distribution of Optuna's JSON; do not edit it, it is shared.
function distributions.decode(text)
  local found = decoded[text]
  if found then return found end
  local given = json.decode(text)
  local decoder = decoders[given.name]
  if not decoder then core.raise("study: this study has an unknown distribution: " .. text) end
  found = decoder(given.attributes)
  decoded[text] = found
  return found
end

return distributions
