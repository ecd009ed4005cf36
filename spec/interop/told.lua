-- told.lua URL FILE [N] -- after workers (spec/support/study_worker.lua) wrote FILE: numbers have no gap, what was told is
-- there as it was told, nothing is doubled; with N, there are exactly N trials, all complete.
local study = require("perilune").study
local url, path, n = arg[1], arg[2], math.tointeger(arg[3])

study.set_verbosity("off")
local s = study.load { study_name = "shared", storage = url }
s.store:retire()
local trials, seen, told = s.trials, {}, 0
for i, record in ipairs(trials) do
  assert(record.number == i - 1, "a gap in the numbers")
  assert(not n or record.state == "COMPLETE", record.state)
  assert(record.state ~= "RUNNING", "a trial still runs")
end
for line in io.lines(path) do
  local number, value = line:match("^told (%d+) (%S+)$")   -- the last line of a killed worker may be cut
  if number then
    local record = trials[math.tointeger(number) + 1]
    assert(record and record.state == "COMPLETE" and record.value == tonumber(value), line)
    assert(not seen[number], "told twice: " .. line)
    seen[number], told = true, told + 1
  end
end
assert(told > 0 and (not n or #trials == n), ("%d trials, %d told"):format(#trials, told))
print(("%d trials, %d told"):format(#trials, told))
