--- What a result was made with.
local M = {}

local function first_match(path, pattern)
  local file = io.open(path)
  if not file then return nil end
  local found = file:read("a"):match(pattern)
  file:close()
  return found
end

local function count_processors()
  local file, n = io.open("/proc/cpuinfo"), 0
  if not file then return "?" end
  for line in file:lines() do if line:find("^processor") then n = n + 1 end end
  file:close()
  return tostring(n)
end

-- The first line that a command prints.
local function first_line(command)
  local pipe = io.popen(command .. " 2>/dev/null")
  local line = pipe and pipe:read("l")
  if pipe then pipe:close() end
  return line
end

-- The compiler signs what it makes.
local function compiler()
  local core = package.searchpath("perilune.core", package.cpath)
  return core and first_match(core, "GCC: [%g ]+") or core and first_match(core, "clang version [%g ]+") or "unknown"
end

-- The shared library that this process has loaded carries its version in its name.
local function openblas()
  local name = first_match("/proc/self/maps", "(libopenblas[%w_.-]*)")
  local path = first_match("/proc/self/maps", "(/[%g]*libopenblas[%w_.-]*)")
  local target = path and first_line(("readlink -f '%s'"):format(path))
  return target and target:match("[^/]*$") or name or "unknown"
end

--- { { what, value }, ... } of this machine and these versions.
---@param perilune table
---@param interpreter string  the name of the lua that runs the experiments
function M.facts(perilune, interpreter)
  local kib = tonumber(first_match("/proc/meminfo", "MemTotal:%s+(%d+)"))
  return {
    { "processor", first_match("/proc/cpuinfo", "model name%s*:%s*([^\n]+)") or "unknown" },
    { "cores", count_processors() },
    { "memory", kib and ("%.0f GiB"):format(kib / 2^20) or "unknown" },
    { "system", first_match("/etc/os-release", 'PRETTY_NAME="([^"]+)"') or "unknown" },
    { "kernel", (first_match("/proc/sys/kernel/ostype", "%g+") or "") .. " "
      .. (first_match("/proc/sys/kernel/osrelease", "%g+") or "unknown") },
    { "Lua", (first_line(interpreter .. " -v") or _VERSION):match("^%a+ [%d.]+") },
    { "compiler", compiler() },
    { "OpenBLAS", openblas() },
    { "library", perilune._VERSION },
    { "threads", tostring(perilune.get_num_threads()) },
    { "date", os.date("!%Y-%m-%d %H:%M UTC") },
  }
end

return M
