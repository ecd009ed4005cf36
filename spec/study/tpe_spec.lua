-- TPE: whose trials it learns from, and that it learns.
local perilune = require "perilune"
local core = require "perilune.core"
local study = perilune.study
study.set_verbosity("off")

local function bowl(t)
  local x, y = t:suggest_float("x", -5, 5), t:suggest_float("y", 1e-4, 1, { log = true })
  local n = t:suggest_int("n", 1, 32)
  return (x - 2) ^ 2 + (math.log(y, 10) + 2) ^ 2 + (n - 9) ^ 2 / 50 + (t:suggest_categorical("k", { "a", "b" }) == "b" and 1 or 0)
end

local function median_best(sampler)
  local best = {}
  for seed = 1, 9 do
    local s = study.create { sampler = study.samplers[sampler] { seed = seed } }
    s:optimize(bowl, { n_trials = 60 })
    best[seed] = s.best_value
  end
  table.sort(best)
  return best[5]
end

-- What TPE would choose for trial `number` with these trials in the two densities.
local function chosen(better, others, number, seed)
  local space = { { low = 0, high = 1 } }
  local densities = { core.study.parzen(space), core.study.parzen(space) }
  for i, trials in ipairs { better, others } do
    for _, trial in ipairs(trials) do densities[i]:insert(trial[1], { trial[2] }) end
  end
  return core.study.tpe(densities[1], densities[2], seed, number, { "", "x" }, 24)[1]
end

describe("TPE", function()
  it("is better than chance", function()
    assert.is_true(median_best("TPE") < 0.4 * median_best("Random"))
  end)

  it("draws at random until it has n_startup_trials", function()
    local s = study.create { sampler = study.samplers.TPE { seed = 2, n_startup_trials = 7 } }
    local r = study.create { sampler = study.samplers.Random { seed = 2 } }
    s:optimize(bowl, { n_trials = 8 })
    r:optimize(bowl, { n_trials = 8 })
    for i = 1, 7 do assert.same(r.trials[i].params, s.trials[i].params) end
    assert.is_true(r.trials[8].params.x ~= s.trials[8].params.x)
  end)

  it("ranks complete trials, then pruned ones by step and value; failed ones do not count", function()
    local s = study.create { sampler = study.samplers.TPE { seed = 9, n_startup_trials = 1 } }
    local values = { 5, "prune 3", "fail", "prune 9", 4, "prune 9 worse", 7, 6, 9, 8, 11, 10, 12 }
    local xs = {}
    s:optimize(function(t)
      local value, x = values[t.number + 1], t:suggest_float("x", 0, 1)
      xs[t.number] = x
      if value == "fail" then error("boom") end
      if type(value) == "number" then return value end
      t:report(value:find("worse") and 2 or 1, value:find("9") and 9 or 3)
      t:prune()
    end, { n_trials = #values, catch = true })
    -- 12 trials count, so that 2 are better: numbers 4 and 0
    local others = {}
    for number = 0, #values - 1 do
      if number ~= 4 and number ~= 0 and number ~= 2 then others[#others + 1] = { number, xs[number] } end
    end
    local next_trial = s:ask()
    assert.equal(chosen({ { 4, xs[4] }, { 0, xs[0] } }, others, 13, 9), next_trial:suggest_float("x", 0, 1))
  end)

  it("takes a trial of another worker for a bad one until it is told", function()
    local s = study.create { sampler = study.samplers.TPE { seed = 1, n_startup_trials = 2 } }
    s:optimize(function(t) return t:suggest_float("x", 0, 1) end, { n_trials = 2 })
    local a, b = s:ask(), s:ask()
    local low = s.trials[1].value < s.trials[2].value and 1 or 2
    local better, other = { low - 1, s.trials[low].value }, { 2 - low, s.trials[3 - low].value }
    local x = a:suggest_float("x", 0, 1)
    assert.equal(chosen({ better }, { other }, 2, 1), x)
    assert.equal(chosen({ better }, { other, { 2, x } }, 3, 1), b:suggest_float("x", 0, 1))
  end)

  it("refuses several objectives", function()
    local s = study.create { directions = { "minimize", "minimize" }, sampler = study.samplers.TPE() }
    local fine, message = pcall(s.ask, s)
    assert.is_false(fine)
    assert.matches("several objectives", message, 1, true)
  end)
end)
