-- workers.lua -- optimize { n_jobs = 4 }: processes of the same script that share a study.
--
-- A process with threads must not fork, and a function cannot be sent to another process.  So each worker is the
-- interpreter again, with the script and its arguments, told by WORKER which call of optimize it is for: it runs the
-- script up to there ("replaying": whatever would change a study does nothing), takes its part, and exits.  The calling
-- process runs no trial.  It reads one pipe, in which a shell joins what the workers say: their own output, and lines
-- of the form "MARK word rest".  A tick comes each second, so that Ctrl-C finds somebody awake.
--
-- How many trials are left is a pipe with one byte for each, which all workers have open as descriptor 3: taking a
-- byte out is atomic, and no worker waits while another has trials to spare.  A file that appears ends them all.
local core = require "perilune.core"
local json = require "perilune.study.json"
local log = require "perilune.study.log"
local shield = require "perilune.study.shield"

local workers = {}

local WORKER = "PERILUNE_STUDY_WORKER"   -- "CALL LIMITED STOP": the call's number, whether trials are counted, a path
local MARK = "\1perilune "
local PATIENCE_ticks = 2                 -- how long workers may take to end by themselves after Ctrl-C
local EINTR = 4
local KEPT_lines = 12                    -- of a worker's output, for the report of its death

local calls, is_working = 0, false
local own_call, limited, stop_path = (os.getenv(WORKER) or ""):match("^(%d+) (%d) (.+)$")

--- Whether this process was started by optimize { n_jobs = ... } of another one.
---@return boolean
function workers.is_worker() return own_call ~= nil end

--- Whether this is a worker that has not come to its optimize call yet: studies are not changed then.
---@return boolean
function workers.is_replaying() return own_call ~= nil and not is_working end

--- What a call of optimize is for this process: "alone" (its own), "skip", or "work".
---@return string
function workers.part()
  calls = calls + 1
  if not own_call then return "alone" end
  return calls == math.tointeger(own_call) and "work" or "skip"
end

-- -- a worker --

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

local function create(path)
  local file = io.open(path, "w")
  if file then file:close() end
end

local function say(...)
  io.stdout:write(MARK, table.concat({ ... }, " "), "\n")
  io.stdout:flush()
end

-- A function that takes one trial from those that are left.
local function taker()
  local pipe = limited == "1" and assert(io.open("/dev/fd/3", "rb"))
  if pipe then pipe:setvbuf("no") end
  return function() return not exists(stop_path) and (not pipe or pipe:read(1) ~= nil) end
end

