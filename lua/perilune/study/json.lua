-- json.lua -- the JSON that lies in a study's database.
--
-- lua-cjson and dkjson write 14 digits and lua-cjson reads every number as a float; here 17 digits go out, 1 and 1.0
-- stay apart as they do in Lua and Python, and Python's NaN and Infinity are understood.
local json = {}

--- JSON's null, where a table must hold one (a nil would leave a hole): perilune.study.null.
json.null = setmetatable({ help = "JSON's null, Python's None: as a choice of a parameter, or within an attribute" }, {
  __tostring = function() return "null" end, __name = "null" })

-- -- writing --

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r",
  ["\t"] = "\\t" }

local function quoted(text)
  if not utf8.len(text) then error("a string is not valid UTF-8", 0) end
  return '"' .. text:gsub('[%c"\\\127]', function(c) return ESCAPES[c] or ("\\u%04x"):format(c:byte()) end) .. '"'
end

local function float(x)
  if x ~= x then return "NaN" end
  if x == math.huge then return "Infinity" elseif x == -math.huge then return "-Infinity" end
  local text = ("%.15g"):format(x)
  if tonumber(text) ~= x then text = ("%.17g"):format(x) end
  return text:find("[.e]") and text or text .. ".0"
end

local write

-- Keys 1..n make a list; an empty table is an object, as Optuna's attributes mostly are.
local function is_list(value)
  local n = 0
  for key in pairs(value) do
    if math.type(key) ~= "integer" or key < 1 then return false end
    n = n + 1
  end
  return n > 0 and n == #value
end

local function write_table(value, open)
  if open[value] then error("a table contains itself", 0) end
  open[value] = true
  local parts, is_array = {}, is_list(value)
  if is_array then
    for i, item in ipairs(value) do parts[i] = write(item, open) end
  else
    local keys = {}
    for key in pairs(value) do
      if type(key) ~= "string" then error("a table must be a list or have strings as keys", 0) end
      keys[#keys + 1] = key
    end
    table.sort(keys)
    for i, key in ipairs(keys) do parts[i] = quoted(key) .. ": " .. write(value[key], open) end
  end
  open[value] = nil
  local text = table.concat(parts, ", ")
  return is_array and "[" .. text .. "]" or "{" .. text .. "}"
end

function write(value, open)
  local kind = math.type(value) or type(value)
  if value == nil or value == json.null then return "null" end
  if kind == "boolean" then return tostring(value) end
  if kind == "integer" then return ("%d"):format(value) end
  if kind == "float" then return float(value) end
  if kind == "string" then return quoted(value) end
  if kind == "table" then return write_table(value, open) end
  error("JSON has no " .. kind, 0)
end

--- The JSON text of a value; raises what is wrong with it (no position).
---@param value any
---@return string
function json.encode(value) return write(value, {}) end

-- -- reading --

local CONSTANTS = { ["null"] = json.null, ["true"] = true, ["false"] = false, NaN = 0 / 0, Infinity = math.huge }
local UNESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function fail(text, at) error(("no JSON at byte %d: %s"):format(at, text:sub(at, at + 20)), 0) end

local function skip(text, at) return text:find("[^ \t\r\n]", at) or #text + 1 end

-- The code point of the \uXXXX at `at`, and where it ends: \ud83d\ude00 are the two halves of one character.
local function code_point(body, at)
  local first = tonumber(body:match("^%x%x%x%x", at + 2) or "FFFD", 16)
  local second = tonumber(body:match("^\\u(%x%x%x%x)", at + 6) or "0", 16)
  if first < 0xD800 or first > 0xDFFF then return first, at + 6 end
  if second < 0xDC00 or second > 0xDFFF then return 0xFFFD, at + 6 end
  return 0x10000 + ((first - 0xD800) << 10) + second - 0xDC00, at + 12
end

local function unescaped(body)
  local parts, at = {}, 1
  while true do
    local stop = body:find("\\", at, true)
    parts[#parts + 1] = body:sub(at, (stop or 0) - 1)
    if not stop then return table.concat(parts) end
    local c, code = body:sub(stop + 1, stop + 1), nil
    if c == "u" then code, at = code_point(body, stop) else at = stop + 2 end
    parts[#parts + 1] = code and utf8.char(code) or UNESCAPES[c] or c
  end
end

local function read_string(text, at)
  local stop = at
  repeat
    stop = text:find('["\\]', stop + 1) or fail(text, at)
    local is_escape = text:byte(stop) == 92
    if is_escape then stop = stop + 1 end
  until not is_escape
  return unescaped(text:sub(at + 1, stop - 1)), stop + 1
end

local read

local function read_list(text, at)
  local list = {}
  at = skip(text, at + 1)
  if text:sub(at, at) == "]" then return list, at + 1 end
  while true do
    list[#list + 1], at = read(text, at)
    at = skip(text, at)
    local c = text:sub(at, at)
    if c == "]" then return list, at + 1 end
    if c ~= "," then fail(text, at) end
    at = at + 1
  end
end

local function read_object(text, at)
  local object = {}
  at = skip(text, at + 1)
  if text:sub(at, at) == "}" then return object, at + 1 end
  while true do
    at = skip(text, at)
    if text:sub(at, at) ~= '"' then fail(text, at) end
    local key
    key, at = read_string(text, at)
    at = skip(text, at)
    if text:sub(at, at) ~= ":" then fail(text, at) end
    object[key], at = read(text, at + 1)
    at = skip(text, at)
    local c = text:sub(at, at)
    if c == "}" then return object, at + 1 end
    if c ~= "," then fail(text, at) end
    at = at + 1
  end
end

function read(text, at)
  at = skip(text, at)
  local c = text:sub(at, at)
  if c == '"' then return read_string(text, at) end
  if c == "[" then return read_list(text, at) end
  if c == "{" then return read_object(text, at) end
  local word = text:match("^%a+", at)
  if word and CONSTANTS[word] ~= nil then return CONSTANTS[word], at + #word end
  if text:find("^-Infinity", at) then return -math.huge, at + 9 end
  local digits = text:match("^-?%d[%d.eE+-]*", at)
  local number = digits and tonumber(digits)
  if not number then fail(text, at) end
  return number, at + #digits
end

--- The value of a JSON text; null is json.null.  Raises what is wrong (no position).
---@param text string
---@return any
function json.decode(text)
  local value, at = read(text, 1)
  if skip(text, at) <= #text then fail(text, at) end
  return value
end

return json
