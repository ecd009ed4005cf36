-- process.lua -- who this process is, so that another one on the same machine can see that it was killed.
--
-- A process number alone is used again by others, so the time when the process was started stands beside it, and where
-- the number is valid: the boot of the machine and the name of the host (a container has its own).
local process = {}

local function first_line(path)
  local file = io.open(path)
  local line = file and file:read("l")
  if file then file:close() end
  return line
end

-- The process's number, state and starting time (in ticks since the boot).  Its name may contain anything.
local function status(pid)
  local line = first_line(("/proc/%s/stat"):format(pid))
  if not line then return nil end
  local rest = line:match("^.*%) (.*)$")
  local fields = {}
  for field in rest:gmatch("%S+") do fields[#fields + 1] = field end
  return math.tointeger(line:match("^%d+")), fields[1], math.tointeger(fields[20])
end

local function place()
  local boot = first_line("/proc/sys/kernel/random/boot_id")
  local host = first_line("/proc/sys/kernel/hostname")
  return boot and host and boot .. " " .. host
end

local own

--- { pid, started, place } of this process, or nil where there is no /proc.
---@return table?
function process.own()
  if own == nil then
    local pid, _, started = status("self")
    local where = place()
    own = pid and where and { pid = pid, started = started, place = where } or false
  end
  return own or nil
end

--- "alive", "dead", or "unknown": the process ran elsewhere.
---@param identity any  what own() gave there
---@return string
function process.fate(identity)
  local here = process.own()
  if type(identity) ~= "table" or not here or identity.place ~= here.place then return "unknown" end
  local pid, state, started = status(identity.pid)
  local is_alive = pid and started == identity.started and state ~= "Z"   -- Z: nobody has asked how it ended
  return is_alive and "alive" or "dead"
end

return process
