--- Reads spec/reference/*.safetensors in plain Lua, independent of what the specs test.
local cjson = require "cjson"

local M = {}

-- string.unpack formats of the dtypes that the reference scripts write.
local formats = { F32 = "<f", F64 = "<d", I64 = "<i8", U8 = "B", BOOL = "B" }

local function read_tensor(bytes, entry, base)
  local format = formats[entry.dtype] or error("reference: dtype " .. entry.dtype)
  local values, position, n = {}, base + entry.data_offsets[1], 1
  for _, size in ipairs(entry.shape) do n = n * size end
  for i = 1, n do
    values[i], position = string.unpack(format, bytes, position)
    if entry.dtype == "BOOL" then values[i] = values[i] ~= 0 end
  end
  local shape = {}
  for i, size in ipairs(entry.shape) do shape[i] = math.tointeger(size) end
  return { dtype = entry.dtype, shape = shape, values = values }
end

--- All tensors of a file: name -> { dtype = "F64", shape = { ... }, values = flat list }, or nil without the file.
function M.load(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local bytes = file:read("a")
  file:close()
  local header_length = string.unpack("<i8", bytes)
  local header = cjson.decode(bytes:sub(9, 8 + header_length))
  local tensors = {}
  for name, entry in pairs(header) do
    if name ~= "__metadata__" then tensors[name] = read_tensor(bytes, entry, 9 + header_length) end
  end
  return tensors, header.__metadata__
end

return M
