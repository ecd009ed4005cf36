-- study_worker.lua URL N [MODE] -- a worker on a study that others share, for specs that kill, count and interrupt.
-- Says "told NUMBER VALUE" after each tell: what was said must be found in the study, whatever happens later.
local perilune = require "perilune"
local study = perilune.study
local url, n_trials, mode = arg[1], math.tointeger(arg[2]), arg[3] or "plain"

local function busy(seconds)
  local stop = os.clock() + seconds
  while os.clock() < stop do stop = stop + 0 end
end

local function die()
  local file = assert(io.open("/proc/self/stat"))
  os.execute("kill -9 " .. file:read("n"))
end

local function objective(trial)
  local x = trial:suggest_float("x", -1, 1)
  trial:suggest_int("n", 1, 9)
  trial:report(x, 1)
  if mode == "slow" then busy(0.02) end
  if mode == "endless" and trial.number > 0 then
    io.stdout:write("busy\n")
    busy(60)
  end
  if mode == "long" then
    io.stdout:write("busy\n")
    busy(2)
  end
  if mode == "error" and trial.number == 5 then error("boom") end
  if mode == "die" and trial.number == 5 then die() end
  if mode == "jobs" then print("in trial " .. trial.number) end
  return x * x
end

local function tell(_, record)
  io.stdout:write(("told %d %.17g\n"):format(record.number, record.value or 0))
  io.stdout:flush()
end

local s = study.create { study_name = "shared", storage = url, load_if_exists = true,
  sampler = study.samplers.Random { seed = 1 }, pruner = "nop" }
if mode == "plain" or mode == "slow" or mode == "alone" then
  s:optimize(objective, { n_trials = n_trials, callbacks = { tell } })
else
  print("prelude")
  s:enqueue_trial { x = 0.5 }
  s:optimize(objective, { n_trials = 1 })
  local fine, message = pcall(s.optimize, s, objective, { n_trials = n_trials, n_jobs = 3,
    show_progress_bar = mode == "jobs" })
  print("trials", #s.trials, fine, message)
end
