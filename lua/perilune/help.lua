--- perilune.help(x): the text that describes an operation, a class or a function.

local core = require "perilune.core"

local M = {}

local texts -- by function or class; made when it is first asked for

local function operations()
  local found = {}
  for _, operation in ipairs(core.registry()) do
    local entry = { name = operation.name, text = operation.help }
    found[operation.name] = entry
    found[core.ops[operation.name]] = entry
  end
  return found
end

-- The comment block of three dashes above the line on which a Lua function or class is defined.
local function comment_above(source, line)
  local file = source:sub(1, 1) == "@" and io.open(source:sub(2))
  if not file then return nil end
  local lines = {}
  for text in file:lines() do
    lines[#lines + 1] = text
    if #lines >= line then break end
  end
  file:close()
  local block, at = {}, line - 1
  while at > 0 and lines[at]:match("^%s*%-%-") do
    table.insert(block, 1, (lines[at]:gsub("^%s*%-%-+ ?", "")))
    at = at - 1
  end
  return #block > 0 and table.concat(block, "\n") or nil
end

-- A class tells where it was defined by its constructor, `init`.
local function text_of(subject)
  local entry = texts[subject]
  if entry then return entry.text end
  if type(subject) == "table" then
    if type(subject.help) == "string" then return subject.help end
    subject = rawget(subject, "init") or subject.forward
  end
  if type(subject) ~= "function" then return nil end
  local info = debug.getinfo(subject, "S")
  return info.what ~= "C" and comment_above(info.source, info.linedefined) or nil
end

--- Returns the help text of an operation (by name or function), a module class such as `nn.Conv2d`, or any function of
-- the library.  Printed, it reads like a reference page: print(perilune.help(perilune.nn.Conv2d)).
---@param subject any
---@return string
function M.help(subject)
  texts = texts or operations()
  local text = subject ~= nil and text_of(subject)
  if text then return text end
  if type(subject) == "string" then core.raise(("help: there is no operation '%s'"):format(subject)) end
  core.raise("help: nothing is known of this; give an operation, its name, a class or a function of the library")
end

return M
