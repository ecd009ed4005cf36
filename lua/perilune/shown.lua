-- shown.lua -- how the objects of the library print: on one line, with their class and what matters.
--
--   DataLoader(469 batches of FashionMNIST(train, 60000 images of 1x28x28), batch_size = 128, shuffle = true)
--
-- A class says  Class.__tostring = shown.by(read, facts):  read is the reader of its options (options.lua), of which
-- those are told that are not as they are by default; facts(self) returns the texts that stand before them.
local core = require "perilune.core"
local options = require "perilune.options"
local sorted_keys = require "perilune.sorted_keys"

local shown = {}

local MOST_ENTRIES <const> = 4

--- "tensor (2, 3) float32"
---@param tensor perilune.Tensor
---@return string
function shown.tensor(tensor) return ("tensor (%s) %s"):format(table.concat(tensor.shape, ", "), tensor.dtype) end

local function has_own_text(value)
  local meta = getmetatable(value)
  return type(meta) == "table" and meta.__tostring ~= nil
end

local function list_text(list)
  local parts = {}
  for i = 1, math.min(#list, MOST_ENTRIES) do
    local is_plain = type(list[i]) == "table" and not has_own_text(list[i])
    parts[i] = is_plain and "a table" or shown.value(list[i])
  end
  if #list > MOST_ENTRIES then parts[#parts + 1] = "..." end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

--- A value on one line, of bounded length, much as one would write it in Lua.
---@param value any
---@return string
function shown.value(value)
  local kind = math.type(value) or type(value)
  if kind == "float" then return ("%.6g"):format(value) end
  if kind == "string" then return options.described(value) end
  if core.is_tensor(value) then return value:dim() == 0 and shown.value(value:item()) or shown.tensor(value) end
  if kind ~= "table" and kind ~= "userdata" then return kind == "function" and "a function" or tostring(value) end
  if has_own_text(value) then return tostring(value) end
  return kind == "table" and #value > 0 and list_text(value) or "a " .. kind
end

-- An empty list is as good as none.
local function is_default(value, default)
  if type(value) ~= "table" or core.is_tensor(value) then return value == default end
  if #value ~= #(default or {}) then return false end
  for i, entry in ipairs(value) do
    if entry ~= default[i] then return false end
  end
  return next(value) == nil or #value > 0
end

--- { "lr = 0.001", ... }, in the order of the options.
---@param known table  a list of { name, default, kind }, as in options.lua
---@param values table<string, any>
---@param all? boolean  those, too, that are as they are by default
---@return string[]
function shown.options(known, values, all)
  local parts = {}
  for _, entry in ipairs(known) do
    local name, value = entry[1], values[entry[1]]
    if value ~= nil and (all or not is_default(value, entry[2])) then
      parts[#parts + 1] = name .. " = " .. shown.value(value)
    end
  end
  return parts
end

--- A __tostring: Name(facts, option = value, ...).
---@param what string|function  the name of the class, or the reader of its options, which lie in self.options or self
---@param facts? fun(self: table): string ...
---@return fun(self: table): string
function shown.by(what, facts)
  local name, known = what, {}
  if type(what) == "function" then name, known = options.of(what) end
  return function(self)
    local parts = facts and { facts(self) } or {}
    local told = shown.options(known, rawget(self, "options") or self)
    table.move(told, 1, #told, #parts + 1, parts)
    return (self.class_name or name) .. "(" .. table.concat(parts, ", ") .. ")"
  end
end

--- A __tostring for a table of the library: its name and what is in it.
---@param name string  "perilune.optim"
---@param entries table<string, any>
---@return fun(): string
function shown.place(name, entries)
  return function()
    return ("%s: %s; perilune.help(%s) tells more"):format(name, table.concat(sorted_keys(entries), ", "), name)
  end
end

return shown
