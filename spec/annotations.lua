-- annotations.lua -- writes what editors need to know of the functions that are made in C.
--   lua5.4 spec/annotations.lua > lua/perilune/meta/operations.lua      (make annotations)
-- From the registry's descriptions: the text is the one that perilune.help gives.
local core = require "perilune.core"

local TYPES = {
  tensor = "perilune.Tensor|number", ["tensor?"] = "perilune.Tensor?", tensors = "perilune.Tensor[]", number = "number",
  integer = "integer", flag = "boolean", dim = "integer", dims = "integer|integer[]", sizes = "integer|integer[]",
  pair = "integer|integer[]", choice = "string", dtype = "perilune.dtype",
}

local KEYWORDS = { ["repeat"] = true, ["end"] = true, ["and"] = true, ["or"] = true, ["not"] = true }

-- A type for a choice lists what may be chosen.
local function type_of(parameter)
  if not parameter.choices then return TYPES[parameter.kind] end
  return (parameter.choices:gsub("([^|]+)", '"%1"'))
end

local function comment(text)
  return (text:gsub("%s+$", ""):gsub("([^\n]*)\n?", function(line) return line ~= "" and "---" .. line .. "\n" or "" end))
end

local function annotate(operation, owner, skip_first, lines)
  local names, options = {}, {}
  lines[#lines + 1] = comment(operation.help)
  for i, parameter in ipairs(operation.parameters) do
    if parameter.option then
      options[#options + 1] = ("%s?: %s"):format(parameter.name, type_of(parameter))
    elseif not (skip_first and i == 1) then
      local optional = parameter.fallback and "?" or ""
      names[#names + 1] = KEYWORDS[parameter.name] and parameter.name .. "_" or parameter.name
      lines[#lines + 1] = ("---@param %s%s %s\n"):format(names[#names], optional, type_of(parameter))
    end
  end
  if #options > 0 then
    names[#names + 1] = "options"
    lines[#lines + 1] = ("---@param options? { %s }\n"):format(table.concat(options, ", "))
  end
  lines[#lines + 1] = "---@return perilune.Tensor" .. (", perilune.Tensor"):rep(operation.n_outputs - 1) .. "\n"
  lines[#lines + 1] = ("function %s%s(%s) end\n\n"):format(owner, operation.name, table.concat(names, ", "))
end

local function text()
  local lines = { [[
---@meta
-- Made by spec/annotations.lua from the operations' descriptions; `make annotations` makes it again.

---@alias perilune.dtype "bool"|"uint8"|"int64"|"float32"|"float64"

---@class perilune.Tensor
---@field shape integer[]
---@field dtype perilune.dtype
---@field ndim integer
---@field grad perilune.Tensor?
---@field requires_grad boolean
---@field is_leaf boolean
---@field grad_fn string?
---@operator add(perilune.Tensor|number): perilune.Tensor
---@operator sub(perilune.Tensor|number): perilune.Tensor
---@operator mul(perilune.Tensor|number): perilune.Tensor
---@operator div(perilune.Tensor|number): perilune.Tensor
---@operator pow(perilune.Tensor|number): perilune.Tensor
---@operator mod(perilune.Tensor|number): perilune.Tensor
---@operator unm: perilune.Tensor
---@operator len: integer
local Tensor = {}

---@class perilune
local perilune = {}

---@class perilune.nn.functional
local functional = {}

]] }
  local operations = core.registry()
  table.sort(operations, function(a, b) return a.name < b.name end)
  for _, operation in ipairs(operations) do
    if operation.flags.method then annotate(operation, "Tensor:", true, lines) end
    annotate(operation, operation.flags.functional and "functional." or "perilune.", false, lines)
  end
  return table.concat(lines):gsub("\n+$", "\n")
end

if arg and arg[0] and arg[0]:match("annotations%.lua$") then io.write((text())) end

return text
