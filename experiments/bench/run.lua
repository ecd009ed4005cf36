--- Runs the benchmarks, ours and PyTorch's in turn, several times, and prints the medians and their ratios.
--   PERILUNE_PYTHON=python-with-torch lua5.4 experiments/bench/run.lua [--rounds 3] [NAME ...]
-- Without PERILUNE_PYTHON only ours are timed.
local folder = arg[0]:match("^(.*/)") or "./"
package.path = folder .. "?.lua;" .. package.path
local argparse = require "argparse"
local timing = require "support.timing"

local ALL = { "import", "cae", "encoder", "convnet", "memory", "ops" }

local parser = argparse("run.lua", "Times the library beside PyTorch.")
parser:argument("names", "benchmarks; default: all of them"):args("*")
parser:option("--rounds", "how often each pair is run", 3):convert(math.tointeger)
local options = parser:parse()
local names = #options.names > 0 and options.names or ALL

--- The python of the environment, if it has PyTorch.
local function find_python()
  local python = os.getenv("PERILUNE_PYTHON")
  if not python or python == "" then return nil end
  if os.execute(python .. " -c 'import torch' 2>/dev/null") then return python end
  io.stderr:write(("%s has no PyTorch: only ours are timed\n"):format(python))
end

local python = find_python()

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

--- Runs a script; adds its values to results[name].times.
local function gather(command, results)
  local pipe = assert(io.popen(command))
  for line in pipe:lines() do
    local name, value, unit = line:match("^([^\t]+)\t([^\t]*)\t?(.*)$")
    if name then
      local entry = results[name]
      if not entry then
        entry = { name = name, unit = unit, values = {} }
        results[name], results[#results + 1] = entry, entry
      end
      entry.values[#entry.values + 1] = tonumber(value)
      entry.text = value
    end
  end
  assert(pipe:close(), command .. " failed")
end

local function shown(entry)
  if #entry.values == 0 then return entry.text end
  return ("%.4g %s"):format(timing.median(entry.values), entry.unit)
end

local function print_table(title, ours, peers)
  print(title)
  for _, entry in ipairs(ours) do
    local peer, ratio = peers[entry.name], ""
    if peer and #peer.values > 0 then
      ratio = ("%.1f times"):format(timing.median(peer.values) / timing.median(entry.values))
    end
    print(("  %-34s %16s   %16s   %s"):format(entry.name, shown(entry), peer and shown(peer) or "", ratio))
  end
  for _, entry in ipairs(peers) do
    if not ours[entry.name] then print(("  %-34s %16s   %16s"):format(entry.name, "", shown(entry))) end
  end
end

for _, name in ipairs(names) do
  local ours, peers = {}, {}
  local script, peer = folder .. name .. ".lua", folder .. name .. "_pytorch.py"
  if name == "ops" then
    local environment = python and ("PERILUNE_PYTHON=%q "):format(python) or "PERILUNE_PYTHON= "
    assert(os.execute(environment .. ("%s %s"):format(arg[-1], script)))   -- it prints its own table
  else
    for _ = 1, name == "memory" and 1 or options.rounds do
      gather(("%s %s"):format(arg[-1], script), ours)
      if python and exists(peer) then gather(("%s %s 2>/dev/null"):format(python, peer), peers) end
    end
    print_table(("%s%s(ours, PyTorch, ratio)"):format(name, (" "):rep(math.max(1, 32 - #name))), ours, peers)
  end
end
