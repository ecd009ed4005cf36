--- perilune.help(x): the text that describes an operation, a class or a function.

local core = require "perilune.core"
local sorted_keys = require "perilune.sorted_keys"

local M = {}

local FOLDER = debug.getinfo(1, "S").source:match("^@(.*)help%.lua$") or ""

-- The tables of the library and what is in them; help() lists them in this order.
local PLACES = {
  { "nn", "modules and losses" }, { "nn.functional", "what modules compute, as functions" },
  { "nn.init", "initialisers" }, { "nn.utils", "gradient clipping" }, { "optim", "optimizers" },
  { "optim.lr_scheduler", "schedules for the learning rate" }, { "data", "data sets and the loader" },
  { "datasets", "data sets to load" }, { "image", "pictures" }, { "linalg", "matrices" }, { "state", "nested states" },
  { "autograd", "differentiable functions of one's own" }, { "callbacks", "what a Trainer calls while it runs" },
  { "loggers", "where a Trainer's metrics go" },
  { "decomposition", "linear maps to fewer dimensions" },
  { "distributions", "random variables with tensors as parameters" },
  { "manifold", "maps of many-dimensional points" },
  { "metrics", "how good predictions, codes and maps are" },
  { "plot", "plots, as PNG and SVG" },
  { "study", "the search for hyper-parameters" }, { "study.samplers", "what suggests parameters" },
  { "study.pruners", "what ends hopeless trials early" },
  { "study.importance", "which parameters matter" },
  { "study.visualization", "pictures of a study" },
  { "study.storages", "where trials are kept" },
}

local texts -- by function; made when it is first asked for

local function make_texts()
  local perilune = require "perilune"
  local found = {}
  for name, text in pairs(require "perilune.help_texts") do found[perilune[name]] = text end
  for _, operation in ipairs(core.registry()) do
    found[operation.name] = operation.help
    found[core.ops[operation.name]] = operation.help
  end
  return found
end

