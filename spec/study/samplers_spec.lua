-- What every sampler keeps to, whatever it believes about the objective.
local perilune = require "perilune"
local study = perilune.study
study.set_verbosity("off")
local samplers = study.samplers

local SPACE = { x = { -1, 0, 0.5, 1 }, lr = { 1e-4, 1e-2 }, half = { 0, 0.5, 1 }, n = { 1, 5, 9 }, m = { 1, 30 },
  kind = { "a", true, 3 }, deep = { -2, 2 } }

-- How each is made, with a seed; Grid and PartialFixed need more, and the generations of NSGA-II are long.
local MAKERS = {
  NSGAII = function(seed) return samplers.NSGAII { seed = seed, population_size = 8 } end,
  Grid = function(seed) return samplers.Grid(SPACE, { seed = seed }) end,
  PartialFixed = function(seed) return samplers.PartialFixed({ half = 0.5 }, samplers.TPE { seed = seed }) end,
}
for name, make in pairs(samplers) do
  MAKERS[name] = MAKERS[name] or function(seed) return make { seed = seed } end
end

for name, given in pairs { ["QMC, scrambled"] = { scramble = true }, ["QMC, Halton"] = { qmc_type = "halton" },
  ["QMC, Halton, scrambled"] = { qmc_type = "halton", scramble = true } } do
  MAKERS[name] = function(seed)
    return samplers.QMC { seed = seed, qmc_type = given.qmc_type, scramble = given.scramble }
  end
end

MAKERS["CmaEs, restarts"] = function(seed) return samplers.CmaEs { seed = seed, restart_strategy = "ipop" } end

local function each_sampler(run)
  local names = {}
  for name in pairs(MAKERS) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do run(name, MAKERS[name]) end
end

local function space(t)
  local x = t:suggest_float("x", -1, 1)
  local lr = t:suggest_float("lr", 1e-5, 1e-1, { log = true })
  local half = t:suggest_float("half", 0, 1.2, { step = 0.5 })
  local n = t:suggest_int("n", 1, 10, { step = 4 })
  local m = t:suggest_int("m", 1, 100, { log = true })
  local kind = t:suggest_categorical("kind", { "a", true, 3 })
  t:suggest_int("only", 7, 7)
  local value = x * x + math.abs(math.log(lr, 10) + 3) + half + n / 10 + math.log(m) + (kind == "a" and 0 or 1)
  return x > 0 and value + t:suggest_float("deep", -3, 3) ^ 2 or value
end

local function run(make, seed, n, objective)
  local s = study.create { sampler = make(seed), pruner = "nop" }
  s:optimize(objective or space, { n_trials = n, catch = true })
  return s
end

local function params_of(s)
  local list = {}
  for i, t in ipairs(s.trials) do list[i] = t.params end
  return list
end

describe("every sampler", function()
  each_sampler(function(name, make)
    describe(name, function()
      it("keeps bounds, steps and types", function()
        for _, t in ipairs(run(make, 1, 70).trials) do
          local p = t.params
          assert.equal("COMPLETE", t.state)
          assert.equal("float", math.type(p.x))
          assert.is_true(p.x >= -1 and p.x <= 1 and p.lr >= 1e-5 and p.lr <= 0.1)
          assert.is_true(p.half == 0 or p.half == 0.5 or p.half == 1)
          assert.is_true(p.n == 1 or p.n == 5 or p.n == 9)
          assert.equal("integer", math.type(p.n))
          assert.equal("integer", math.type(p.m))
          assert.is_true(p.m >= 1 and p.m <= 100)
          assert.is_true(p.kind == "a" or p.kind == true or p.kind == 3)
          assert.equal(7, p.only)
          assert.equal(p.x > 0, p.deep ~= nil)
        end
      end)

      it("gives the same trials for the same seed, others for another", function()
        local first = params_of(run(make, 5, 40))
        assert.same(first, params_of(run(make, 5, 40)))
        assert.is_false(pcall(assert.same, first, params_of(run(make, 6, 40))))
      end)

      it("goes on as if it had not been stopped", function()
        local whole = run(make, 3, 60)
        local s = run(make, 3, 23)
        s.sampler = make(3)             -- another process: it knows what the study has
        s:optimize(space, { n_trials = 20 })
        s.sampler = make(3)
        s:optimize(space, { n_trials = 17 })
        assert.same(params_of(whole), params_of(s))
      end)

      it("lives with infinite values, NaN, errors and pruned trials", function()
        local function wild(t)
          local value, turn = space(t), t.number % 7
          if turn == 1 then return math.huge end
          if turn == 2 then return -math.huge end
          if turn == 3 then return 0 / 0 end
          if turn == 4 then error("boom") end
          t:report(turn == 5 and 0 / 0 or value, t.number % 3)
          if turn > 4 then t:prune() end
          return value
        end
        assert.equal(60, #run(make, 2, 60, wild).trials)
      end)

      it("serves trials that run side by side", function()
        local s = study.create { sampler = make(4), pruner = "nop" }
        for _ = 1, 12 do
          local asked = {}
          for i = 1, 4 do asked[i] = s:ask() end
          for i = 4, 1, -1 do space(asked[i]) end
          for i, trial in ipairs { asked[2], asked[4], asked[1], asked[3] } do s:tell(trial, i) end
        end
        assert.equal(48, #s.trials)
      end)

      -- A grid is of one space.
      it("serves spaces that change on the way, and two studies at once", name == "Grid" and function() end or function()
        local sampler = make(8)
        local function changing(t)
          local x = t:suggest_float("x", -1, t.number < 30 and 1 or 0)
          return x + (t.number % 2 == 0 and t:suggest_float("half", 0, 1, { step = 0.5 }) or 0)
        end
        local a, b = study.create { sampler = sampler }, study.create { sampler = sampler, direction = "maximize" }
        for _ = 1, 45 do
          a:optimize(changing, { n_trials = 1 })
          b:optimize(changing, { n_trials = 1 })
        end
        for i = 31, 45 do assert.is_true(a.trials[i].params.x <= 0) end
      end)
    end)
  end)
end)

-- Those that leave notes with their trials, and one that does not.  Few trials: each write waits for the disk.
describe("a study in a file", function()
  for _, name in ipairs { "CmaEs", "Grid", "NSGAII", "TPE" } do
    it("goes on with the same trials: " .. name, function()
      local function make()
        if name == "NSGAII" then return samplers.NSGAII { seed = 3, population_size = 4 } end
        return MAKERS[name](3)
      end
      local function objective(t)
        return t:suggest_float("x", -1, 1) ^ 2 + t:suggest_int("m", 1, 100, { log = true })
      end
      local path = os.tmpname()
      os.remove(path)
      for _ = 1, 2 do
        local s = study.create { storage = "sqlite:///" .. path, sampler = make(), load_if_exists = true }
        s:optimize(objective, { n_trials = 7 })
      end
      local expected = params_of(run(make, 3, 14, objective))
      assert.same(expected, params_of(study.load { storage = "sqlite:///" .. path }))
      os.remove(path)
    end)
  end
end)
