--- Stages that are run one after the other, each only when it must be.
--
-- A stage is { name, title, script, arguments = { ... }, needs = { names of earlier stages }, leaves = { files } }; it
-- is called as `lua script arguments --out ROOT/name`, where {root} in an argument stands for ROOT.  Beside what a
-- stage leaves stands stage.json: the fingerprint of all that went into it (script, library, arguments, the
-- fingerprints of the stages that it needs) and how long it took.  While both hold, the stage is skipped.  A stage that
-- was stopped has no stage.json, and is run again.
local cjson = require "cjson"
local lfs = require "lfs"
local now = require("perilune.core").terminal.now
local fingerprint = require "support.fingerprint"
local folder = require "support.folder"

local Pipeline = {}
Pipeline.__index = Pipeline

-- For the shell; a plain word stays as it is.
local function quote(word)
  if word:find("^[%w_./=-]+$") then return word end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local function read_json(path)
  local file = io.open(path)
  if not file then return nil end
  local text = file:read("a")
  file:close()
  local ok, value = pcall(cjson.decode, text)
  return ok and type(value) == "table" and value or nil
end

-- Beside the old file and then renamed: a reader never sees half of it.
local function write_json(path, value)
  local file = assert(io.open(path .. ".part", "w"))
  assert(file:write(cjson.encode(value), "\n"))
  assert(file:close())
  assert(os.rename(path .. ".part", path))
end

--- options: root (folder of the results), common (files that every stage depends on), interpreter ("lua5.4"),
-- log (function that is given each line about a stage; default: stderr).
function Pipeline.new(stages, options)
  local self = setmetatable({ stages = stages, root = options.root, interpreter = options.interpreter or "lua5.4",
    common = fingerprint.of({}, options.common or {}), prints = {}, by_name = {},
    log = options.log or function(line) io.stderr:write(line, "\n") end }, Pipeline)
  for i, stage in ipairs(stages) do
    for _, name in ipairs(stage.needs or {}) do
      if not self.by_name[name] then
        error(("stage %s needs %s, which does not stand before it"):format(stage.name, name))
      end
    end
    self.by_name[stage.name] = i
  end
  return self
end

function Pipeline:out(stage) return self.root .. "/" .. stage.name end

local function stamp_path(self, stage) return self:out(stage) .. "/stage.json" end

function Pipeline:fingerprint(stage)
  if not self.prints[stage.name] then
    local words = { self.common, table.unpack(stage.arguments or {}) }
    for _, name in ipairs(stage.needs or {}) do
      words[#words + 1] = self:fingerprint(self.stages[self.by_name[name]])
    end
    self.prints[stage.name] = fingerprint.of(words, { stage.script })
  end
  return self.prints[stage.name]
end

--- What is known of a stage whose result is there and whose inputs did not change: { fingerprint, seconds, finished }.
---@return table?
function Pipeline:finished(stage)
  local stamp = read_json(stamp_path(self, stage))
  if not stamp or stamp.fingerprint ~= self:fingerprint(stage) then return nil end
  for _, name in ipairs(stage.leaves or {}) do
    if not lfs.attributes(self:out(stage) .. "/" .. name, "mode") then return nil end
  end
  return stamp
end

function Pipeline:command(stage)
  local words = { self.interpreter, stage.script }
  for _, word in ipairs(stage.arguments or {}) do words[#words + 1] = (word:gsub("{root}", self.root)) end
  for i, word in ipairs(words) do words[i] = quote(word) end
  return table.concat(words, " ") .. " --out " .. quote(self:out(stage))
end

local function duration(seconds) return ("%d:%02d"):format(seconds // 60, math.floor(seconds % 60)) end

local function run_stage(self, stage, i)
  folder.make(self:out(stage))
  os.remove(stamp_path(self, stage))
  self.log(("[%d/%d] %s: %s"):format(i, #self.stages, stage.name, stage.title))
  local start = now()
  local ok, how, code = os.execute(self:command(stage))
  local seconds = now() - start
  if not ok then
    return nil, ("%s stopped after %s (%s %d); run it again to go on from here"):format(
      stage.name, duration(seconds), how == "signal" and "signal" or "exit status", code)
  end
  for _, name in ipairs(stage.leaves or {}) do
    if not lfs.attributes(self:out(stage) .. "/" .. name, "mode") then
      return nil, ("%s ended well but left no %s"):format(stage.name, name)
    end
  end
  write_json(stamp_path(self, stage), { fingerprint = self:fingerprint(stage), seconds = seconds,
    finished = os.date("!%Y-%m-%d %H:%M UTC") })
  self.log(("[%d/%d] %s: done in %s"):format(i, #self.stages, stage.name, duration(seconds)))
  return true
end

--- Runs what must be run.
---@param given? { only: table?, force: boolean? }  only: a set of stage names; force: run them even if nothing changed
---@return boolean? ok, string? message
function Pipeline:run(given)
  local only, force = given and given.only, given and given.force
  for i, stage in ipairs(self.stages) do
    local stamp = self:finished(stage)
    local wanted = not only or only[stage.name]
    if wanted and stamp and not force then
      self.log(("[%d/%d] %s: nothing changed since %s (%s)"):format(i, #self.stages, stage.name, stamp.finished,
        duration(stamp.seconds)))
    elseif wanted then
      local ok, message = run_stage(self, stage, i)
      if not ok then return nil, message end
    end
  end
  return true
end

return Pipeline
