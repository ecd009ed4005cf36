--- Does memory stay flat?  Resident set after training steps 1,000 and 10,000 of the auto-encoder, with and without
-- scopes, each in a process of its own.
--   lua5.4 experiments/bench/memory.lua [plain|scoped]
package.path = (arg[0]:match("^(.*/)") or "./") .. "?.lua;" .. package.path
local timing = require "support.timing"

local FIRST, LAST, BATCH = 1000, 10000, 128

local function resident_kb()
  for line in io.lines("/proc/self/status") do
    local kb = line:match("^VmRSS:%s+(%d+)")
    if kb then return tonumber(kb) end
  end
end

local function train(mode)
  local perilune = require "perilune"
  local networks = require "support.networks"
  perilune.manual_seed(1)
  local model = networks.autoencoder(8, 14)
  local criterion = perilune.nn.MSELoss()
  local optimizer = perilune.optim.Adam(model:parameters(), { lr = 1e-3 })
  local function step()
    local x = perilune.rand { BATCH, 1, 28, 28 }
    local loss = criterion(model(x), x)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
  end
  local function scoped_step()
    local _ <close> = perilune.scope()
    step()
  end
  local run, first_kb = mode == "scoped" and scoped_step or step, nil
  for i = 1, LAST do
    run()
    if i == FIRST then first_kb = resident_kb() end
  end
  local last_kb = resident_kb()
  timing.report(mode .. ", step " .. FIRST, first_kb / 1024, "MiB")
  timing.report(mode .. ", step " .. LAST, last_kb / 1024, "MiB")
  timing.report(mode .. ", growth", (last_kb / first_kb - 1) * 100, "%")
end

if arg[1] then
  train(arg[1])
else
  for _, mode in ipairs { "plain", "scoped" } do
    assert(os.execute(("%s %s %s"):format(arg[-1], arg[0], mode)))
  end
end
