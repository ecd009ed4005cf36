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

  -- Runs trials that end as said: with a value, "fail", or pruned as { step, value }.  better: the numbers of those that
  -- the next trial must take for the better ones.
  local function check_ranking(ends, better, direction)
    local s = study.create { direction = direction, sampler = study.samplers.TPE { seed = 9, n_startup_trials = 1 } }
    local sides, is_better = { {}, {} }, {}
    for _, number in ipairs(better) do is_better[number] = true end
    s:optimize(function(t)
      local last, x = ends[t.number + 1], t:suggest_float("x", 0, 1)
      if last == "fail" then error("boom") end
      table.insert(sides[is_better[t.number] and 1 or 2], { t.number, x })
      if type(last) == "number" then return last end
      if last[1] then t:report(last[2], last[1]) end
      t:prune()
    end, { n_trials = #ends, catch = true })
    assert.equal(chosen(sides[1], sides[2], #ends, 9), s:ask():suggest_float("x", 0, 1))
  end

  it("takes a tenth, rounded up, of the trials that did not fail", function()
    check_ranking({ 5, 3, 7, "fail", 4, 8, 6, 9, 2.5, 11, 12 }, { 8 })
    check_ranking({ 5, 3, 7, "fail", 4, 8, 6, 9, 2.5, 11, 12, 13 }, { 8, 1 })
    check_ranking({ 5, 3, 7, 4, 14, 8, 6, 9, 2.5, 11, 12, 13 }, { 4, 11 }, "maximize")
  end)

  it("takes 25 at most", function()
    local ends, last = {}, {}
    for i = 1, 270 do ends[i] = 270 - i end
    for i = 1, 25 do last[i] = 270 - i end
    check_ranking(ends, last)
  end)

  it("ranks pruned trials after complete ones, by step and then by value", function()
    local pruned = { { 1, 0 }, { 9, 3 }, { 9, 2 }, {}, { 4, 0 }, { 9, 0 / 0 }, { 3, 1 }, { 2, 1 }, { 1, 1 } }
    local function with(...) return table.move(pruned, 1, #pruned, 1 + select("#", ...), { ... }) end
    check_ranking(with(100), { 0 })
    check_ranking(with(100, "fail", { 8, -5 }), { 0, 5 })
    check_ranking(with(100, "fail", { 8, 5 }), { 0, 4 }, "maximize")
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
