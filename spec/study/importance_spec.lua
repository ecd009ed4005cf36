-- Importance: Optuna's numbers on a made-up history (spec/reference/importance.py), and functions whose shares are known.
local perilune = require "perilune"
local json = require "cjson"
local regression_tree = require "perilune.study.regression_tree"
local study = perilune.study
study.set_verbosity("off")
local importance = study.importance

local file = assert(io.open("spec/reference/study/importance.json"))
local reference = json.decode(file:read("a"))
file:close()

-- The reference's study, as far as importance looks at it.
local function made_up()
  local space = { x = study.FloatDistribution(-1, 1), lr = study.FloatDistribution(1e-4, 1, { log = true }),
    n = study.IntDistribution(1, 9, { step = 2 }), m = study.IntDistribution(1, 300, { log = true }),
    q = study.FloatDistribution(0, 1, { step = 0.25 }), k = study.CategoricalDistribution { "a", "b", "c" },
    one = study.IntDistribution(4, 4), c = study.FloatDistribution(0, 2) }
  local trials = {}
  for i, known in ipairs(reference.trials) do
    local record = { number = i - 1, state = "COMPLETE", internal_params = known.params, distributions = {},
      value = known.value == "inf" and math.huge or known.value }
    for name in pairs(known.params) do record.distributions[name] = space[name] end
    record.distributions.r = study.FloatDistribution(0, known.r_high)
    trials[i] = record
  end
  return { directions = { "minimize" }, trials = trials }
end

local function check(expected, found, tolerance)
  for name, share in pairs(expected) do
    assert.is_true(math.abs(share - found[name]) <= tolerance, ("%s: %.15g, Optuna says %.15g"):format(name,
      found[name], share))
  end
  for name in pairs(found) do assert.is_not_nil(expected[name], name) end
end

local function additive(n, sampler)
  local s = study.create { sampler = sampler or study.samplers.Random { seed = 1 } }
  s:optimize(function(t)
    local k = t:suggest_categorical("k", { "a", "b", "c", "d" })
    return 2 * t:suggest_float("x", 0, 1) + t:suggest_float("y", 0, 1) + (k == "a" and 0.5 or 0)
      + 0 * t:suggest_float("nothing", 0, 1)
  end, { n_trials = n })
  return s
end

describe("PED-ANOVA", function()
  it("has Optuna's shares", function()
    local settings = { default = {}, quarter = { target_quantile = 0.25, region_quantile = 0.7 },
      global = { target_quantile = 0.2, evaluate_on_local = false } }
    for name, options in pairs(settings) do
      local found = importance.get_param_importances(made_up(), { evaluator = importance.PedAnova(options) })
      check(reference.ped_anova[name], found, 1e-9)
    end
    check(reference.ped_anova.default, importance.get_param_importances(made_up()), 1e-9)
  end)

  it("explains a target, low being good, and the value of a study that is maximised", function()
    local s = made_up()
    local given = { target = function(trial) return -trial.value end }
    check(reference.upwards, importance.get_param_importances(s, given), 1e-9)
    s.directions = { "maximize" }
    check(reference.upwards, importance.get_param_importances(s), 1e-9)
  end)

  it("names what matters first", function()
    local _, names = importance.get_param_importances(made_up())
    assert.same({ "x", "k", "r" }, { table.unpack(names, 1, 3) })
    local found = importance.get_param_importances(made_up(), { params = { "x", "q" } })
    local all = reference.ped_anova.default
    assert.is_true(math.abs(found.x - all.x / (all.x + all.q)) < 1e-9)
    assert.is_nil(found.k)
  end)
end)

