-- Many processes on one SQLite file: none lost, none doubled; kill -9 at any moment; n_jobs; Ctrl-C.
local perilune = require "perilune"
local study = perilune.study

local BUILD = os.getenv("PERILUNE_BUILD") or "build"
local ENVIRONMENT = ("export LUA_PATH='./lua/?.lua;./lua/?/init.lua;;' LUA_CPATH='./%s/?.so;;'; "):format(BUILD)

local function shell(command)
  local pipe = assert(io.popen("exec 2>/dev/null; " .. ENVIRONMENT .. "(" .. command .. ") 2>&1"))
  local output = pipe:read("a")
  pipe:close()
  return output
end

describe("workers on one study", function()
  local root, url
  setup(function() study.set_verbosity("off") end)
  before_each(function()
    root = shell("mktemp -d"):match("%S+")
    url = "sqlite:///" .. root .. "/study.db"
  end)
  after_each(function() shell("rm -rf " .. root) end)

  local function trials() return study.load { storage = url }.trials end

  local function run(n, mode, prefix)
    return ("%s lua5.4 spec/support/study_worker.lua %s %d %s"):format(prefix or "", url, n, mode or "plain")
  end

  -- Numbers without a gap, and each "told" line found again.
  local function check(output)
    local list, told = trials(), 0
    for i, record in ipairs(list) do assert.equal(i - 1, record.number) end
    for number, value in output:gmatch("told (%d+) (%S+)") do
      local record = list[math.tointeger(number) + 1]
      assert.same({ "COMPLETE", tonumber(value) }, { record.state, record.value })
      told = told + 1
    end
    return list, told
  end

  it("lose and double nothing", function()
    local output = shell(("for i in 1 2 3; do %s & done; wait"):format(run(20)))
    local list, told = check(output)
    assert.equal(60, told, output)
    assert.equal(60, #list)
    local seen = {}
    for _, record in ipairs(list) do
      assert.equal(-1 + 2 * study.draw(1, record.number, "x"), record.params.x)   -- whoever ran it
      assert.is_nil(seen[record.params.x])
      seen[record.params.x] = true
    end
  end)

  it("lose nothing that was told when they are killed, and try again what was not", function()
    local output = ""
    for i = 1, 5 do
      output = output .. shell(run(1000, "slow", ("timeout -s KILL %.3f"):format(0.15 + 0.05 * i + 0.1 * math.random())))
    end
    local s = study.load { storage = url, sampler = study.samplers.Random { seed = 1 } }
    s:optimize(function(trial) return trial:suggest_float("x", -1, 1) end, { n_trials = 3 })
    local list = check(output)
    local failed, retried = 0, 0
    for _, record in ipairs(list) do
      assert.is_true(record.state == "COMPLETE" or record.state == "FAIL", record.state)
      if record.state == "FAIL" then failed = failed + 1 end
      if record.system_attrs.retry_history then
        retried = retried + 1
        local origin = list[record.system_attrs.failed_trial + 1]
        if origin.params.x then assert.equal(origin.params.x, record.params.x) end
      end
    end
    assert.equal(failed, retried)
    assert.equal("ok", shell(([[lua5.4 -e 'print(require("luasql.sqlite3").sqlite3():connect("%s/study.db")
      :execute("PRAGMA integrity_check"):fetch())']]):format(root)):match("%S+"))
  end)

  it("are started by n_jobs, and share its trials", function()
    local output = shell(run(12, "jobs"))
    assert.matches("trials\t13\ttrue", output, 1, true)
    local _, prelude = output:gsub("prelude", "")
    assert.equal(1, prelude)
    local bars, last = 0, nil
    for line in output:gmatch("[^\n]*trial/s[^\n]*") do bars, last = bars + 1, line end
    assert.matches("12/12", last, 1, true)
    assert.equal(1, bars)                           -- of all workers together
    for number = 1, 12 do assert.matches("in trial " .. number, output, 1, true) end
    local list = trials()
    assert.equal(13, #list)
    assert.equal(0.5, list[1].params.x)
    local pids = {}
    for i = 2, #list do pids[list[i].system_attrs["perilune:worker"].pid] = true end
    assert.is_truthy(next(pids))
    assert.is_nil(pids[list[1].system_attrs["perilune:worker"].pid])
  end)

  it("pass on an error of the objective, and report a death", function()
    local output = shell(run(30, "error"))
    assert.matches("false\t[^\n]*study_worker.lua:%d+: boom\n", output)
    local list = trials()
    assert.equal("FAIL", list[6].state)
    assert.is_true(#list < 31)
    shell("rm " .. root .. "/study.db")
    output = shell(run(20, "die"))
    assert.matches("worker %d was killed by signal 9", output)
    list = trials()
    assert.same({ 21, "FAIL" }, { #list, list[6].state })
  end)

  it("are ended by Ctrl-C, with no trial left running", function()
    local output = shell(([[%s >%s/out 2>&1 & child=$!
      n=0; until [ $(grep -c busy %s/out) -ge 3 ] || [ $n -gt 1200 ]; do sleep 0.05; n=$((n + 1)); done
      [ $n -le 1200 ] || echo unseen
      kill -INT $child; wait $child; cat %s/out]]):format(run(9, "endless"), root, root, root))
    assert.matches("false\t[^\n]*study_worker.lua:%d+: interrupted!", output)
    assert.not_matches("unseen", output, 1, true)      -- what workers print is shown at once, in a file, too
    local states = {}
    for i, record in ipairs(trials()) do states[i] = record.state end
    assert.same({ "COMPLETE", "FAIL", "FAIL", "FAIL" }, states)
  end)

  -- The clock of the pipe ends before the trials that the workers are in.
  it("say nothing and end after their trials where the process that started them was ended", function()
    local output = shell(([[%s >%s/out & child=$!
      n=0; until [ $(grep -c busy %s/out) -ge 3 ] || [ $n -gt 1200 ]; do sleep 0.05; n=$((n + 1)); done
      kill -TERM $child]]):format(run(9, "long"), root, root))
    assert.equal("", output)
    assert.is_true(#trials() < 10)
  end)

  it("need a storage that others can open", function()
    local _, message = pcall(study.create().optimize, study.create(), function() end, { n_jobs = 2 })
    assert.matches("needs a storage that other processes can open", message, 1, true)
  end)
end)

describe("Ctrl-C in optimize", function()
  -- lua5.4's hook, as it comes in the middle of the objective.
  it("fails the trial, is passed on even with catch, and leaves the study usable", function()
    local s = study.create()
    local function strike(trial)
      if trial.number == 1 then
        debug.sethook(function()
          debug.sethook()
          error("interrupted!")
        end, "", 1)
        for _ = 1, 1000 do trial:suggest_float("x", 0, 1) end
      end
      return 1
    end
    local fine, message = pcall(s.optimize, s, strike, { n_trials = 5, catch = true })
    assert.is_false(fine)
    assert.matches("interrupted!", message, 1, true)
    assert.same({ "COMPLETE", "FAIL" }, { s.trials[1].state, s.trials[2].state })
    s:optimize(function() return 2 end, { n_trials = 1 })
    assert.equal(3, #s.trials)
  end)

  it("ends the search when it ended a Trainer", function()
    local interrupt = require "perilune.train.interrupt"
    local s = study.create()
    local driver = coroutine.running()
    local fine, message = pcall(s.optimize, s, function()
      interrupt.run(function(boundary)
        debug.sethook(driver, function()
          debug.sethook(driver)
          error("interrupted!")
        end, "crl", 1)
        while not boundary() do end
      end, function() end)
      return 1
    end, { n_trials = 3 })
    assert.is_false(fine)
    assert.matches("interrupted!", message, 1, true)
    assert.same({ 1, "FAIL" }, { #s.trials, s.trials[1].state })
  end)
end)
