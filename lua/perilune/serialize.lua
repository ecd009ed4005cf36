-- serialize.lua -- tensors to files and back: safetensors (perilune.save, perilune.load) and .npy.
--
-- What a safetensors file can hold is a flat set of named tensors and string metadata.  So that load(save(x)) is x:
--
--   { ["encoder.0.weight"] = t }     string keys: the names, as they are.  This is what state_dicts are, and such files
--                                    have nothing in them that others do not write, too.
--   { encoder = { t1, t2 } }         nested tables and integer keys: "encoder.1", "encoder.2"; how each name is cut
--                                    into keys goes into the metadata under "perilune.layout"
--   t                                a lone tensor: the name is "tensor", and the layout says so
--
-- The layout of nested tables is a list with one word per tensor, in the order of the names: "s7.i1 s7.i1" is a
-- string key of 7 bytes, then an integer key of 1 byte.  Other programs see the joined names and may ignore it.
local core = require "perilune.core"
local loaded = require "perilune.loaded"
local options = require "perilune.options"
local sorted_keys = require "perilune.sorted_keys"

local formats = core.formats
local serialize = {}

local LAYOUT = "perilune.layout"
local MAX_DEPTH = 100

-- -- tables to lists of names -- --

local function key_text(key, where)
  if math.type(key) == "integer" then return tostring(key), "i" end
  if type(key) == "string" then return key, "s" end
  return core.raise(string.format("save: a key in %s is %s, not a string or an integer", where,
    options.described(key)))
end

