-- studies.lua -- create, load, delete, copy and list studies.
local InMemory = require "perilune.study.storages.in_memory"
local RDB = require "perilune.study.storages.rdb"
local Study = require "perilune.study.study"
local core = require "perilune.core"
local log = require "perilune.study.log"
local options = require "perilune.options"
local workers = require "perilune.study.workers"

local studies = {}

-- What every sampler and pruner has, and how one is made.
local METHOD = { sampler = "sample_independent", pruner = "prune" }
local EXAMPLE = { sampler = "samplers.TPE { seed = 1 }", pruner = "pruners.Median()" }

-- "CmaEs" is samplers.CmaEs(), and "cma_es" what samplers/cma_es.lua makes.
local function named(call, what, folder, given)
  if type(given) == "table" and type(given[METHOD[what]]) == "function" then return given end
  if type(given) ~= "string" then
    core.raise(("%s: %s must be a name or an object such as perilune.study.%s, got %s"):format(call, what,
      EXAMPLE[what], options.described(given)))
  end
  local path = ("perilune.study.%s.%s"):format(folder, given)
  local is_name = given:find("^%l[%l_]*$") and given ~= "base" and given ~= "init"
  if is_name and package.searchpath(path, package.path) then return require(path)() end
  local place = require("perilune.study." .. folder)
  if place[given] then return place[given]() end
  return core.raise(("%s: there is no %s %s; %s"):format(call, what, options.described(given), tostring(place)))
end

