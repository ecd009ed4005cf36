--- The samples in the operations' descriptions (csrc/kernels/op.h has the language) and the numbers they stand for.
--
-- The numbers come from a generator of this file's own, which spec/reference/draws.py repeats bit for bit, so that
-- reference files hold results only.  Every float is a multiple of 2^-16: the same number in float32 and float64.
local M = {}

local PLAIN = { bool = "bool", uint8 = "uint8", int64 = "int64" }

local function sizes_of(text)
  local sizes = {}
  for size in text:gmatch("[^,]+") do sizes[#sizes + 1] = math.tointeger(tonumber(size)) end
  return sizes
end

--- "normal(2,3):t" -> { domain = "normal", sizes = { 2, 3 }, order = "t" }; a number is { number = 2.5 }.
local function parse_tensor(text)
  local number = tonumber(text)
  if number then return { number = number } end
  local domain, sizes, order = text:match("^([%w<>]+)%(([%d,]*)%):?(%a*)$")
  if not domain then error("sample: not a tensor: " .. text) end
  local bound = domain:match("^index<(%d+)>$")
  return {
    domain = bound and "index" or domain,
    bound = math.tointeger(tonumber(bound)),
    sizes = sizes_of(sizes),
    order = order ~= "" and order or nil,
    dtype = bound and "int64" or PLAIN[domain],   -- nil: the float dtype of the test
  }
end

local function parse_number(text)
  if text == "inf" then return math.huge elseif text == "-inf" then return -math.huge end
  return tonumber(text) or error("sample: not a number: " .. text)
end

local function parse_list(text)
  local list = {}
  for item in text:gmatch("[^,]+") do list[#list + 1] = parse_number(item) end
  return list
end

local function one_or_list(text)
  local list = parse_list(text)
  return #list == 1 and list[1] or list
end

local readers = {
  tensor = parse_tensor,
  ["tensor?"] = parse_tensor,
  tensors = function(text)
    local list = {}
    for item in text:gmatch("[^;]+") do list[#list + 1] = parse_tensor(item) end
    return list
  end,
  number = parse_number,
  integer = parse_number,
  flag = function(text) return text == "true" end,
  dim = parse_number,
  dims = one_or_list,
  sizes = parse_list,
  pair = one_or_list,
  choice = function(text) return text end,
  dtype = function(text) return text end,
}

--- Reads one sample of `operation` (an entry of core.registry()).
-- Returns { text, bench, given = { parameter name -> value }, tensors = { { name, item, spec, constant } ... } }, where
-- tensors lists the tensor operands in the order of the parameters, `item` being the place in a tensor list.
function M.parse(operation, text)
  local kinds, sample = {}, { text = text, bench = false, given = {}, tensors = {} }
  for _, parameter in ipairs(operation.parameters) do kinds[parameter.name] = parameter.kind end
  local body = text
  if body:find("^bench%s") then sample.bench, body = true, body:gsub("^bench%s+", "") end
  for word in body:gmatch("%S+") do
    local name, value = word:match("^([%w_]+)=(.*)$")
    local reader = name and readers[kinds[name]]
    if not reader then error(("%s: sample %q: %s is no parameter"):format(operation.name, text, word)) end
    sample.given[name] = reader(value)
  end
  for _, parameter in ipairs(operation.parameters) do
    local value = sample.given[parameter.name]
    if value and parameter.kind == "tensors" then
      for i, spec in ipairs(value) do
        sample.tensors[#sample.tensors + 1] = { name = parameter.name, item = i, spec = spec, constant = parameter.constant }
      end
    elseif value and (parameter.kind == "tensor" or parameter.kind == "tensor?") and not value.number then
      sample.tensors[#sample.tensors + 1] = { name = parameter.name, spec = value, constant = parameter.constant }
    end
  end
  return sample
end

--- What names an operand in the references and in failure messages: "weight", or "tensors[2]".
function M.label(operand)
  return operand.item and ("%s[%d]"):format(operand.name, operand.item) or operand.name
end

function M.numel(sizes)
  local n = 1
  for _, size in ipairs(sizes) do n = n * size end
  return n
end

--- A stream of integers: splitmix64 (Steele, Lea and Flood, OOPSLA 2014), seeded with the FNV-1a hash of `key`.
-- Returns draw(n), which gives an integer in 0 .. n - 1.
function M.stream(key)
  local state = 0xcbf29ce484222325
  for i = 1, #key do state = (state ~ key:byte(i)) * 0x100000001b3 end
  return function(n)
    state = state + 0x9e3779b97f4a7c15
    local z = (state ~ (state >> 30)) * 0xbf58476d1ce4e5b9
    z = (z ~ (z >> 27)) * 0x94d049bb133111eb
    return ((z ~ (z >> 31)) >> 33) % n
  end
end

local function one_by_one(draw_value)
  return function(draw, n, spec)
    local values = {}
    for i = 1, n do values[i] = draw_value(draw, spec) end
    return values
  end
end

-- Normal-like: four uniform draws added.  The odd 2^-14 keeps values off the kinks at 0, 1/2, 1 ...
local function normal(draw)
  local sum = draw(4096) + draw(4096) + draw(4096) + draw(4096)
  return (sum - 8190) / 2048 + 1 / 16384
end

local function distinct(draw, n)
  local step, values = 1.0, {}
  while step * n > 6 do step = step / 2 end
  for i = 1, n do values[i] = (i - 1 - n // 2) * step + step / 4 end
  for i = n, 2, -1 do
    local j = draw(i) + 1
    values[i], values[j] = values[j], values[i]
  end
  return values
end

-- A A' + k I for every k x k matrix of the batch; A in steps of 1/8.
local function symmetric_positive_definite(draw, n, spec)
  local k = spec.sizes[#spec.sizes]
  local values = {}
  for _ = 1, n // (k * k) do
    local a = {}
    for i = 1, k * k do a[i] = (draw(17) - 8) / 8 end
    for i = 1, k do
      for j = 1, k do
        local sum = i == j and k / 1 or 0.0
        for m = 1, k do sum = sum + a[(i - 1) * k + m] * a[(j - 1) * k + m] end
        values[#values + 1] = sum
      end
    end
  end
  return values
end

local domains = {
  normal = one_by_one(normal),
  positive = one_by_one(function(draw) return (32768 + draw(98305)) / 65536 end),
  unit = one_by_one(function(draw) return (3277 + draw(58983)) / 65536 end),
  small = one_by_one(function(draw) return (draw(117965) - 58982) / 65536 end),
  bool = one_by_one(function(draw) return draw(2) == 1 end),
  index = one_by_one(function(draw, spec) return draw(spec.bound) + 1 end),
  uint8 = one_by_one(function(draw) return draw(256) end),
  int64 = one_by_one(function(draw) local v = draw(18) - 9; return v < 0 and v or v + 1 end),
  distinct = distinct,
  spd = symmetric_positive_definite,
}

--- The numbers of a tensor, flat, in row order.  `key` is any text; equal keys give equal numbers.
function M.values(spec, key)
  local make = domains[spec.domain] or error("sample: unknown domain " .. tostring(spec.domain))
  return make(M.stream(key), M.numel(spec.sizes), spec)
end

--- The key of an operand of a sample, and of the gradient given to its k-th output.
function M.key(operation, sample, label)
  return operation.name .. "|" .. sample.text .. "|" .. label
end

return M
