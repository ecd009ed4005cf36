-- One battery for every storage: in memory, SQLite, and PostgreSQL where PERILUNE_TEST_POSTGRES is the URL of a server
-- (make interop starts one).  open() gives what another worker would open.
local perilune = require "perilune"
local study = perilune.study

local function raises(text, f, ...)
  local fine, message = pcall(f, ...)
  assert.is_false(fine, "no error")
  assert.matches(text, message, 1, true)
  return message
end

local function random(seed) return study.samplers.Random { seed = seed or 1 } end

local function temporary()
  local path = os.tmpname()
  os.remove(path)
  return path
end

local backends = {}

backends["in memory"] = function()
  local storage = study.storages.InMemory()
  return function() return storage end, function() end
end

backends.SQLite = function()
  local path = temporary() .. ".db"
  return function() return "sqlite:///" .. path end, function() os.remove(path) end
end

backends.PostgreSQL = os.getenv("PERILUNE_TEST_POSTGRES") and function()
  local url = os.getenv("PERILUNE_TEST_POSTGRES")
  for _, entry in ipairs(study.storages.RDB(url):studies()) do study.delete { storage = url, study_name = entry.study_name } end
  return function() return url end, function() end
end

local NAME = "it's a \"study\" \\ %s ü 漢 😀"