local function sampler_for(call, given, directions)
  return named(call, "sampler", "samplers", given or (#directions > 1 and "nsgaii" or "tpe"))
end

-- A URL, an object of perilune.study.storages, or nil: in memory.
local function storage_of(call, given, must_exist)
  if type(given) == "table" and given.create_study then return given end
  if type(given) == "string" then return RDB(given, { must_exist = must_exist }) end
  if given == nil and not must_exist then return InMemory() end
  return core.raise(("%s: storage must be a URL such as sqlite:///study.db, or a storage, got %s"):format(call,
    options.described(given)))
end

local function check_name(call, name)
  if #name == 0 or (utf8.len(name) or 513) > 512 then
    core.raise(call .. ": a study's name is text of 1 to 512 characters")
  end
end

local read_create = options.reader("study.create", { { "study_name", "study" }, { "direction", nil, "string" },
  { "directions", nil, "table" }, { "storage", nil, "any" }, { "sampler", nil, "any" },
  { "pruner", "median", "any" }, { "load_if_exists", false } })

local function directions_of(chosen)
  local directions = chosen.directions or { chosen.direction or "minimize" }
  if chosen.direction and chosen.directions then core.raise("study.create: give direction or directions, not both") end
  if #directions == 0 then core.raise("study.create: directions must not be empty") end
  for _, direction in ipairs(directions) do
    options.choice("study.create", "direction", direction, { "minimize", "maximize" })
  end
  return table.move(directions, 1, #directions, 1, {})
end

-- Goes on with a study that is there.
local function join(storage, study_id, chosen, directions)
  local there = storage:directions(study_id)
  if (chosen.direction or chosen.directions) and table.concat(there, ", ") ~= table.concat(directions, ", ") then
    core.raise(("study.create: the study '%s' is there already, with other directions: %s"):format(chosen.study_name,
      table.concat(there, ", ")))
  end
  log.info(("Using an existing study with name '%s' instead of creating a new one."):format(chosen.study_name))
  return study_id
end

-- One that is there is only read: it may lie in a file that cannot be written.
local function make(storage, chosen, directions)
  local may_join = chosen.load_if_exists or workers.is_worker()
  local known = may_join and storage:find_study(chosen.study_name)
  if known then return join(storage, known, chosen, directions) end
  local study_id = storage:create_study(chosen.study_name, directions)
  if study_id then
    log.info(("A new study created in %s with name: %s"):format(storage.url and "RDB" or "memory", chosen.study_name))
    return study_id
  end
  if not may_join then
    core.raise(("study.create: there is a study '%s' already; load_if_exists = true goes on with it"):format(
      chosen.study_name))
  end
  return join(storage, storage:find_study(chosen.study_name), chosen, directions)   -- of another worker, just now
end

--- A study.  Options: study_name "study"; direction "minimize" or "maximize" (directions: a list, for several
--- objectives); storage: nothing (it lives in memory), "sqlite:///study.db",
--- "postgresql://user:password@host/database", or an object of perilune.study.storages; load_if_exists = false: whether
--- to go on with a study of this name; sampler "tpe" ("nsgaii" for several objectives), the name of another
--- or an object; pruner "median", the name of another or an object.
---@param given? table
---@return table
function studies.create(given)
  local chosen = read_create(given)
  check_name("study.create", chosen.study_name)
  local directions = directions_of(chosen)
  local sampler = sampler_for("study.create", chosen.sampler, directions)
  local pruner = named("study.create", "pruner", "pruners", chosen.pruner)
  local storage = storage_of("study.create", chosen.storage)
  return Study(storage, make(storage, chosen, directions), chosen.study_name, sampler, pruner)
end

-- The id and name of a study that must be there; without a name, of the only one.
local function found(call, storage, name)
  if name then
    local study_id = storage:find_study(name)
    if study_id then return study_id, name end
    return core.raise(("%s: there is no study '%s'"):format(call, name))
  end
  local all = storage:studies()
  if #all == 1 then return all[1].study_id, all[1].study_name end
  return core.raise(("%s: there are %d studies; give study_name"):format(call, #all))
end

local read_load = options.reader("study.load", { { "study_name", nil, "string" }, { "storage", nil, "any" },
  { "sampler", nil, "any" }, { "pruner", "median", "any" } })

--- A study that is there already.  Options: study_name (may be left away if there is one only), storage, sampler,
--- pruner.
---@param given table
---@return table
function studies.load(given)
  local chosen = read_load(given)
  local pruner = named("study.load", "pruner", "pruners", chosen.pruner)
  local storage = storage_of("study.load", chosen.storage, true)
  local study_id, name = found("study.load", storage, chosen.study_name)
  local sampler = sampler_for("study.load", chosen.sampler, storage:directions(study_id))
  return Study(storage, study_id, name, sampler, pruner)
end

local read_delete = options.reader("study.delete", { { "study_name", nil, "string" }, { "storage", nil, "any" } })

--- Deletes a study with all its trials.  Options: study_name, storage.
---@param given table
function studies.delete(given)
  local chosen = read_delete(given)
  if not chosen.study_name then core.raise("study.delete: study_name is needed") end
  if workers.is_replaying() then return end
  local storage = storage_of("study.delete", chosen.storage, true)
  storage:delete_study((found("study.delete", storage, chosen.study_name)))
end

local read_copy = options.reader("study.copy", { { "from_study_name", nil, "string" }, { "from_storage", nil, "any" },
  { "to_storage", nil, "any" }, { "to_study_name", nil, "string" } })

--- Copies a study: directions, attributes, and the trials that are not RUNNING.  Options: from_study_name,
--- from_storage, to_storage, to_study_name (default: the same name).
---@param given table
function studies.copy(given)
  local chosen = read_copy(given)
  if workers.is_replaying() then return end
  local from = storage_of("study.copy", chosen.from_storage, true)
  local study_id, from_name = found("study.copy", from, chosen.from_study_name)
  local to, name = storage_of("study.copy", chosen.to_storage or core.raise("study.copy: to_storage is needed")),
    chosen.to_study_name or from_name
  check_name("study.copy", name)
  local trials = {}
  for _, record in ipairs(from:trials(study_id):all()) do
    if record.state ~= "RUNNING" then trials[#trials + 1] = record end
  end
  local new_id = to:create_study(name, from:directions(study_id))
  if not new_id then core.raise(("study.copy: there is a study '%s' already; give to_study_name"):format(name)) end
  for _, kind in ipairs { "user", "system" } do
    for key, value in pairs(from:study_attrs(study_id, kind)) do to:set_study_attr(new_id, kind, key, value) end
  end
  to:trials(new_id):add(trials)
end

local function summary(storage, entry)
  local study = Study(storage, entry.study_id, entry.study_name)
  local trials = study.trials
  local has_best, best = pcall(function() return study.best_trial end)
  return { study_name = entry.study_name, directions = study.directions, user_attrs = study.user_attrs,
    system_attrs = study.system_attrs, n_trials = #trials, best_trial = has_best and best or nil,
    datetime_start = trials[1] and trials[1].datetime_start }
end

local read_list = options.reader("study.list", { { "storage", nil, "any" } })

--- What studies a storage has: a list of { study_name, directions, n_trials, best_trial (one objective, and a COMPLETE
--- trial), datetime_start, user_attrs, system_attrs }, oldest first.  Options: storage.
---@param given table
---@return table[]
function studies.list(given)
  local storage, list = storage_of("study.list", read_list(given).storage, true), {}
  for i, entry in ipairs(storage:studies()) do list[i] = summary(storage, entry) end
  return list
end

return studies
