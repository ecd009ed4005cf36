--- Stages that are run one after the other, each only when it must be.
--
-- A stage is { name, title, script, arguments = { ... }, needs = { names of earlier stages }, leaves = { files },
-- resume = { more arguments to go on with, after a kill }, about = seconds it may take, where nothing is known }; it is
-- called as `lua script arguments --out ROOT/name`, where {root} in an argument stands for ROOT.  Beside what a stage
-- leaves stands stage.json: the fingerprint of all that went into it (script, library, arguments, the fingerprints of
-- the stages that it needs) and how long it took.  While both hold, the stage is skipped.  The stage.json of a stage
-- that was stopped has no end: with the same fingerprint it goes on from what it left; with another one, what it left
-- is removed first.  All that a stage writes to stdout and stderr stands in output.txt beside it.
local cjson = require "cjson"
local lfs = require "lfs"
local now = require("perilune.core").terminal.now
local fingerprint = require "support.fingerprint"
local folder = require "support.folder"
local View = require "support.view"

local Pipeline = {}
Pipeline.__index = Pipeline

-- For the shell; a plain word stays as it is.
local function quote(word)
  if word:find("^[%w_./=,-]+$") then return word end
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
-- view (what shows how far it is; default: a View on stderr).
function Pipeline.new(stages, options)
  local self = setmetatable({ stages = stages, root = options.root, interpreter = options.interpreter or "lua5.4",
    common = fingerprint.of({}, options.common or {}), prints = {}, by_name = {}, view = options.view or View.new() },
    Pipeline)
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

local function missing_leave(self, stage)
  for _, name in ipairs(stage.leaves or {}) do
    if not lfs.attributes(self:out(stage) .. "/" .. name, "mode") then return name end
  end
end

--- What is known of a stage whose result is there and whose inputs did not change: { fingerprint, seconds, finished }.
---@return table?
function Pipeline:finished(stage)
  local stamp = read_json(stamp_path(self, stage))
  if not stamp or not stamp.finished or stamp.fingerprint ~= self:fingerprint(stage) then return nil end
  return not missing_leave(self, stage) and stamp or nil
end

--- What the shell is given for a stage.
---@param more string[]?  arguments beside its own
function Pipeline:command(stage, more)
  local words = { self.interpreter, stage.script }
  for _, word in ipairs(stage.arguments or {}) do words[#words + 1] = (word:gsub("{root}", self.root)) end
  for _, word in ipairs(more or {}) do words[#words + 1] = word end
  for i, word in ipairs(words) do words[i] = quote(word) end
  return table.concat(words, " ") .. " --out " .. quote(self:out(stage))
end

-- Seconds that a stage will take, if one can say: as long as the last time.
local function expected(self, stage)
  local stamp = read_json(stamp_path(self, stage)) or {}
  return stamp.seconds or stamp.expected or stage.about
end

-- Makes the folder ready and says in stage.json that the stage has begun.  Only a folder with a stage.json is ours to
-- clear.  Returns the stamp, and whether the stage goes on from what it left.
local function begin(self, stage, afresh)
  local out, old = self:out(stage), read_json(stamp_path(self, stage))
  local goes_on = old ~= nil and not afresh and not old.finished and old.fingerprint == self:fingerprint(stage)
  local stamp = { fingerprint = self:fingerprint(stage), spent = goes_on and old.spent or 0,
    expected = expected(self, stage) }
  if old and not goes_on then folder.clear(out) end
  folder.make(out)
  write_json(stamp_path(self, stage), stamp)
  return stamp, goes_on
end

local SECONDS_BETWEEN_STAMPS <const> = 5

-- Two nets: Ctrl-C makes a read fail, and right after that it makes lua raise "interrupted!".
local function catch(f)
  local outer, inner, message = pcall(function()
    local fine, why = pcall(f)
    return fine, why
  end)
  if not outer then return false, inner end
  return inner, message
end

-- Runs the command and gives each of its lines to see(line).  Ctrl-C reaches the command, too: what it still has to
-- say while it saves is read, and then the interruption is reported.
local function run_command(command, see)
  local pipe = assert(io.popen("exec " .. command .. " 2>&1"))
  local function drain()
    for line in pipe:lines() do see(line) end
  end
  local fine, message = catch(drain)
  if not fine then pcall(drain) end
  local ok, how, code = pipe:close()
  if not fine then return nil, message:find("[Ii]nterrupted") and "Ctrl-C" or message end
  return ok, how == "signal" and "signal " .. code or "exit status " .. code
end

-- Runs a stage whose folder is ready.  Keeps what it writes, and from time to time how long it has been running.
local function execute(self, stage, stamp, goes_on)
  local start, stamped, spent = now(), now(), stamp.spent
  local output = assert(io.open(self:out(stage) .. "/output.txt", goes_on and "a" or "w"))
  output:setvbuf("line")
  local ok, how = run_command(self.view:environment() .. self:command(stage, goes_on and stage.resume), function(line)
    output:write(line, "\n")
    self.view:line(line)
    stamp.spent = spent + now() - start
    if now() - stamped > SECONDS_BETWEEN_STAMPS then
      write_json(stamp_path(self, stage), stamp)
      stamped = now()
    end
  end)
  output:close()
  stamp.spent = spent + now() - start
  return ok, how
end

local function run_stage(self, stage, i, afresh)
  local stamp, goes_on = begin(self, stage, afresh)
  self.view:begin(i, stage, stamp.spent, goes_on)
  local ok, how = execute(self, stage, stamp, goes_on)
  local lacks = ok and missing_leave(self, stage)
  if ok and not lacks then
    write_json(stamp_path(self, stage), { fingerprint = stamp.fingerprint, seconds = stamp.spent,
      finished = os.date("!%Y-%m-%d %H:%M UTC") })
    self.view:done(stamp.spent)
    return true
  end
  write_json(stamp_path(self, stage), stamp)
  local time = View.duration(stamp.spent)
  self.view:failed()
  if lacks then return nil, ("%s ended after %s but left no %s"):format(stage.name, time, lacks) end
  return nil, ("%s stopped after %s (%s); run it again to go on from here"):format(stage.name, time, how)
end

--- Runs what must be run.
---@param given? { only: table?, force: boolean? }  only: a set of stage names; force: run them even if nothing changed
---@return boolean? ok, string? message
function Pipeline:run(given)
  local only, force = given and given.only, given and given.force
  local function must_run(stage)
    return (not only or only[stage.name]) and (force or not self:finished(stage))
  end
  local times = {}
  for i, stage in ipairs(self.stages) do times[i] = must_run(stage) and (expected(self, stage) or 0) or 0 end
  self.view:start(times)
  for i, stage in ipairs(self.stages) do
    if must_run(stage) then
      local ok, message = run_stage(self, stage, i, force)
      if not ok then return nil, message end
    elseif self:finished(stage) then
      self.view:skipped(i, stage, self:finished(stage))
    end
  end
  return true
end

return Pipeline
