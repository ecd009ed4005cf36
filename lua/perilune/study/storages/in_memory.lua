-- storages/in_memory.lua -- studies that live as long as this process.
local Storage = require "perilune.study.storages.base"
local class = require "perilune.train.class"
local core = require "perilune.core"
local json = require "perilune.study.json"
local shown = require "perilune.shown"

local Trials = class.new("InMemoryTrials")

function Trials:init()
  self.records, self.finished, self.waiting, self.running = {}, {}, {}, {}
  self.first_waiting, self.last_waiting = 1, 0
end

function Trials:sync() end -- luacheck: ignore self

function Trials:all()
  local list = {}
  for i, record in ipairs(self.records) do
    list[i] = record.datetime_complete and record or Storage.snapshot(record)
  end
  return list
end

function Trials:active()
  local list = {}
  for _, record in pairs(self.running) do list[#list + 1] = record end
  table.sort(list, function(a, b) return a.number < b.number end)
  return list
end

function Trials:find(number) return self.records[number + 1] end

-- What a database would refuse is refused here: a search that grows out of memory finds nothing new to mend.
local function check_kept(kind, value)
  if kind == "system" then return end
  local fine, problem = pcall(json.encode, value)
  if not fine then core.raise("study: this value cannot be kept: " .. problem) end
end

local function new_record(self, state)
  local number = #self.records
  local record = Storage.record(number, number + 1, state)
  self.records[number + 1] = record
  return record
end

local function claim(self)
  local record = self.waiting[self.first_waiting]
  if not record then return nil end
  self.waiting[self.first_waiting] = nil
  self.first_waiting = self.first_waiting + 1
  record.state = "RUNNING"
  return record
end

function Trials:count()
  local n = #self.finished
  for _ in pairs(self.running) do n = n + 1 end
  return n
end

function Trials:begin(limit)
  if limit and self:count() >= limit then return nil end
  local record = claim(self) or new_record(self, "RUNNING")
  record.datetime_start = Storage.now()
  self.running[record.number] = record
  return record
end

function Trials:add(list)
  for _, fields in ipairs(list) do check_kept("user", fields.user_attrs) end
  for _, fields in ipairs(list) do
    local record = new_record(self, fields.state)
    for key, value in pairs(Storage.snapshot(fields)) do record[key] = value end
    if record.state == "WAITING" then
      self.last_waiting = self.last_waiting + 1       -- #waiting would not do: its front is taken away
      self.waiting[self.last_waiting] = record
    else
      table.insert(self.finished, record)
    end
  end
end

function Trials:set_param(record, name, internal, distribution) -- luacheck: ignore self
  record.internal_params[name], record.distributions[name] = internal, distribution
  record.params[name] = distribution:to_external(internal)
end

function Trials:set_intermediate(record, step, value) -- luacheck: ignore self
  record.intermediate_values[step] = value
end

function Trials:set_attr(record, kind, key, value) -- luacheck: ignore self
  check_kept(kind, value)
  record[kind .. "_attrs"][key] = value
end

function Trials:finish(record, state, values)
  record.state, record.values, record.value = state, values, values and #values == 1 and values[1] or nil
  record.datetime_complete = Storage.now()
  self.running[record.number] = nil
  table.insert(self.finished, record)
end

function Trials:heartbeat() end -- luacheck: ignore self

local InMemory = Storage:extend("InMemoryStorage")

InMemory.__tostring = shown.by("InMemoryStorage", function(self)
  local count = #self:studies()
  return ("%d stud%s"):format(count, count == 1 and "y" or "ies")
end)

--- Studies in this process; several may share one storage.
function InMemory:init() self.by_id, self.last_id = {}, 0 end

function InMemory:create_study(name, directions)
  if self:find_study(name) then return nil end
  self.last_id = self.last_id + 1
  self.by_id[self.last_id] = { name = name, directions = directions, user = {}, system = {}, trials = Trials() }
  return self.last_id
end

function InMemory:studies()
  local list = {}
  for study_id = 1, self.last_id do
    local study = self.by_id[study_id]
    if study then list[#list + 1] = { study_id = study_id, study_name = study.name } end
  end
  return list
end

function InMemory:find_study(name)
  for study_id, study in pairs(self.by_id) do
    if study.name == name then return study_id end
  end
end

function InMemory:directions(study_id) return self.by_id[study_id].directions end

function InMemory:delete_study(study_id) self.by_id[study_id] = nil end

function InMemory:study_attrs(study_id, kind) return self.by_id[study_id][kind] end

function InMemory:set_study_attr(study_id, kind, key, value)
  check_kept(kind, value)
  self.by_id[study_id][kind][key] = value
end

function InMemory:trials(study_id) return self.by_id[study_id].trials end

return InMemory
