-- interrupt.lua -- Ctrl-C stops a loop between two of its steps, never within one.
--
-- The stock lua5.4 answers SIGINT by a debug hook on its main coroutine that raises "interrupted!" at the next
-- instruction, which may lie within optimizer:step().  A hook belongs to one coroutine.  So the loop runs in a
-- coroutine of its own, which the hook does not see, and yields at its boundaries; there the main coroutine runs for a
-- moment, the hook strikes, and the loop is told when it is resumed.  No signal handler is installed: in a host that
-- has none, nothing changes.
local core = require "perilune.core"

local interrupt = {}

-- How often a loop was interrupted: what called it (a search) may have to end as well.
interrupt.count = 0

-- Errors of the loop end up in the job; what this raises came from a hook.
local function drive(job)
  while coroutine.status(job.thread) ~= "dead" do coroutine.resume(job.thread, job.stop) end
end

-- A coroutine does not see who called run: what the library itself raises in there names that line.
local function at_callers_line()
  local before = core.set_position(core.position())
  return setmetatable({}, { __close = function() core.set_position(before) end })
end

--- Runs body(boundary) to its end and returns nothing.  At each boundary() the body can be interrupted: it returns true
--- then, and from then on, and the body comes to its end by itself.
--- An error of the body is raised again, as it was; so is what a hook raised, unless it was lua5.4's "interrupted!".
---@param body fun(boundary: fun(): boolean)
---@param traceback fun(text: string)  gets the traceback of the body's error
function interrupt.run(body, traceback)
  local place <close> = at_callers_line() -- luacheck: ignore
  local job = { stop = false }
  local function boundary() return coroutine.yield() or job.stop end
  local function handler(message)
    traceback(debug.traceback(tostring(message), 2))
    return message
  end
  job.thread = coroutine.create(function()
    local fine, message = xpcall(body, handler, boundary)
    if not fine then job.failed, job.message = true, message end
  end)
  local struck, reason
  repeat
    local fine, message = pcall(drive, job)
    if not fine then
      struck, reason, job.stop = true, message, true
      interrupt.count = interrupt.count + 1
    end
  until coroutine.status(job.thread) == "dead"
  if job.failed then error(job.message, 0) end
  if struck and not tostring(reason):find("interrupted!$") then error(reason, 0) end
end

return interrupt
