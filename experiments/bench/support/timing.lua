--- Wall-clock medians, and the lines that run.lua reads: NAME <tab> VALUE <tab> UNIT.
local core = require "perilune.core"

local M = { clock = core.terminal.now }

function M.median(values)
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  local n = #sorted
  return n % 2 == 1 and sorted[n // 2 + 1] or (sorted[n // 2] + sorted[n // 2 + 1]) / 2
end

--- Seconds that one call of f takes.
function M.once(f, ...)
  local begin = M.clock()
  f(...)
  return M.clock() - begin
end

--- Median seconds of a call, after a warm-up; each of the rounds makes `inner` calls.
function M.seconds(f, rounds, inner)
  inner = inner or 1
  f()
  local times = {}
  for round = 1, rounds do
    local begin = M.clock()
    for _ = 1, inner do f() end
    times[round] = (M.clock() - begin) / inner
  end
  return M.median(times)
end

--- Calls f for about budget_s seconds in at least three rounds; median seconds of a call.
function M.calibrated(f, budget_s)
  f()
  local one = math.max(M.once(f), 1e-7)
  local inner = math.max(1, math.floor(budget_s / 7 / one))
  local rounds = math.max(3, math.min(7, math.floor(budget_s / (one * inner))))
  return M.seconds(f, rounds, inner)
end

function M.report(name, value, unit)
  local shown = type(value) == "number" and ("%.4f"):format(value) or tostring(value)
  print(("%s\t%s\t%s"):format(name, shown, unit or ""))
  io.stdout:flush()
end

--- The folder of the running script with a slash, so that support/ is found from anywhere.
function M.folder()
  return (arg[0]:match("^(.*/)") or "./")
end

return M