for name, backend in pairs(backends) do
  describe("studies in " .. name, function()
    local open, clean
    setup(function() study.set_verbosity("off") end)
    teardown(function() study.set_verbosity("warning") end)
    before_each(function() open, clean = backend() end)
    after_each(function() clean() end)

    local function create(given)
      given = given or {}
      given.storage, given.sampler, given.study_name = open(), given.sampler or random(), given.study_name or NAME
      return study.create(given)
    end

    local function load() return study.load { storage = open(), study_name = NAME, sampler = random(2) } end

    it("keep everything to the bit, for another worker to see", function()
      local here = create()
      local numbers = { 0.1 + 0.2, -5e-324, 0x1.fffffffffffffp1023, 2.5e-303, -0x1p-1022, 6.5e298, 1e22, 3.0 }
      local trial = here:ask()
      local x = trial:suggest_float("x'ü\"", -1e300, 1e300)
      local lr = trial:suggest_float("lr", 1e-7, 1, { log = true })
      local half = trial:suggest_float("half", 0, 1, { step = 0.5 })
      local n = trial:suggest_int("n", -3, 2 ^ 40 // 1 | 0, { step = 7 })
      local kind = trial:suggest_categorical("kind", { "a'b", true, 3, 1.5, study.null, "😀" })
      for step, value in ipairs(numbers) do trial:report(value, step) end
      trial:report(0 / 0, 100)
      trial:report(math.huge, 0)
      trial:report(-math.huge, 101)
      local attr = { list = { 1, 2.5, { deep = true } }, huge = math.maxinteger, ["key'\""] = "line\nü\t\\", pi = math.pi }
      trial:set_user_attr("attr'", attr)
      here:set_system_attr(trial.record, "completed_rung_0", 0.1 + 0.2)
      here:tell(trial, 0.1 + 0.2)

      local read = load().trials[1]
      assert.equal("COMPLETE", read.state)
      assert.equal(0.1 + 0.2, read.value)
      assert.same({ 0.1 + 0.2 }, read.values)
      assert.same({ ["x'ü\""] = x, lr = lr, half = half, n = n, kind = kind }, read.params)
      assert.equal("integer", math.type(read.params.n))
      assert.same({ n, kind }, { read.params.n, read.params.kind })
      assert.same(trial.record.internal_params, read.internal_params)
      for step, value in ipairs(numbers) do assert.equal(value, read.intermediate_values[step]) end
      assert.is_true(read.intermediate_values[100] ~= read.intermediate_values[100])
      assert.equal(math.huge, read.intermediate_values[0])
      assert.equal(-math.huge, read.intermediate_values[101])
      assert.same(attr, read.user_attrs["attr'"])
      assert.equal("integer", math.type(read.user_attrs["attr'"].huge))
      assert.equal(0.1 + 0.2, read.system_attrs.completed_rung_0)
      assert.same({ low = -3, step = 7, log = false }, { low = read.distributions.n.low, step = read.distributions.n.step,
        log = read.distributions.n.log })
      assert.matches("^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d%.%d%d%d%d%d%d$", read.datetime_start)
      assert.is_true(read.datetime_start <= read.datetime_complete)
    end)

    it("tell: infinities count, NaN and nil fail, PRUNED takes the last report; never twice", function()
      local here = create()
      here:tell(here:ask(), math.huge)
      here:tell(here:ask(), -math.huge)
      here:tell(here:ask(), 0 / 0)
      here:tell(here:ask(), nil)
      local pruned = here:ask()
      pruned:report(4, 3)
      pruned:report(9, 2)
      here:tell(pruned, nil, { state = "PRUNED" })
      local states, values = {}, {}
      for i, record in ipairs(load().trials) do states[i], values[i] = record.state, record.value or "none" end
      assert.same({ "COMPLETE", "COMPLETE", "FAIL", "FAIL", "PRUNED" }, states)
      assert.same({ math.huge, -math.huge, "none", "none", 4.0 }, values)
      assert.equal(-math.huge, load().best_value)
      raises("is not running", here.tell, here, pruned, 1)
      raises("is not running", load().tell, load(), 4, 1)
      raises("there is no trial 77", here.tell, here, 77, 1)
      raises("is finished", pruned.suggest_float, pruned, "y", 0, 1)
      raises("is finished", pruned.set_user_attr, pruned, "y", 0)
      assert.equal("PRUNED", load():tell(4, 1, { skip_if_finished = true }).state)
      assert.equal(4.0, load().trials[5].value)
    end)

    it("hand out what is enqueued after an enqueued trial was taken", function()
      local here = create()
      for number = 1, 4 do
        here:enqueue_trial { x = number }
        local trial = here:ask()
        assert.equal(number, trial:suggest_float("x", 0, 9))
        here:tell(trial, number)
      end
    end)

    it("hand an enqueued trial to one worker only, oldest first", function()
      local here, there = create(), load()
      for x = 1, 6 do here:enqueue_trial({ x = x, kind = "b" }, { user_attrs = { from = "x" .. x } }) end
      local seen = {}
      for i = 1, 6 do
        local trial = (i % 2 == 0 and here or there):ask()
        assert.equal(i - 1, trial.number)
        seen[i] = trial:suggest_int("x", 1, 100)
        assert.equal("b", trial:suggest_categorical("kind", { "a", "b" }))
        assert.equal("x" .. i, trial.user_attrs.from)
      end
      assert.same({ 1, 2, 3, 4, 5, 6 }, seen)
      assert.equal(6, here:ask().number)
      local n = #here.trials
      here:enqueue_trial({ x = 3, kind = "b" }, { skip_if_exists = true })
      assert.equal(n, #here.trials)
      here:enqueue_trial({ x = 3 }, { skip_if_exists = true })
      here:enqueue_trial({ x = 3 }, { skip_if_exists = true })
      assert.equal(n + 1, #here.trials)
      assert.equal("WAITING", here.trials[n + 1].state)
    end)

    it("number trials without a gap and pass finished ones on once", function()
      local here, there = create(), load()
      local trials = {}
      for i = 1, 10 do trials[i] = (i % 3 == 0 and here or there):ask() end
      for i, trial in ipairs(trials) do
        assert.equal(i - 1, trial.number)
        trial.study:tell(trial, i)
      end
      local seen, cursor = {}, 0
      for _ = 1, 3 do
        here:ask()
        local fresh
        fresh, cursor = here:finished_since(cursor)
        for _, record in ipairs(fresh) do seen[#seen + 1] = record.number end
      end
      table.sort(seen)
      assert.same({ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 }, seen)
      for i, record in ipairs(there.trials) do assert.equal(i - 1, record.number) end
      assert.equal(0, here.best_trial.number)
    end)

    it("show what others run, with what they know of it", function()
      local here, there = create(), load()
      local trial = there:ask()
      local x = trial:suggest_float("x", 0, 1)
      there:set_system_attr(trial.record, "completed_rung_1", 2.5)
      local own = here:ask()
      local active = here:active_trials()
      assert.same({ trial.number, own.number }, { active[1].number, active[2].number })
      assert.equal(own.record, active[2])
      assert.equal(x, active[1].params.x)
      assert.equal(2.5, active[1].system_attrs.completed_rung_1)
      trial:report(3, 1)
      here.store:sync()
      assert.equal(3.0, here:active_trials()[1].intermediate_values[1])
      assert.equal("COMPLETE", here:tell(trial.number, 7).state)
      here.store:sync()
      assert.equal(1, #here:active_trials())
    end)

    it("keep the kind of a parameter, whoever asks", function()
      local here, there = create(), load()
      here:optimize(function(trial) return trial:suggest_float("x", 0, 1) end, { n_trials = 1 })
      here:optimize(function(trial)
        local kind = trial:suggest_categorical("kind", { "a", "b" })
        return kind == "a" and trial:suggest_int("n", 1, 3) or trial:suggest_float("y", -1, 0)
      end, { n_trials = 8 })
      local trial = there:ask()
      raises("another kind", trial.suggest_int, trial, "x", 0, 1)
      raises("another kind", trial.suggest_categorical, trial, "kind", { "a" })
      for i, record in ipairs(there.trials) do
        if i > 1 and record.state == "COMPLETE" then
          assert.equal(record.params.kind == "a", record.params.n ~= nil)
          assert.equal(record.params.kind == "b", record.params.y ~= nil)
        end
      end
    end)

    it("count to a total together", function()
      local here, there = create(), load()
      local function objective(trial) return trial:suggest_float("x", 0, 1) end
      here:optimize(objective, { n_trials = 3 })
      there:optimize(objective, { total_trials = 5 })
      here:optimize(objective, { total_trials = 5 })
      assert.equal(5, #here.trials)
    end)

    it("have several objectives and a front", function()
      local here = create { directions = { "minimize", "maximize" } }
      here:set_metric_names { "loss", "size" }
      for _, values in ipairs { { 1, 1 }, { 2, 2 }, { 2, 1 }, { 1, 1 } } do here:tell(here:ask(), values) end
      here:tell(here:ask(), { 1 })
      local there, numbers = load(), {}
      assert.same({ "minimize", "maximize" }, there.directions)
      for i, record in ipairs(there.best_trials) do numbers[i] = record.number end
      assert.same({ 0, 1, 3 }, numbers)
      assert.equal("FAIL", there.trials[5].state)
      assert.same({ "loss", "size" }, there.metric_names)
      raises("several objectives", function() return there.best_trial end)
      here:tell(here:ask(), { 0, 3 })
      assert.equal(5, there.best_trials[1].number)
      assert.equal(1, #there.best_trials)
    end)

    it("are created once, listed, copied and deleted", function()
      local here = create { direction = "maximize" }
      raises("already", create)
      assert.same({ "maximize" }, create { load_if_exists = true }.directions)
      raises("other directions", create, { load_if_exists = true, direction = "minimize" })
      local other = create { study_name = "other" }
      here:set_user_attr("k'", { 1, 2 })
      here:set_user_attr("k'", { 3, { a = "ü" } })
      here:optimize(function(trial)
        trial:report(1, 1)
        trial:set_user_attr("u", 1)
        return trial:suggest_float("x", 0, 1)
      end, { n_trials = 3 })
      here:enqueue_trial { x = 0.5 }
      other:tell(other:ask(), 5)
      local list = study.list { storage = open() }
      assert.same({ NAME, "other" }, { list[1].study_name, list[2].study_name })
      assert.same({ 4, 1 }, { list[1].n_trials, list[2].n_trials })
      assert.equal(here.best_value, list[1].best_trial.value)
      assert.same({ 3, { a = "ü" } }, list[1].user_attrs["k'"])
      study.copy { from_storage = open(), from_study_name = NAME, to_storage = open(), to_study_name = "copy" }
      raises("already", study.copy, { from_storage = open(), from_study_name = NAME, to_storage = open() })
      local copy = study.load { storage = open(), study_name = "copy" }
      assert.same({ 3, { a = "ü" } }, copy.user_attrs["k'"])
      for i, record in ipairs(here.trials) do
        local twin = copy.trials[i]
        for _, field in ipairs { "number", "state", "value", "params", "user_attrs", "intermediate_values", "datetime_start" } do
          assert.same(record[field], twin[field])
        end
      end
      study.delete { storage = open(), study_name = NAME }
      raises("there is no study", load)
      assert.equal(2, #study.list { storage = open() })
      assert.equal(5.0, study.load { storage = open(), study_name = "other" }.best_value)
      raises("give study_name", study.load, { storage = open() })
    end)

    it("let a trial be pruned by what others finished after it began", function()
      local here, there = create { pruner = "median" }, load()
      local trial = here:ask()
      for value = 1, 5 do
        local other = there:ask()
        other:report(value, 1)
        there:tell(other, value)
      end
      trial:report(4, 1)
      assert.is_true(trial:should_prune())
    end)

    it("take trials that ran elsewhere", function()
      local here = create()
      local distributions = { x = study.FloatDistribution(0, 1), kind = study.CategoricalDistribution { "a", "b" } }
      here:add_trials { { params = { x = 0.5, kind = "b" }, distributions = distributions, value = 3,
        intermediate_values = { [2] = 1.5 } }, { state = "FAIL" }, { state = "PRUNED", value = 1 } }
      local there = load()
      assert.equal(3.0, there.best_value)
      assert.same({ x = 0.5, kind = "b" }, there.best_params)
      assert.equal(1.0, there.trials[1].internal_params.kind)
      raises("not in its range", here.add_trial, here, { params = { x = 2 }, distributions = distributions, value = 3 })
      raises("has no distribution", here.add_trial, here, { params = { z = 2 }, value = 3 })
      raises("a number per objective", here.add_trial, here, { params = {} })
      raises("state", here.add_trial, here, { state = "RUNNING" })
      raises("JSON has no function", here.add_trials, here, { { value = 1 }, { value = 2, user_attrs = { f = print } } })
      assert.equal(3, #there.trials)
    end)

    it("write a table and CSV", function()
      local here = create()
      here:optimize(function(trial)
        trial:set_user_attr("note", 'a,"b"')
        return trial:suggest_int("n", 3, 3)
      end, { n_trials = 2 })
      local rows = load():table()
      assert.same({ "number", "value", "datetime_start", "datetime_complete", "duration", "params_n", "user_attrs_note",
        "state" }, rows.columns)
      assert.equal(3, rows[2].params_n)
      assert.is_true(rows[2].duration >= 0 and rows[2].duration < 60)
      local path = temporary()
      assert.is_true(here:csv(path))
      local file = assert(io.open(path))
      local lines = { file:read("l"), file:read("l") }
      file:close()
      os.remove(path)
      assert.equal("number,value,datetime_start,datetime_complete,duration,params_n,user_attrs_note,state", lines[1])
      assert.matches('^0,3%.0,.*,3,"a,""b""",COMPLETE$', lines[2])
      assert.is_nil(here:csv("/nowhere/x.csv"))
    end)
  end)
end

describe("an SQL storage", function()
  local path, url
  setup(function() study.set_verbosity("off") end)
  teardown(function() study.set_verbosity("warning") end)
  before_each(function()
    path = temporary() .. ".db"
    url = "sqlite:///" .. path
  end)
  after_each(function() os.remove(path) end)

  local BUILD = os.getenv("PERILUNE_BUILD") or "build"

  local function run(code)
    local script = temporary()
    local file = assert(io.open(script, "w"))
    file:write("local perilune = require 'perilune'\nlocal study = perilune.study\nlocal url = arg[1]\n", code)
    file:close()
    local pipe = assert(io.popen(("LUA_PATH='lua/?.lua;lua/?/init.lua;;' LUA_CPATH='%s/?.so;;' lua5.4 %s %s 2>&1"):format(BUILD,
      script, url)))
    local output = pipe:read("a")
    pipe:close()
    os.remove(script)
    return output
  end

  local KILL = "local f = io.open('/proc/self/stat') os.execute('kill -9 ' .. f:read('n'))\n"

  it("retries the trial of a worker that was killed, with its parameters", function()
    local here = study.create { storage = url, sampler = random() }
    local first = run([[
      local s = study.load { storage = url, sampler = study.samplers.Random { seed = 3 } }
      local t = s:ask()
      io.write(t:suggest_float("x", 0, 1), " ", t:suggest_int("n", 1, 100)) io.stdout:flush() t:set_user_attr("u", 1)
      ]] .. KILL)
    local x, n = first:match("(%S+) (%d+)")
    local trial = here:ask()
    assert.equal(1, trial.number)
    assert.equal("FAIL", here.trials[1].state)
    assert.is_truthy(here.trials[1].datetime_complete)
    assert.equal(x, tostring(trial:suggest_float("x", 0, 1)))
    assert.equal(math.tointeger(n), trial:suggest_int("n", 1, 100))
    assert.equal(0, trial.system_attrs.failed_trial)
    assert.same({ 0 }, trial.system_attrs.retry_history)
    assert.equal(1, trial.user_attrs.u)
    assert.equal(1, here.store:count())
  end)

  it("gives up after max_retry, and leaves the trials of living workers alone", function()
    local here = study.create { storage = study.storages.RDB(url, { max_retry = 1 }), sampler = random() }
    for _ = 1, 2 do run("study.load({ storage = url }):ask()\n" .. KILL) end
    local mine, living = here:ask(), study.load { storage = url }
    local other = living:ask()
    assert.same({ 2, 3 }, { mine.number, other.number })
    here:ask()
    local states = {}
    for i, record in ipairs(here.trials) do states[i] = record.state end
    assert.same({ "FAIL", "FAIL", "RUNNING", "RUNNING", "RUNNING" }, states)
  end)

  it("waits for twice the interval where it cannot look at the process", function()
    local storage = study.storages.RDB(url, { heartbeat_interval = 50 })
    local here, there = study.create { storage = storage, sampler = random() }, study.load { storage = url }
    local trial = there:ask()
    local database = storage.database
    database:change("UPDATE trial_system_attributes SET value_json = '{\"place\": \"elsewhere\", \"pid\": 1}'")
    here:ask()
    assert.equal("RUNNING", here.trials[1].state)
    database:change(("UPDATE trial_heartbeats SET heartbeat = %s WHERE trial_id = 1"):format(database.dialect.ago(90)))
    here:ask()
    assert.equal("RUNNING", here.trials[1].state)
    there.store.beats[1] = nil
    trial:heartbeat()
    database:change(("UPDATE trial_heartbeats SET heartbeat = %s WHERE trial_id = 1"):format(database.dialect.ago(110)))
    assert.same({ 0 }, here:ask().system_attrs.retry_history)
    assert.equal("FAIL", here.trials[1].state)
    raises("another worker ended it", trial.report, trial, 1, 1)
    assert.is_true(trial.record.lost)
    raises("another worker ended it", there.tell, there, trial, 1)
    assert.equal("FAIL", there.trials[1].state)
    assert.equal(1, #there.store.finished)
  end)

  it("sends a heartbeat with all that a trial does, though not with each of them", function()
    local here = study.create { storage = url, sampler = random() }
    local trial, database = here:ask(), here.store.database
    local old = ("UPDATE trial_heartbeats SET heartbeat = %s"):format(database.dialect.ago(1000))
    local function is_fresh()
      return database:rows(("SELECT COUNT(*) FROM trial_heartbeats WHERE heartbeat > %s"):format(
        database.dialect.ago(60)))[1][1] + 0 == 1
    end
    assert.is_true(is_fresh())
    for name, act in pairs {
      suggest = function() trial:suggest_float("x", 0, 1) end, report = function() trial:report(1, 1) end,
      should_prune = function() trial:should_prune() end, heartbeat = function() trial:heartbeat() end,
    } do
      database:change(old)
      here.store.beats[trial.record.trial_id] = nil
      act()
      assert.is_true(is_fresh(), name)
      database:change(old)
      trial:heartbeat()
      assert.is_false(is_fresh(), name .. ": again at once")
    end
  end)

  it("claims what is still WAITING only, whatever it knows", function()
    local here = study.create { storage = url, sampler = random() }
    here:enqueue_trial { x = 1 }
    local there = study.load { storage = url, sampler = random(2) }
    there.store:sync()
    there.store.sync = function() end          -- it hears nothing of the others
    assert.same({ x = 1 }, here:ask().system_attrs.fixed_params)
    local trial = there:ask()
    assert.same({ 1, nil }, { trial.number, trial.system_attrs.fixed_params })
  end)

  it("lets nobody else write from the beginning of a transaction", function()
    local here = study.create { storage = url, sampler = random() }
    local other = study.storages.RDB(url).database
    other:rows("PRAGMA busy_timeout = 0")
    here.store.database:transaction(function()
      local _, message = other.connection:execute("BEGIN IMMEDIATE")
      assert.matches("is locked", message, 1, true)
    end)
    assert.is_truthy(other.connection:execute("BEGIN IMMEDIATE"))
    other.connection:execute("ROLLBACK")
  end)

  it("waits for a lock that comes between a question and its answer", function()
    local here = study.create { storage = url, sampler = random() }
    here:tell(here:ask(), 3)
    local database, n_refused = here.store.database, 0
    local connection = database.connection
    database.connection = { execute = function(_, sql)
      local cursor = assert(connection:execute(sql))
      if type(cursor) == "number" or n_refused == 3 then return cursor end
      n_refused = n_refused + 1
      cursor:close()
      return { fetch = function() return nil, "LuaSQL: database is locked" end, close = function() end }
    end }
    local list = study.list { storage = here.storage }
    database.connection = connection
    assert.same({ 3, 1 }, { n_refused, list[1].n_trials })
  end)

  it("goes on when a trial was taken away from it", function()
    local here = study.create { storage = url, sampler = random() }
    here:optimize(function(trial)
      if trial.number == 0 then here.store.database:change("UPDATE trials SET state = 'FAIL' WHERE number = 0") end
      return trial:suggest_float("x", 0, 1)
    end, { n_trials = 2 })
    assert.same({ "FAIL", "COMPLETE" }, { here.trials[1].state, here.trials[2].state })
  end)

  it("waits for a lock, however long others hold it", function()
    local here = study.create { storage = url, sampler = random() }
    local trial = here:ask()
    os.execute(("(printf 'BEGIN EXCLUSIVE;\\n'; sleep 2; printf 'COMMIT;\\n') | lua5.4 -e '%s' &"):format([[
      local c = require("luasql.sqlite3").sqlite3():connect("]] .. path .. [[")
      for line in io.lines() do assert(c:execute(line)) io.open("]] .. path .. [[.held", "w"):close() end]]))
    repeat
      local held = io.open(path .. ".held")
    until held and held:close()
    local start = os.time()
    local there = study.load { storage = url }     -- a worker that comes just then waits, too
    here:tell(trial, 3)
    os.remove(path .. ".held")
    assert.is_true(os.time() - start >= 1)
    assert.equal(3.0, there.best_value)
  end)

  it("says what is wrong with a file, and loses nothing", function()
    local here = study.create { storage = url, sampler = random() }
    here:tell(here:ask(), 1)
    local trial = here:ask()
    local connection = here.store.database.connection
    local cursor = connection:execute("PRAGMA max_page_count = 1")
    local pages = cursor:fetch()
    cursor:close()
    assert.is_true(math.tointeger(pages) > 1)
    local message = raises("disk is full", function()
      for step = 1, 2000 do trial:report(step, step) end
    end)
    assert.matches("storages_spec.lua:%d+: study: sqlite", message)
    assert.matches("nothing that was told is lost", message, 1, true)
    connection:execute("PRAGMA max_page_count = 100000")
    here:tell(trial, 2)
    assert.equal(2, #study.load { storage = url }.store:all())

    local junk = path .. ".junk"
    local file = assert(io.open(junk, "w"))
    file:write(("no database "):rep(1000))
    file:close()
    raises("not a database", study.load, { storage = "sqlite:///" .. junk })
    os.remove(junk)
    raises("there is no", study.load, { storage = "sqlite:///" .. junk })
    assert.is_nil(io.open(junk))
    raises("unable to open", study.create, { storage = "sqlite:////nowhere/at/all.db" })
    raises("sqlite:///study.db or postgresql", study.create, { storage = "mysql://x/y" })
    raises("names no file", study.create, { storage = "sqlite://x.db" })
  end)

  it("loads from a file that cannot be written, and says what cannot be done there", function()
    local here = study.create { study_name = "shared", storage = url, sampler = random() }
    here:tell(here:ask(), 1)
    local storage = study.storages.RDB(url)
    storage.database:rows("PRAGMA query_only = 1")   -- a specification that root runs cannot take its own rights away
    local there = study.create { study_name = "shared", storage = storage, load_if_exists = true, direction = "minimize" }
    assert.same({ 1, 1.0 }, { #there.trials, there.best_value })
    assert.equal(1, study.list({ storage = storage })[1].n_trials)
    local message = raises("readonly", there.ask, there)
    assert.matches("can be loaded, no trial can begin", message, 1, true)
    raises("readonly", study.create, { study_name = "new", storage = storage, load_if_exists = true })
  end)

  it("refuses the stamp of another Optuna, and what SQL cannot keep", function()
    local here = study.create { storage = url, sampler = random() }
    local trial = here:ask()
    raises("zero byte", trial.suggest_float, trial, "a\0b", 0, 1)
    raises("not valid UTF-8", trial.suggest_float, trial, "a\xff", 0, 1)
    raises("JSON has no function", trial.set_user_attr, trial, "f", print)
    local loop = {}
    loop[1] = loop
    raises("contains itself", trial.set_user_attr, trial, "f", loop)
    assert.is_true(trial:suggest_float("x; DROP TABLE trials; --'", 0, 1) >= 0)
    here:tell(trial, 1)
    here.store.database:change("UPDATE alembic_version SET version_num = 'v3.0.0.d'")
    raises("optuna storage upgrade", study.load, { storage = url })
  end)

  it("names the package when LuaSQL is missing", function()
    local loaded = package.loaded["luasql.sqlite3"]
    package.loaded["luasql.sqlite3"] = nil
    package.preload["luasql.sqlite3"] = function() error("not installed") end
    local _, message = pcall(study.create, { storage = url })
    package.loaded["luasql.sqlite3"], package.preload["luasql.sqlite3"] = loaded, nil
    assert.matches("lua-sql-sqlite3", message, 1, true)
  end)
end)

-- A real server ends our connection: before a statement reaches it, or after it did what was asked and before it answers.
describe("PostgreSQL, when the connection is lost,", os.getenv("PERILUNE_TEST_POSTGRES") and function()
  local url = os.getenv("PERILUNE_TEST_POSTGRES")
  local administrator
  setup(function()
    study.set_verbosity("off")
    administrator = study.storages.RDB(url).database
  end)
  teardown(function()
    administrator:close()
    study.set_verbosity("warning")
  end)
  before_each(function() backends.PostgreSQL() end)

  local function is_there(pid)
    return administrator:rows(("SELECT 1 FROM pg_stat_activity WHERE pid = %s"):format(pid))[1] ~= nil
  end

  local function kill(connection)
    local cursor = connection:execute("SELECT pg_backend_pid()")
    local pid = cursor:fetch()
    cursor:close()
    administrator:rows(("SELECT pg_terminate_backend(%s)"):format(pid))
    local stop = os.time() + 10
    while is_there(pid) and os.time() < stop do administrator:rows("SELECT pg_sleep(0.005)") end
    assert.is_false(is_there(pid))
  end

  it("goes on in the middle of an optimize, with the trials that it would have had", function()
    local function objective(trial, strike)
      local x = trial:suggest_float("x", -1, 1)
      if strike then strike() end
      trial:report(x, 1)
      return x * x + trial:suggest_int("n", 1, 9)
    end
    local here = study.create { storage = url, sampler = random() }
    here:optimize(function(trial)
      return objective(trial, trial.number % 3 == 1 and function() kill(here.storage.database.connection) end)
    end, { n_trials = 9 })
    local expected = study.create { sampler = random() }
    expected:optimize(objective, { n_trials = 9 })
    assert.equal(9, #here.trials)
    for i, record in ipairs(study.load({ storage = url }).trials) do
      assert.same({ i - 1, "COMPLETE", expected.trials[i].params, expected.trials[i].value },
        { record.number, record.state, record.params, record.value })
    end
  end)

  -- A connection that dies at its nth statement, before it or after it.
  local function mortal(connection, n, answer_is_lost)
    local count, dead = 0, nil
    return {
      execute = function(_, sql)
        count = count + 1
        if dead or count < n then return (dead or connection):execute(sql) end
        dead = connection
        if answer_is_lost then
          local result = connection:execute(sql)
          if type(result) == "userdata" then result:close() end
          kill(connection)
          return nil, "LuaSQL: PostgreSQL: server closed the connection unexpectedly"
        end
        kill(connection)
        return connection:execute(sql)
      end,
      close = function() connection:close() end,
    }, function() return dead ~= nil end
  end

  for _, answer_is_lost in ipairs { false, true } do
    it("doubles nothing and loses nothing, wherever " .. (answer_is_lost and "the answer" or "the question") .. " is lost",
      function()
        local here = study.create { storage = url, sampler = random() }
        here:enqueue_trial { x = 0.5 }
        local database, n, struck = here.storage.database, 0
        repeat
          n = n + 1
          database.connection, struck = mortal(database.connection, n, answer_is_lost)
          local trial = here:ask()
          local x = trial:suggest_float("x", -1, 1)
          trial:report(x, 1)
          trial:set_user_attr("n", n)
          here:tell(trial, x)
        until not struck()
        assert.is_true(n > 12)
        local trials = study.load({ storage = url }).trials
        assert.equal(n, #trials)
        for i, record in ipairs(trials) do
          assert.same({ i - 1, "COMPLETE", record.params.x, { record.params.x }, { n = i } },
            { record.number, record.state, record.value, record.intermediate_values, record.user_attrs })
        end
        assert.equal(0.5, trials[1].params.x)
      end)
  end

  it("says so when there is no server any more", function()
    local here = study.create { storage = url, sampler = random() }
    local database = here.storage.database
    kill(database.connection)
    database.url = url:gsub("/[^/]*$", "/nowhere")
    local message = raises("the connection was lost, and there is no new one", here.ask, here)
    assert.matches("storages_spec.lua:%d+: study: postgresql", message)
    database.url = url
    here:tell(here:ask(), 1)
    assert.equal(1.0, here.best_value)
  end)
end or function() end)