--- Takes part in the trials and ends this process, which was started for nothing else.
function workers.work(study, objective, chosen, loop)
  is_working = true
  io.stdout:setvbuf("line")
  log.set_sink(function(line) say("log", line) end)
  core.set_num_threads(math.max(1, core.get_num_threads() // chosen.n_jobs))
  say("begin")
  local fine, message = pcall(loop, study, objective, chosen, taker(), function() say("trial") end)
  if not fine or study.stopped then create(stop_path) end
  local is_interrupted = not fine and tostring(message):find("interrupted!", 1, true)
  if is_interrupted then say("interrupted") elseif not fine then say("error", json.encode(tostring(message))) end
  os.exit(fine, true)
end

-- -- the calling process --

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

-- The command line of this process, or nil where it runs no script.
local function command_line()
  local arguments = rawget(_G, "arg")
  if type(arguments) ~= "table" or type(arguments[0]) ~= "string" or not exists(arguments[0]) then return nil end
  local first = 0
  while arguments[first - 1] do first = first - 1 end
  if first == 0 then return nil end
  local words = {}
  for i = first, #arguments do
    if i > 0 or arguments[i] ~= "-i" then words[#words + 1] = quoted(arguments[i]) end
  end
  return table.concat(words, " ")
end

-- Where the calling process was killed, nobody reads: the ticks have ended before they are told to.
local SHELL = [[
trap '' INT
%s | {
exec 3<&0 </dev/null
export %s=%s
waited=
for i in %s; do
  { sh -c 'printf "\001perilune pid $$\n"; exec "$@"' sh %s; printf '\001perilune exit %%d\n' $?; } 2>&1 |
    sed -u "s/^/$i /" &
  waited="$waited $!"
done
while sleep 1 >/dev/null; do printf '0 \001perilune tick\n'; done &
wait $waited
kill $! 2>/dev/null
}]]

local function script(command, chosen, stop)
  local indices = {}
  for i = 1, chosen.n_jobs do indices[i] = i end
  local tokens = chosen.n_trials and ("head -c %d /dev/zero"):format(math.max(0, chosen.n_trials)) or ":"
  local told = ("%d %d %s"):format(calls, chosen.n_trials and 1 or 0, stop)
  return SHELL:format(tokens, WORKER, quoted(told), table.concat(indices, " "), command)
end

local handle = {}

function handle.pid(job, rest) job.pid = rest end

function handle.begin(job) job.has_begun, job.lines = true, {} end

function handle.trial(_, _, pool)
  if pool.bar then pool.bar:update(1) end
end

function handle.log(_, rest) io.stderr:write(rest, "\n") end

handle["error"] = function(job, rest, pool)
  job.is_explained = true
  pool.failure = pool.failure or json.decode(rest)
end

function handle.interrupted(job, _, pool) job.is_explained, pool.is_interrupted = true, true end

-- After Ctrl-C workers end by themselves; those that were not told (only this process was) are, after a while.
function handle.tick(_, _, pool)
  if not pool.is_interrupted then return end
  pool.ticks = pool.ticks + 1
  if pool.ticks ~= PATIENCE_ticks then return end
  for _, job in ipairs(pool.jobs) do
    if job.pid and not job.has_ended then os.execute("kill -INT " .. job.pid .. " 2>/dev/null") end
  end
end

local function report(pool, index, job, code)
  local how = code > 128 and ("was killed by signal %d"):format(code - 128) or ("ended with status %d"):format(code)
  if code == 0 then how = "came to its end without coming to this call of optimize" end
  local output = #job.lines > 0 and "; its last lines:\n" .. table.concat(job.lines, "\n") or ""
  pool.report = ("worker %d %s%s"):format(index, how, output)
  log.warning(pool.report)
end

function handle.exit(job, rest, pool, index)
  local code = math.tointeger(rest)
  job.has_ended = true
  if code ~= 0 and not job.is_explained or code == 0 and not job.has_begun then
    pool.n_lost = pool.n_lost + 1
    report(pool, index, job, code)
  end
end

-- What a worker prints before its call of optimize was printed by this process already.  It is shown at once: a
-- search that goes on for hours is watched through a file or a pipe, too.
local function pass_on(job, text)
  if job.has_begun then
    io.stdout:write(text, "\n")
    io.stdout:flush()
  end
  table.insert(job.lines, text)
  if #job.lines > KEPT_lines then table.remove(job.lines, 1) end
end

local function take_line(pool, line)
  local index, text = line:match("^(%d+) (.*)$")
  index = math.tointeger(index)
  local job = pool.jobs[index]
  local before, word, rest = text:match("^(.-)" .. MARK .. "(%a+) ?(.*)$")
  if before == nil then return pass_on(job, text) end
  if before ~= "" then pass_on(job, before) end
  handle[word](job, rest, pool, index)
end

-- Ctrl-C cuts a read short (EINTR); the workers are brought to their end first.
local function read_all(pool)
  while true do
    local line, message, code = pool.pipe:read("l")
    if line then
      take_line(pool, line)
    elseif code == EINTR then
      create(pool.stop)
      pool.is_interrupted = true
    elseif message then
      error(message, 0)
    else
      return
    end
  end
end

local function run_all(pool, text, study)
  io.stdout:flush()
  pool.pipe = assert(io.popen(text))
  local fine, message = pcall(read_all, pool)
  if not fine then create(pool.stop) end
  pool.pipe:close()
  os.remove(pool.stop)
  if not fine then error(message, 0) end
  if pool.n_lost > 0 then study.store:retire() end
  study.store:sync()
end

--- Starts chosen.n_jobs workers and shows what they do until the last one has ended.
function workers.supervise(study, chosen, bar)
  if not study.storage.url or study.storage.url:find(":memory:", 1, true) then
    core.raise("Study:optimize: n_jobs > 1 needs a storage that other processes can open, such as sqlite:///study.db")
  end
  local command = command_line()
  if not command then
    core.raise("Study:optimize: n_jobs > 1 starts the script again, and this Lua runs none; save it as a file")
  end
  local stop = os.tmpname()
  os.remove(stop)
  local pool = { jobs = { [0] = {} }, stop = stop, bar = bar, ticks = 0, n_lost = 0 }
  for i = 1, chosen.n_jobs do pool.jobs[i] = { lines = {} } end
  shield(run_all, pool, script(command, chosen, stop), study)
  if pool.failure or pool.is_interrupted then error(pool.failure or "interrupted!", 0) end
  if pool.n_lost == chosen.n_jobs then core.raise("Study:optimize: " .. pool.report) end
end

return workers
