-- help_comments.lua -- what stands in the source above a function or a class.

local comments = {}

local FOLDER = debug.getinfo(1, "S").source:match("^@(.*)help_comments%.lua$") or ""

local files = setmetatable({}, { __mode = "v" })   -- as long as nobody needs the memory

local function lines_of(path)
  if files[path] then return files[path] end
  local file, lines = io.open(path), {}
  if not file then return lines end
  for text in file:lines() do lines[#lines + 1] = text end
  file:close()
  files[path] = lines
  return lines
end

-- Lines first .. last of a comment, without its dashes and what only editors need.
local function plain(lines, first, last)
  local block = {}
  for at = first, last do
    local text = lines[at]:gsub("^%s*%-%-+ ?", ""):gsub("^@overload fun%(.-%): [%w.]+%s*", "")
    if not text:find("^@class") and not text:find("^@field") and text ~= "" then block[#block + 1] = text end
  end
  return #block > 0 and table.concat(block, "\n") or nil
end

local function is_comment(line) return line ~= nil and line:find("^%s*%-%-") ~= nil end

-- The lines of the file that defines a Lua function, and the line where it does; nil for one made in C.
local function definition(call)
  local info = debug.getinfo(call, "S")
  if info.what == "C" or info.source:sub(1, 1) ~= "@" then return nil end
  return lines_of(info.source:sub(2)), info.linedefined
end

--- The comment block above the line on which a Lua function is defined; nil without one.
---@param call function
---@return string|nil
function comments.above(call)
  local lines, at = definition(call)
  if not lines then return nil end
  local first = at
  while is_comment(lines[first - 1]) do first = first - 1 end
  return plain(lines, first, at - 1)
end

--- Whether the comment above a Lua function is one for users, with three dashes.
---@param call function
---@return boolean
function comments.is_for_users(call)
  local lines, at = definition(call)
  return lines ~= nil and (lines[at - 1] or ""):find("^%s*%-%-%-") ~= nil
end

--- The comment block that has the line ---@class perilune.(...).NAME, in the file that defines the class.
---@param class table
---@param name string
---@return string|nil
function comments.of_class(class, name)
  local path = FOLDER .. "optim/" .. name:lower() .. ".lua"
  for _, key in ipairs { "next_lr", "step", "forward", "init" } do
    if type(rawget(class, key)) == "function" then path = debug.getinfo(class[key], "S").source:sub(2) end
  end
  local lines = lines_of(path)
  for at, line in ipairs(lines) do
    local known = line:match("^%-%-%-@class ([%w.]+)")
    if known and known:match("[^.]+$") == name then
      local last = at
      while is_comment(lines[last + 1]) do last = last + 1 end
      return plain(lines, at, last)
    end
  end
end

return comments
