-- help_index.lua -- the names that perilune.help knows: every public value and every method, with its path.
local comments = require "perilune.help_comments"
local core = require "perilune.core"

local index = {}

-- What is no method of an object, or is called by others than users: constructors, hooks of a Trainer.
local NO_METHOD = { init = true, new = true, extend = true, define = true }

local function is_method(name, value)
  return type(name) == "string" and type(value) == "function" and not NO_METHOD[name] and not name:find("^_") and
    not name:find("^on_")
end

local function parent_of(class)
  local meta = getmetatable(class)
  local parent = rawget(class, "parent") or type(meta) == "table" and rawget(meta, "__index")
  return type(parent) == "table" and parent ~= class and parent or nil
end

--- The class that value is, or makes: of a function such as manifold.TSNE, the table of that name which it uses.
---@param name string  the last part of its path
---@param value any
---@return table|nil
function index.class_of(name, value)
  if type(value) == "table" then
    local is_class = rawget(value, "class_name") or rawget(value, "define") or rawget(value, "__index")
    return is_class and value or nil
  end
  if type(value) ~= "function" or not name:find("^%u") then return nil end
  for i = 1, debug.getinfo(value, "u").nups do
    local upvalue, class = debug.getupvalue(value, i)
    if upvalue == name and type(class) == "table" then return class end
  end
end

--- The methods with a comment for users, of the class itself.
---@param class table
---@return string[]
function index.own_methods(class)
  local names = {}
  for name, value in next, class do
    if is_method(name, value) and comments.is_for_users(value) then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- Those of the class and of what it extends.
---@param class table
---@return string[]
function index.methods(class)
  local names, seen = {}, {}
  while class do
    for _, name in ipairs(index.own_methods(class)) do
      if not seen[name] then names[#names + 1], seen[name] = name, true end
    end
    class = parent_of(class)
  end
  table.sort(names)
  return names
end

--- What a class calls name, itself or by what it extends.
---@param class table
---@param name string
---@return function|nil
function index.method(class, name)
  while class do
    local value = rawget(class, name)
    if is_method(name, value) then return value end
    class = parent_of(class)
  end
end

local function add(entries, path, value, class)
  entries[#entries + 1] = { path = path, value = value, class = class }
end

local function add_methods(entries, path, class)
  for _, name in ipairs(index.own_methods(class)) do add(entries, path .. "." .. name, class[name]) end
end

local function add_place(entries, prefix, place)
  for name, value in pairs(place) do
    if type(name) == "string" and not name:find("^_") and (type(value) == "function" or type(value) == "table") then
      local class = index.class_of(name, value)
      add(entries, prefix .. name, value, class)
      if class then add_methods(entries, prefix .. name, class) end
    end
  end
end

local function add_figure(entries)
  local fine, Figure = pcall(require, "perilune.plot.figure")
  if not fine then return end
  add(entries, "plot.Figure", Figure, Figure)
  add_methods(entries, "plot.Figure", Figure)
end

-- What all schedulers share is in a class without a public name: its methods are told of by the first of them.
local function add_methods_of_hidden(entries)
  local seen, classes = {}, {}
  for _, entry in ipairs(entries) do
    if type(entry.value) == "table" and entry.class then
      classes[#classes + 1], seen[entry.class] = entry, true
    end
  end
  for _, entry in ipairs(classes) do
    local parent = parent_of(entry.class)
    if parent and not seen[parent] then
      seen[parent] = true
      add_methods(entries, entry.path, parent)
    end
  end
end

local function by_path(a, b) return a.path < b.path end

--- All there is, sorted by path: path is as users write it behind "perilune.", class what the value is or makes.
---@param places table<string, table>  "nn.functional" -> the table
---@return { path: string, value: any, class: table|nil }[]
function index.make(places)
  local entries = {}
  add_place(entries, "", require "perilune")
  for path, place in pairs(places) do
    add(entries, path, place)
    add_place(entries, path .. ".", place)
  end
  add_figure(entries)
  for name, method in pairs(core.methods) do
    if is_method(name, method) then add(entries, "Tensor." .. name, method) end
  end
  table.sort(entries, by_path)
  add_methods_of_hidden(entries)
  table.sort(entries, by_path)
  return entries
end

--- The entries whose path is name, or ends with it.
---@param entries { path: string }[]
---@param name string  "fit" or "TSNE.fit"
---@return table[]
function index.named(entries, name)
  local found, ending = {}, "." .. name
  for _, entry in ipairs(entries) do
    if entry.path == name or entry.path:sub(-#ending) == ending then found[#found + 1] = entry end
  end
  return found
end

return index