local function lines_of(path)
  local file = io.open(path)
  if not file then return {} end
  local lines = {}
  for text in file:lines() do lines[#lines + 1] = text end
  file:close()
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

-- The comment block above the line on which a Lua function is defined.
local function comment_above(call)
  local info = debug.getinfo(call, "S")
  if info.what == "C" or info.source:sub(1, 1) ~= "@" then return nil end
  local lines, first = lines_of(info.source:sub(2)), info.linedefined
  while is_comment(lines[first - 1]) do first = first - 1 end
  return plain(lines, first, info.linedefined - 1)
end

-- The comment block that has the line ---@class perilune.(...).NAME, in the file that defines the class.
local function class_comment(class, name)
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

local function value_text(value)
  if type(value) == "string" then return ("%q"):format(value) end
  if type(value) ~= "table" then return tostring(value) end
  return "{ " .. table.concat(value, ", ") .. " }"
end

-- The arguments of a class: those of its init, and the options as far as they are kept in a list.
local function signature(class, name)
  if class.known then
    local parts = {}
    for i, entry in ipairs(class.known) do
      parts[i] = entry[2] == nil and entry[1] or entry[1] .. " = " .. value_text(entry[2])
    end
    local first = class.step_function and "parameters" or "optimizer"
    return ("%s(%s, { %s })"):format(name, first, table.concat(parts, ", "))
  end
  local names = {}
  for i = 1, debug.getinfo(class.init, "u").nparams do
    local argument = debug.getlocal(class.init, i)
    if argument == "given" then argument = "{ options }" end
    if argument ~= "self" and argument ~= "_" then names[#names + 1] = argument end
  end
  return ("%s(%s)"):format(name, table.concat(names, ", "))
end

local function names_in(place)
  local names = {}
  for name in pairs(place) do
    if type(name) == "string" and name:sub(1, 1) ~= "_" then names[#names + 1] = name end
  end
  table.sort(names)
  return table.concat(names, ", ")
end

local function text_of_class(class)
  local name = class.class_name
  if not name then return "Optimizer\n\nWhat all optimizers share: zero_grad, step, add_param_group, state_dict." end
  if name == "Module" then
    return "Module\n\nWhat all layers and networks share.  local Net = nn.Module:extend(\"Net\") makes a class; " ..
      "give it init and forward.\nMethods: " .. names_in(class)
  end
  local init = rawget(class, "init")
  local text = init and comment_above(init) or class_comment(class, name)
  return signature(class, name) .. "\n\n" .. (text or "A class that extends another; no comment stands above its init.")
end

local function text_of_tensor(t)
  return ("a tensor of shape (%s), %s\n\nFields: shape, dtype, ndim, grad, requires_grad, is_leaf, grad_fn.\n" ..
    "Methods: %s"):format(table.concat(t.shape, ", "), t.dtype, names_in(core.methods))
end

-- nil also for what cannot be loaded: plot without Cairo.
local function member(place, name)
  local fine, value = pcall(function() return place[name] end)
  return fine and value or nil
end

-- "nn.Conv2d" or "zeros", looked up from perilune.
local function find(path)
  local value = require "perilune"
  for name in path:gmatch("[^.]+") do
    if type(value) ~= "table" then return nil end
    value = member(value, name)
  end
  return value
end

local function overview()
  local operations, functions = {}, sorted_keys(require "perilune.help_texts")
  for i, operation in ipairs(core.registry()) do operations[i] = operation.name end
  table.sort(operations)
  local lines = {
    "perilune.help(x) tells of each: help(\"conv2d\"), help(perilune.nn.Conv2d), help(perilune.optim)", "",
    "operations: " .. table.concat(operations, ", "), "",
    "other functions: " .. table.concat(functions, ", ") .. ", normal, " ..
      "equal, allclose, save, load, save_npy, load_npy, progress, Trainer",
  }
  for _, place in ipairs(PLACES) do
    local found = find(place[1])
    if found then lines[#lines + 1] = ("\n%s (%s): %s"):format(place[1], place[2], names_in(found)) end
  end
  return table.concat(lines, "\n")
end

-- What functions make, "TPESampler" or "MedianPruner", is described above those: study.samplers.TPE.
local MADE_BY = { Sampler = "study.samplers.", Pruner = "study.pruners.", ImportanceEvaluator = "study.importance." }

local function text_of_made(class_name)
  for suffix, place in pairs(MADE_BY) do
    local name = class_name:match("^(.+)" .. suffix .. "$")
    local maker = name and find(place .. name)
    if type(maker) == "function" then return comment_above(maker) end
  end
end

local function text_of_table(subject)
  for _, place in ipairs(PLACES) do
    if find(place[1]) == subject then return ("%s: %s\n\n%s"):format(place[1], place[2], names_in(subject)) end
  end
  if subject == require "perilune" then return overview() end
  if type(subject.help) == "string" then return subject.help end
  local made = type(subject.class_name) == "string" and text_of_made(subject.class_name)
  if made then return made end
  if subject.class_name or rawget(subject, "define") then
    local class = getmetatable(subject)
    if rawget(subject, "class_name") or rawget(subject, "define") then class = subject end
    return text_of_class(class)
  end
  return subject.get and "a data set; #dataset is the number of samples, dataset:get(i) returns sample i"
    or subject.iter and "a DataLoader\n\n" .. M.help("data.DataLoader") or nil
end

local function text_of(subject)
  if texts[subject] then return texts[subject] end
  if type(subject) == "string" then
    for _, prefix in ipairs { "", "nn.", "optim.", "optim.lr_scheduler.", "data.", "decomposition.",
      "distributions.", "manifold.",
      "metrics.", "plot.", "study.", "study.samplers.", "study.pruners.", "study.importance.",
      "study.storages.", "study.visualization." } do
      local value = find(prefix .. subject)
      if value ~= nil and type(value) ~= "string" then return text_of(value) end
    end
    return nil
  end
  if core.is_tensor(subject) then return text_of_tensor(subject) end
  if type(subject) == "table" then return text_of_table(subject) end
  return type(subject) == "function" and comment_above(subject) or nil
end

--- Returns the help text of an operation (by name or function), a class such as `nn.Conv2d` or an object of it, a
--- function of the library, a tensor, or a table such as `optim`; without an argument, the list of all there is.
-- Printed, it reads like a reference page: print(perilune.help(perilune.nn.Conv2d)).
---@param ... any  the subject, or nothing
---@return string
function M.help(...)
  local subject = ...
  if select("#", ...) == 0 then return overview() end
  texts = texts or make_texts()
  local text = subject ~= nil and text_of(subject)
  if text then return text end
  if type(subject) == "string" then core.raise(("help: there is no operation '%s'"):format(subject)) end
  core.raise("help: nothing is known of this; give an operation, its name, a class or a function of the library")
end

return M
