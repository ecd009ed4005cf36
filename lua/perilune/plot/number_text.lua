-- number_text.lua -- numbers as labels show them: as few digits as tell them apart, powers of ten raised.
local number_text = {}

local RAISED = { ["-"] = "⁻", ["0"] = "⁰", ["1"] = "¹", ["2"] = "²", ["3"] = "³", ["4"] = "⁴", ["5"] = "⁵", ["6"] = "⁶",
  ["7"] = "⁷", ["8"] = "⁸", ["9"] = "⁹" }

local function with_minus(s) return (s:gsub("^%-", "−")) end

local function raised(exponent) return (tostring(exponent):gsub(".", RAISED)) end

-- 12345.5 -> 12,345.5
local function grouped(s)
  local sign, whole, rest = s:match("^(%-?)(%d+)(.*)$")
  if not whole or #whole < 5 then return s end
  return sign .. whole:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", "") .. rest
end

-- How many decimals all values need, when they are told apart by a precision.
local function decimals_of(values, precision)
  for decimals = 0, 12 do
    local exact = true
    for _, value in ipairs(values) do
      local scaled = value * 10.0 ^ decimals
      if math.abs(scaled - math.floor(scaled + 0.5)) > precision * 10.0 ^ decimals then exact = false end
    end
    if exact then return decimals end
  end
  return 12
end

local function plain(value, decimals) return with_minus(grouped(("%." .. decimals .. "f"):format(value))) end

local function exponent_of(value)
  return value == 0 and 0 or math.floor(math.log(math.abs(value), 10) + 1e-9)
end

local function scientific(value, decimals, exponent)
  if value == 0 then return "0" end
  local mantissa = ("%." .. decimals .. "f"):format(value / 10.0 ^ exponent)
  if mantissa == "1" then return "10" .. raised(exponent) end
  if mantissa == "-1" then return "−10" .. raised(exponent) end
  return with_minus(mantissa) .. "×10" .. raised(exponent)
end

local function plain_list(values, step)
  local decimals, texts = decimals_of(values, step * 1e-4), {}
  for i, value in ipairs(values) do texts[i] = plain(value, decimals) end
  return texts
end

local LONG_MANTISSA <const>, LONGEST_PLAIN <const> = 3, 1e12

--- One text for each of a list of values, which are at least `step` apart; all with as many decimals.  Large and small
--- values have a power of ten, unless the digits that tell them apart are so many that the plain number is shorter.
---@param values number[]
---@param step number
---@return string[]
function number_text.of_list(values, step)
  local largest = 0
  for _, value in ipairs(values) do largest = math.max(largest, math.abs(value)) end
  if largest == 0 or (largest < 1e6 and largest >= 1e-3) then return plain_list(values, step) end
  local texts = {}
  local exponent = exponent_of(largest)
  local mantissas = {}
  for i, value in ipairs(values) do mantissas[i] = value / 10.0 ^ exponent end
  local decimals = decimals_of(mantissas, step / 10.0 ^ exponent * 1e-4)
  if decimals > LONG_MANTISSA and largest > 1 and largest < LONGEST_PLAIN then return plain_list(values, step) end
  for i, value in ipairs(values) do texts[i] = scientific(value, decimals, exponent) end
  return texts
end

--- The text of each place of a logarithmic axis.
---@param values number[]
---@return string[]
function number_text.of_powers(values)
  local low, high = math.huge, 0
  for _, value in ipairs(values) do low, high = math.min(low, value), math.max(high, value) end
  local texts, as_plain = {}, low > 0.9e-3 and high < 1.1e5
  for i, value in ipairs(values) do
    local exponent = exponent_of(value)
    if as_plain then texts[i] = plain(value, decimals_of({ value }, value * 1e-4))
    else texts[i] = scientific(value, decimals_of({ value / 10.0 ^ exponent }, 1e-4), exponent) end
  end
  return texts
end

--- A single number with about that many digits that matter (default 3).
---@param value number
---@param digits? integer
---@return string
function number_text.short(value, digits)
  if value ~= value then return "nan" end
  if value == math.huge then return "∞" elseif value == -math.huge then return "−∞" end
  digits = digits or 3
  local exponent = exponent_of(value)
  if exponent >= 6 or exponent < -3 then
    local decimals = decimals_of({ tonumber(("%." .. digits - 1 .. "f"):format(value / 10.0 ^ exponent)) }, 1e-9)
    return scientific(value, decimals, exponent)
  end
  local decimals = math.max(0, digits - 1 - exponent)
  local rounded = tonumber(("%." .. decimals .. "f"):format(value))
  return plain(rounded, decimals_of({ rounded }, 1e-9))
end

return number_text