describe("fANOVA", function()
  it("agrees with Optuna's within what the forest's seed changes", function()
    local names, sums = { "x", "lr", "n", "k" }, {}
    for seed = 1, 4 do
      local found = importance.get_param_importances(made_up(), { params = names,
        evaluator = importance.Fanova { seed = seed } })
      for _, name in ipairs(names) do sums[name] = (sums[name] or 0) + found[name] / 4 end
    end
    for name, known in pairs(reference.fanova) do
      local message = ("%s: %.4f, Optuna says %.4f +- %.4f"):format(name, sums[name], known.mean, known.deviation)
      assert.is_true(math.abs(sums[name] - known.mean) < 3 * known.deviation, message)
    end
  end)

  it("finds the variances of a sum", function()
    local found = importance.get_param_importances(additive(400), { evaluator = importance.Fanova { n_trees = 16 } })
    -- 4/12, 1/12, and 0.25 * 3/16 of the category
    local whole = 4 / 12 + 1 / 12 + 0.25 * 3 / 16
    local expected = { x = 4 / 12 / whole, y = 1 / 12 / whole, k = 0.25 * 3 / 16 / whole, nothing = 0 }
    for name, share in pairs(expected) do
      assert.is_true(math.abs(found[name] - share) < 0.06, ("%s: %.3f, expected %.3f"):format(name, found[name], share))
    end
  end)

  it("gives the same for the same seed", function()
    local s = additive(40)
    local evaluator = importance.Fanova { n_trees = 4, seed = 3 }
    local first = importance.get_param_importances(s, { evaluator = evaluator })
    assert.same(first, (importance.get_param_importances(s, { evaluator = evaluator })))
    evaluator = importance.Fanova { n_trees = 4, seed = 4 }
    assert.is_true(first.x ~= importance.get_param_importances(s, { evaluator = evaluator }).x)
  end)
end)

describe("a regression tree", function()
  it("has leaves that cover the box, each with the mean of its rows", function()
    local u = perilune.study.draw
    local x, z, y, weight = {}, {}, {}, {}
    for i = 1, 60 do
      x[i], z[i], weight[i] = u(1, i, "x"), math.floor(4 * u(1, i, "z")), math.floor(3 * u(1, i, "w"))
      y[i] = math.floor(3 * x[i]) + (z[i] > 1 and 5 or 0)
    end
    local leaves = regression_tree({ x, z }, y, weight, { 0, 0 }, { 1, 3 }, 64, function() return { 1, 2 } end)
    local volume = 0
    for _, leaf in ipairs(leaves) do
      volume = volume + (leaf.high[1] - leaf.low[1]) * (leaf.high[2] - leaf.low[2])
      for i = 1, 60 do
        local inside = x[i] > leaf.low[1] and x[i] <= leaf.high[1] and z[i] >= leaf.low[2] and z[i] <= leaf.high[2]
          and (z[i] > leaf.low[2] or leaf.low[2] == 0)
        if inside and weight[i] > 0 then assert.equal(y[i], leaf.value) end
      end
    end
    assert.is_true(math.abs(volume - 3) < 1e-12)
    assert.equal(6, #leaves)
  end)

  it("goes no deeper than it may", function()
    local x, y, weight = {}, {}, {}
    for i = 1, 16 do x[i], y[i], weight[i] = i, i, 1 end
    local function leaves(depth)
      return #regression_tree({ x }, y, weight, { 1 }, { 16 }, depth, function() return { 1 } end)
    end
    assert.same({ 1, 4, 16 }, { leaves(0), leaves(2), leaves(64) })
  end)
end)

describe("importance", function()
  it("is shared out evenly where nothing can be told", function()
    local s = study.create { sampler = study.samplers.Random { seed = 1 } }
    s:optimize(function(t) return t:suggest_float("x", 0, 1) + t:suggest_float("y", 0, 1) end, { n_trials = 1 })
    for _, evaluator in ipairs { importance.PedAnova(), importance.Fanova { n_trees = 2 } } do
      assert.same({ x = 0.5, y = 0.5 }, (importance.get_param_importances(s, { evaluator = evaluator })))
      local plain = importance.get_param_importances(s, { evaluator = evaluator, normalize = false })
      assert.same({ x = 0, y = 0 }, plain)
    end
  end)

  it("refuses what it cannot judge", function()
    local function refused(message, f, ...)
      local fine, text = pcall(f, ...)
      assert.is_false(fine)
      assert.matches(message, text, 1, true)
    end
    local find = importance.get_param_importances
    refused("no complete trial has the parameter \"other\"", find, additive(3), { params = { "other" } })
    refused("not the same range", find, made_up(), { params = { "r" }, evaluator = importance.Fanova() })
    refused("there are no completed trials whose value is finite", find, study.create())
    refused("needs a target", find, { directions = { "minimize", "minimize" }, trials = {} })
    refused("target_quantile < region_quantile", importance.PedAnova, { target_quantile = 0.5, region_quantile = 0.5 })
    refused("at least 1", importance.Fanova, { n_trees = 0 })
  end)
end)
