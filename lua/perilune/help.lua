--- perilune.help(x): the text that describes an operation, a class or a function.

local comments = require "perilune.help_comments"
local core = require "perilune.core"
local index = require "perilune.help_index"
local nearest = require "perilune.nearest"
local sorted_keys = require "perilune.sorted_keys"

local M = {}

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

-- Of the library's own table, besides: what is loaded when it is first used.
local LOADED_WHEN_ASKED = { "save", "load", "save_npy", "load_npy", "help", "progress", "Trainer" }

local texts -- by function; made when it is first asked for

local function add_method(found, name, text)
  local method = core.methods[name]
  if method then found[method] = text end
end

local function make_texts()
  local perilune = require "perilune"
  local found = {}
  for name, text in pairs(require "perilune.help_methods") do add_method(found, name, text) end
  for name, text in pairs(require "perilune.help_texts") do found[perilune[name]] = text end
  for _, operation in ipairs(core.registry()) do
    found[operation.name] = operation.help
    local in_place = "In place, t:%s_(...) -> t:\n\n%s"
    add_method(found, operation.name .. "_", in_place:format(operation.name, operation.help))
    add_method(found, operation.name, operation.help)
    found[core.ops[operation.name]] = operation.help
  end
  return found
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

local function signature_of_function(path, call)
  local names, info = {}, debug.getinfo(call, "u")
  for i = 1, info.nparams do
    local argument = debug.getlocal(call, i)
    if argument ~= "self" then names[#names + 1] = argument end
  end
  if info.isvararg then names[#names + 1] = "..." end
  return ("%s(%s)"):format(path, table.concat(names, ", "))
end

local function names_in(place)
  local names = {}
  for name in pairs(place) do
    if type(name) == "string" and name:sub(1, 1) ~= "_" then names[#names + 1] = name end
  end
  table.sort(names)
  return table.concat(names, ", ")
end

-- A module's own; those that all modules share are told of by help(nn.Module).
local function methods_line(class)
  local is_module = class.is_module ~= nil
  local names = table.concat((is_module and index.own_methods or index.methods)(class), ", ")
  if is_module then names = names .. (names == "" and "" or "; ") .. "those of nn.Module" end
  return names == "" and "" or "\n\nmethods: " .. names
end

local function text_of_class(class)
  local name = class.class_name
  if not name then return "Optimizer\n\nWhat all optimizers share." .. methods_line(class) end
  if name == "Module" then
    return "Module\n\nWhat all layers and networks share.  local Net = nn.Module:extend(\"Net\") makes a class; " ..
      "give it init and forward.\nMethods: " .. names_in(class)
  end
  local init = rawget(class, "init")
  local text = init and comments.above(init) or comments.of_class(class, name)
  text = text or "A class that extends another; no comment stands above its init."
  return signature(class, name) .. "\n\n" .. text .. methods_line(class)
end

local function text_of_tensors()
  return "Fields: shape, dtype, ndim, grad, requires_grad, is_leaf, grad_fn.\nMethods: " .. names_in(core.methods)
end

local function text_of_tensor(t)
  return ("a tensor of shape (%s), %s\n\n%s"):format(table.concat(t.shape, ", "), t.dtype, text_of_tensors())
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
  table.move(LOADED_WHEN_ASKED, 1, #LOADED_WHEN_ASKED, #functions + 1, functions)
  for i, operation in ipairs(core.registry()) do operations[i] = operation.name end
  table.sort(operations)
  local lines = {
    "perilune.help(x) tells of each: help(\"conv2d\"), help(perilune.nn.Conv2d), help(perilune.optim)", "",
    "operations: " .. table.concat(operations, ", "), "",
    "other functions: " .. table.concat(functions, ", ") .. ", normal, equal, allclose",
  }
  for _, place in ipairs(PLACES) do
    local found = find(place[1])
    if found then lines[#lines + 1] = ("\n%s (%s): %s"):format(place[1], place[2], names_in(found)) end
  end
  return table.concat(lines, "\n")
end

local entries   -- see help_index.lua; made when they are first asked for

local function all_entries()
  if entries then return entries end
  local places = {}
  for _, place in ipairs(PLACES) do places[place[1]] = find(place[1]) end
  for _, name in ipairs(LOADED_WHEN_ASKED) do find(name) end
  entries = index.make(places)
  return entries
end

-- The entry whose field (value, or class) is this one.
local function entry_with(field, value)
  for _, entry in ipairs(all_entries()) do
    if entry[field] == value then return entry end
  end
end

local function text_of_function(subject)
  local text = comments.above(subject)
  local entry = entry_with("value", subject)
  if text then return text .. (entry and entry.class and methods_line(entry.class) or "") end
  return entry and signature_of_function(entry.path, subject)
end

-- What functions make, "TPESampler" or "MedianPruner", is described above those: study.samplers.TPE.
local MADE_BY = { Sampler = "study.samplers.", Pruner = "study.pruners.", ImportanceEvaluator = "study.importance." }

local function text_of_made(class_name)
  for suffix, place in pairs(MADE_BY) do
    local name = class_name:match("^(.+)" .. suffix .. "$")
    local maker = name and find(place .. name)
    if type(maker) == "function" then return text_of_function(maker) end
  end
end

-- Objects of what is a function to its users: DataLoader, TSNE.
local function text_of_object(subject)
  local class = getmetatable(subject)
  local entry = class and entry_with("class", class)
  return entry and type(entry.value) == "function" and text_of_function(entry.value) or nil
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
  return text_of_object(subject)
    or subject.get and "a data set; #dataset is the number of samples, dataset:get(i) returns sample i" or nil
end

local function text_of_value(subject)
  if texts[subject] then return texts[subject] end
  if core.is_tensor(subject) then return text_of_tensor(subject) end
  if type(subject) == "table" then return text_of_table(subject) end
  return type(subject) == "function" and text_of_function(subject) or nil
end

-- "EarlyStopping.extend" and what else a class has from those above it.
local function inherited(name)
  local owner, method = name:match("^(.+)%.([%w_]+)$")
  for _, entry in ipairs(owner and index.named(all_entries(), owner) or {}) do
    local value = entry.class and index.method(entry.class, method)
    if value then return { path = name, value = value } end
  end
end

-- What bears the name: { path, text }, that with just this path first.  One text is one thing, however many paths it
-- has.
local function things_named(name)
  local things, seen = {}, {}
  local function add(path, text)
    if not text or seen[text] then return end
    seen[text] = true
    table.insert(things, path == name and 1 or #things + 1, { path = path, text = text })
  end
  add(name, texts[name] or name == "Tensor" and text_of_tensors() or name == "perilune" and overview())
  local found = index.named(all_entries(), name)
  if #found == 0 then found[1] = inherited(name) end
  for _, entry in ipairs(found) do
    add(entry.path, text_of_value(entry.value) or type(entry.value) == "function" and
      signature_of_function(entry.path, entry.value))
  end
  return things
end

-- "Trains the module." of what goes on for a page.
local function first_sentence(text)
  local paragraph = (text .. "\n\n"):match("^(.-)\n[\n@]"):gsub("\n", " ")
  return paragraph:match("^(.-%.) ") or paragraph
end

local function list_of_things(name, things)
  local lines = { ("%d things are named %s; help(\"%s\") tells of one:\n"):format(#things, name, things[1].path) }
  for _, thing in ipairs(things) do lines[#lines + 1] = thing.path .. ": " .. first_sentence(thing.text) end
  return table.concat(lines, "\n")
end

local function with_others(things)
  if #things == 1 then return things[1].text end
  local others = {}
  for i = 2, #things do others[i - 1] = things[i].path end
  return things[1].text .. "\n\nalso: " .. table.concat(others, ", ")
end

local function text_of_name(given)
  local name = given:gsub("^perilune%.", "")
  local things = things_named(name)
  if #things == 0 then return nil end
  if #things > 1 and things[1].path ~= name then return list_of_things(name, things) end
  return with_others(things)
end

local MOST_NEAREST <const> = 5

-- By the last part of the name: who writes TSNE.fit_transfrom knows of TSNE.
local function nearest_to(given)
  local lasts, paths, owner = {}, {}, given:match("([^.]+)%.[^.]*$")
  for _, entry in ipairs(all_entries()) do
    local above, last = ("." .. entry.path):match("([^.]*)%.([^.]+)$")
    if not paths[last] then lasts[#lasts + 1] = last end
    if not paths[last] or above == owner then paths[last] = entry.path end
  end
  local found = nearest.of(given:match("[^.]*$"), lasts, MOST_NEAREST)
  for i, last in ipairs(found) do found[i] = paths[last] end
  return #found > 0 and "; nearest: " .. table.concat(found, ", ") or ""
end

local LONGEST_LINE <const> = 116   -- what comments have

-- What would be too long goes on in the next line, two spaces further in.
local function wrapped(text)
  local lines = {}
  for line in (text .. "\n"):gmatch("(.-)\n") do
    local further = line:match("^ *") .. "  "
    while #line > LONGEST_LINE do
      local head = line:sub(1, LONGEST_LINE + 1):match("^(.*%S) ")
      if not head or #head <= #further then break end
      lines[#lines + 1], line = head, further .. line:sub(#head + 1):match("^ *(.*)$")
    end
    lines[#lines + 1] = line
  end
  return table.concat(lines, "\n")
end

--- Returns the help text of an operation (by name or function), a class such as `nn.Conv2d` or an object of it, a
--- function of the library, a method, a tensor, or a table such as `optim`; without an argument, the list of all there
--- is.
--- A name is any public one, or the last parts of its path: "EarlyStopping", "TSNE.fit", "item"; where several things
--- bear it, they are listed.
-- Printed, it reads like a reference page: print(perilune.help(perilune.nn.Conv2d)).
---@param ... any  the subject, or nothing
---@return string
function M.help(...)
  local subject = ...
  texts = texts or make_texts()
  if select("#", ...) == 0 then return wrapped(overview()) end
  local text
  if type(subject) == "string" then
    text = text_of_name(subject)
  elseif subject ~= nil then
    text = text_of_value(subject)
  end
  if text then return wrapped(text) end
  if type(subject) == "string" then
    core.raise(("help: nothing is named '%s'%s; print(perilune.help()) lists all"):format(subject, nearest_to(subject)))
  end
  core.raise("help: nothing is known of this; give an operation, its name, a class or a function of the library")
end

return M
