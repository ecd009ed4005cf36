-- state.lua -- perilune.state: between nested states and what a safetensors file holds.
--
-- An optimizer's, a scheduler's or a loader's state_dict is a nested table of tensors, numbers, strings and booleans;
-- a safetensors file holds named tensors and a string -> string table.  The path to a value, joined with "/", becomes
-- its name ("optimizer/state/1/exp_avg"); a value that is no tensor goes into the metadata, with its type in front
-- ("float 0x1.999999999999ap-4": exact to the bit).
local core = require "perilune.core"
local options = require "perilune.options"

local state = {}

local function encode(value)
  local kind = math.type(value) or type(value)
  if kind == "float" then return string.format("float %a", value) end
  if kind == "integer" or kind == "boolean" then return kind .. " " .. tostring(value) end
  if kind == "string" then return "string " .. value end
  return nil
end

local function decode(text)
  local kind, value = text:match("^(%a+) (.*)$")
  if kind == "float" then
    if value == "nan" or value == "-nan" then return 0 / 0 end
    if value == "inf" then return math.huge elseif value == "-inf" then return -math.huge end
    return tonumber(value)
  end
  if kind == "integer" then return math.tointeger(tonumber(value)) end
  if kind == "boolean" then return value == "true" end
  if kind == "string" then return value end
  return nil
end

local function segment(key, path)
  if math.type(key) == "integer" then return tostring(key) end
  if type(key) ~= "string" or key == "" or key:find("/", 1, true) or key:find("^-?%d+$") then
    core.raise(string.format("state.flatten: key '%s' at '%s' cannot be part of a name", tostring(key), path))
  end
  return key
end

local function flatten(value, path, tensors, metadata)
  if core.is_tensor(value) then
    tensors[path] = value
  elseif type(value) == "table" then
    for key, entry in pairs(value) do
      local name = segment(key, path)
      flatten(entry, path == "" and name or path .. "/" .. name, tensors, metadata)
    end
    if next(value) == nil and path ~= "" then metadata[path] = "table " end
  else
    local text = encode(value)
    if not text then
      core.raise(string.format("state.flatten: '%s' is a %s, which a file cannot hold", path, type(value)))
    end
    metadata[path] = text
  end
end

--- Makes flat tables of a nested one: perilune.save(path, tensors, { metadata = metadata }) writes them.
---@param nested table  of tensors, numbers, strings, booleans and tables; keys are integers or names without "/"
---@return table<string, perilune.Tensor> tensors
---@return table<string, string> metadata
function state.flatten(nested)
  if type(nested) ~= "table" then core.raise("state.flatten: a table is needed, got " .. options.described(nested)) end
  local tensors, metadata = {}, {}
  flatten(nested, "", tensors, metadata)
  return tensors, metadata
end

local function put(nested, path, value)
  local place, key = nested, nil
  for name in path:gmatch("[^/]+") do
    if key ~= nil then
      if place[key] == nil then place[key] = {} end
      if type(place[key]) ~= "table" then return end
      place = place[key]
    end
    key = math.tointeger(tonumber(name:match("^-?%d+$"))) or name
  end
  if key ~= nil then place[key] = value end
end

--- The nested table that flatten was given.  Metadata that flatten did not write is passed over.  From a file:
--- state.unflatten(perilune.load(path)).
---@param tensors table<string, perilune.Tensor>
---@param metadata table<string, string>|nil
---@return table
function state.unflatten(tensors, metadata)
  if tensors == nil and type(metadata) == "string" then core.raise("state.unflatten: " .. metadata) end
  if type(tensors) ~= "table" then
    core.raise("state.unflatten: a table is needed, got " .. options.described(tensors))
  end
  local nested = {}
  for path, text in pairs(metadata or {}) do
    local value
    if text == "table " then value = {} else value = decode(text) end
    if value ~= nil then put(nested, path, value) end
  end
  for path, tensor in pairs(tensors) do put(nested, path, tensor) end
  return nested
end

return setmetatable(state, { __tostring = require("perilune.shown").place("perilune.state", state) })
