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

--- { { what, value }, ... } of this machine and these versions.
function M.facts(perilune)
  local kib = tonumber(first_match("/proc/meminfo", "MemTotal:%s+(%d+)"))
  return {
    { "processor", first_match("/proc/cpuinfo", "model name%s*:%s*([^\n]+)") or "unknown" },
    { "cores", count_processors() },
    { "memory", kib and ("%.0f GiB"):format(kib / 2^20) or "unknown" },
    { "system", first_match("/etc/os-release", 'PRETTY_NAME="([^"]+)"') or "unknown" },
    { "Lua", _VERSION },
    { "library", perilune._VERSION },
    { "threads", tostring(perilune.get_num_threads()) },
    { "date", os.date("!%Y-%m-%d %H:%M UTC") },
  }
end

return M