-- Fills out with { name, tensor, word } for every tensor in value, however deep.  open: the tables that we are in.
local function flatten(value, name, word, depth, out, open)
  if core.is_tensor(value) then
    out[#out + 1] = { name = name, tensor = value, word = word }
    return
  end
  local where = depth == 0 and "the table" or "'" .. name .. "'"
  if type(value) ~= "table" then
    core.raise(string.format("save: %s is %s, not a tensor or a table of tensors; " ..
      "perilune.state.flatten makes a state with numbers and strings savable",
      depth == 0 and "the value" or where, options.described(value)))
  end
  if depth > 0 and next(value) == nil then core.raise("save: " .. where .. " is an empty table") end
  if open[value] then core.raise("save: " .. where .. " contains itself") end
  if depth > MAX_DEPTH then core.raise("save: tables are nested too deeply") end
  open[value] = true
  for key, item in pairs(value) do
    local text, kind = key_text(key, where)
    flatten(item, depth == 0 and text or name .. "." .. text, (depth == 0 and "" or word .. ".") .. kind .. #text,
      depth + 1, out, open)
  end
  open[value] = nil
end

local function is_flat(value)
  for key, item in pairs(value) do
    if type(key) ~= "string" or not core.is_tensor(item) then return false end
  end
  return true
end

-- names, tensors, layout (nil: a flat table)
local function encode(value)
  if core.is_tensor(value) then return { "tensor" }, { value }, "tensor" end
  local entries, names, tensors, words = {}, {}, {}, {}
  flatten(value, "", "", 0, entries, {})
  table.sort(entries, function(a, b) return a.name < b.name end)
  for i, entry in ipairs(entries) do
    if entry.name == names[i - 1] then
      core.raise(string.format("save: two tensors would be called '%s'", entry.name))
    end
    names[i], tensors[i], words[i] = entry.name, entry.tensor, entry.word
  end
  if is_flat(value) then return names, tensors, nil end
  return names, tensors, table.concat(words, " ")
end

-- -- and back; what comes from a file is not trusted -- --

-- The keys that `word` cuts `name` into, or nil.
local function cut(name, word)
  local keys, at = {}, 1
  for kind, length in word:gmatch("([is])(%d+)") do
    length = math.tointeger(length) or math.maxinteger
    if length > #name - at + 1 or #keys > MAX_DEPTH then return nil end
    local key = name:sub(at, at + length - 1)
    if kind == "i" then key = math.tointeger(key) end
    if key == nil then return nil end
    keys[#keys + 1] = key
    at = at + length
    if at <= #name and name:sub(at, at) ~= "." then return nil end
    at = at + 1
  end
  if #keys == 0 or at ~= #name + 2 then return nil end
  return keys
end

-- Puts tensor at the end of the path of keys; false where something else is in the way.
local function place(root, keys, tensor)
  local node = root
  for i = 1, #keys - 1 do
    local child = node[keys[i]]
    if child == nil then
      child = {}
      node[keys[i]] = child
    elseif core.is_tensor(child) then
      return false
    end
    node = child
  end
  if node[keys[#keys]] ~= nil then return false end
  node[keys[#keys]] = tensor
  return true
end

local function nest(by_name, layout)
  local names, root, i = sorted_keys(by_name), {}, 0
  for word in layout:gmatch("%S+") do
    i = i + 1
    local keys = names[i] and cut(names[i], word)
    if not keys or not place(root, keys, by_name[names[i]]) then return nil end
  end
  if i ~= #names then return nil end
  return root
end

local function decode(source, flat, tensors, names, metadata)
  if not tensors then return nil, names end
  local by_name, layout = {}, metadata[LAYOUT]
  loaded.remember(metadata)
  for i, name in ipairs(names) do by_name[name] = tensors[i] end
  metadata[LAYOUT] = nil
  if layout == nil or flat then return by_name, metadata end
  local value
  if layout == "tensor" then
    value = #names == 1 and by_name.tensor or nil
  else
    value = nest(by_name, layout)
  end
  if value == nil then
    return nil, string.format("%s: its '%s' does not fit its tensors; { flat = true } loads them by name", source,
      LAYOUT)
  end
  return value, metadata
end

-- -- the public functions -- --

local read_save_options = options.reader("save", { { "metadata", nil, "table" } })
local read_load_options = options.reader("load", { { "flat", false } })

local function metadata_lists(metadata, layout)
  local keys, values = { layout and LAYOUT }, { layout }
  for key, value in pairs(metadata or {}) do
    if type(key) ~= "string" or type(value) ~= "string" then
      core.raise(string.format("save: metadata must be strings by strings, but [%s] is %s",
        options.described(key), options.described(value)))
    end
    if key == LAYOUT then core.raise("save: the metadata key '" .. LAYOUT .. "' is taken") end
    keys[#keys + 1], values[#values + 1] = key, value
  end
  return keys, values
end

local function check_tensor(what, value)
  if not core.is_tensor(value) then
    core.raise(string.format("%s: expected a tensor, got %s", what, options.described(value)))
  end
end

--- Writes a tensor, or a flat or nested table of tensors, to a safetensors file.  The file appears whole or not at
--- all: it is written beside the old one and renamed.  Non-contiguous tensors are written in row-major order.
---@param path string
---@param value tensor|table  string and integer keys; no empty tables inside
---@param given? { metadata: table<string, string> }
---@return true|nil ok
---@return string? message  why it could not be written
function serialize.save(path, value, given)
  options.string("save", "the path", path)
  local names, tensors, layout = encode(value)
  return formats.save_safetensors(path, names, tensors, metadata_lists(read_save_options(given).metadata, layout))
end

--- Reads a safetensors file.  What `save` wrote comes back as it was; the files of others come back as a flat table
--- of tensors by name.  float16 and bfloat16 become float32, small integers int64.
--- model:load_state_dict(perilune.load(path)) takes weights as they were saved.
---@param path string
---@param given? { flat: boolean }  flat: always by name (default false)
---@return tensor|table|nil value
---@return table<string, string>|string metadata  or why it could not be read
function serialize.load(path, given)
  options.string("load", "the path", path)
  local flat = read_load_options(given).flat
  return decode(path, flat, formats.load_safetensors(path))
end

--- The same as `save`, into a string.
---@param value tensor|table
---@param given? { metadata: table<string, string> }
---@return string bytes
function serialize.dumps(value, given)
  local names, tensors, layout = encode(value)
  return formats.dumps_safetensors(names, tensors, metadata_lists(read_save_options(given).metadata, layout))
end

--- The same as `load`, from a string.
---@param bytes string
---@param given? { flat: boolean }
---@return tensor|table|nil value
---@return table<string, string>|string metadata
function serialize.loads(bytes, given)
  if type(bytes) ~= "string" then
    core.raise("loads: expected a string, got " .. options.described(bytes))
  end
  local flat = read_load_options(given).flat
  return decode("data", flat, formats.loads_safetensors(bytes))
end

--- Writes one tensor as NumPy's numpy.save does (version 1.0, little-endian, C order).
---@param path string
---@param tensor tensor
---@return true|nil ok
---@return string? message
function serialize.save_npy(path, tensor)
  options.string("save_npy", "the path", path)
  check_tensor("save_npy", tensor)
  return formats.save_npy(path, tensor)
end

--- Reads a .npy file: bool, int8 to int64, uint8 to uint32, float16 to float64, any byte order, C or Fortran order.
--- The smaller integers become int64, float16 becomes float32.
---@param path string
---@return tensor|nil
---@return string? message
function serialize.load_npy(path)
  options.string("load_npy", "the path", path)
  return formats.load_npy(path)
end

return serialize
