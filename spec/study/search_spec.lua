-- Grid, QMC, CMA-ES, NSGA-II and PartialFixed, each by what makes it what it is; spec/reference/search.py has the values.
local perilune = require "perilune"
local Cma = require "perilune.study.cma"
local Halton = require "perilune.study.halton"
local Sobol = require "perilune.study.sobol"
local json = require "cjson"
local fronts = require "perilune.study.fronts"
local study = perilune.study
study.set_verbosity("off")
local samplers = study.samplers

local file = assert(io.open("spec/reference/study/search.json"))
local reference = json.decode(file:read("a"))
file:close()

local function near(expected, found, what)
  assert.is_true(math.abs(expected - found) <= 1e-9 * math.max(1, math.abs(expected)), ("%s: %.17g, expected %.17g")
    :format(what, found, expected))
end

describe("the grid", function()
  local SPACE = { x = { -1, 0, 1 }, kind = { "a", true }, n = { 3, 5, 7, 9 } }

  local function objective(t)
    local kind = t:suggest_categorical("kind", { "a", "b", true })
    return t:suggest_float("x", -1, 1) + t:suggest_int("n", 1, 9) + (kind == "a" and 0.5 or 0)
  end

  local function visited(s)
    local seen, count = {}, 0
    for _, t in ipairs(s.trials) do
      local point = ("%s %s %s"):format(t.params.x, t.params.kind, t.params.n)
      if t.params.x and not seen[point] then seen[point], count = true, count + 1 end
    end
    return count
  end

  it("visits every point once, then stops", function()
    local s = study.create { sampler = samplers.Grid(SPACE, { seed = 3 }) }
    s:optimize(objective, { n_trials = 100 })
    assert.equal(24, #s.trials)
    assert.equal(24, visited(s))
    assert.equal(2.0, s.best_value)
  end)

  it("catches up what enqueued trials took the number of", function()
    local s = study.create { sampler = samplers.Grid(SPACE) }
    s:enqueue_trial { x = 0.5, kind = "b", n = 1 }
    s:enqueue_trial { x = 0.5 }
    s:optimize(objective, { n_trials = 100, catch = true })
    assert.equal("FAIL", s.trials[2].state)
    assert.equal(26, #s.trials)
    assert.equal(25, visited(s))
  end)

  it("refuses what is no grid, and values out of range", function()
    for _, space in ipairs { {}, { x = {} }, { x = 3 }, { { 1 } } } do assert.is_false(pcall(samplers.Grid, space)) end
    local s = study.create { sampler = samplers.Grid { x = { 7 }, kind = { "a" } } }
    local fine, message = pcall(objective, s:ask())
    assert.is_false(fine)
    assert.matches("value 7 of 'x' is not in its range", message, 1, true)
  end)
end)

describe("QMC", function()
  local function axes(t) return t:suggest_float("a", 0, 1) + t:suggest_float("b", 0, 1) + t:suggest_float("c", 0, 1) end

  it("has the points of Halton's sequence", function()
    local sequence = Halton(1, false)
    for k, row in ipairs(reference.halton) do
      for j, x in ipairs(row) do near(x, sequence:coordinate(k - 1, j), ("point %d, coordinate %d"):format(k, j)) end
    end
  end)

  it("has the points of Sobol's sequence in all its dimensions", function()
    local sequence = Sobol(1, false)
    assert.equal(64, Sobol.dimensions)
    for _, known in ipairs(reference.sobol) do
      assert.equal(64, #known.point)
      for j, x in ipairs(known.point) do
        assert.equal(x * 0x1p-30, sequence:coordinate(known.number, j), ("point %d, coordinate %d"):format(known.number, j))
      end
    end
  end)

  it("puts one of p^m points into each p^m-th, also when digits are permuted", function()
    local sequence = Halton(7, true)
    for j, count in ipairs { 64, 81, 125 } do
      local seen = {}
      for k = count, 2 * count - 1 do
        local cell = math.floor(sequence:coordinate(k, j) * count)
        assert.is_nil(seen[cell])
        seen[cell] = true
      end
    end
  end)

  it("puts one of 2^m points into each 2^m-th, and into each box of two dimensions, also when scrambled", function()
    local sequence, plain, others = Sobol(7, true), Sobol(7, false), 0
    for j = 1, 64 do
      local seen = {}
      for k = 256, 511 do
        local x = sequence:coordinate(k, j)
        assert.is_true(x >= 0 and x < 1)
        if x ~= plain:coordinate(k, j) then others = others + 1 end
        seen[math.floor(x * 256)] = true
      end
      for cell = 0, 255 do assert.is_true(seen[cell], ("dimension %d, cell %d"):format(j, cell)) end
    end
    assert.is_true(others > 64 * 250)
    for rows = 0, 6 do
      local seen = {}
      for k = 0, 63 do
        local row = math.floor(sequence:coordinate(k, 1) * 2 ^ rows)
        local box = row * 64 + math.floor(sequence:coordinate(k, 2) * 2 ^ (6 - rows))
        assert.is_nil(seen[box])
        seen[box] = true
      end
    end
    assert.not_equal(sequence:coordinate(5, 3), Sobol(8, true):coordinate(5, 3))
  end)

  it("gives a trial the point of its number, Sobol's unless another is asked for", function()
    for _, given in ipairs { { seed = 5 }, { seed = 5, qmc_type = "halton", scramble = true } } do
      local sequence = given.qmc_type and Halton(5, true) or Sobol(5, false)
      local s = study.create { sampler = samplers.QMC(given) }
      s:optimize(axes, { n_trials = 20 })
      for number = 1, 19 do
        local p = s.trials[number + 1].params
        for j, name in ipairs { "a", "b", "c" } do assert.equal(sequence:coordinate(number, j), p[name]) end
      end
    end
    local _, message = pcall(samplers.QMC, { qmc_type = "latin" })
    assert.matches("qmc_type must be one of sobol, halton", message, 1, true)
  end)

  it("draws parameters at random that Sobol's dimensions do not reach", function()
    local s = study.create { sampler = samplers.QMC { seed = 2 } }
    s:optimize(function(t)
      local sum = 0
      for i = 1, 66 do sum = sum + t:suggest_float(("p%02d"):format(i), 0, 1) end
      return sum
    end, { n_trials = 3 })
    local draw, p = study.draw, s.trials[3].params
    assert.equal(draw(2, 2, "p65"), p.p65)
    assert.equal(draw(2, 2, "p66"), p.p66)
    assert.equal(Sobol(2, false):coordinate(2, 64), p.p64)
  end)
end)

describe("CMA-ES", function()
  it("adapts as the package cmaes does", function()
    for _, case in ipairs(reference.cma) do
      local middle = {}
      for i = 1, case.n do middle[i] = 0.5 end
      local search = Cma.new(middle, 0.2, case.lambda)
      for g, generation in ipairs(case.generations) do
        search:tell(generation.points)
        near(generation.sigma, search.sigma, "sigma in generation " .. g)
        for i = 1, case.n do
          near(generation.mean[i], search.mean[i], "mean in generation " .. g)
          for j = 1, case.n do near(generation.C[i][j], search.C[i][j], "C in generation " .. g) end
        end
      end
    end
  end)

  it("wants no more when the package cmaes does", function()
    local objectives = {
      flat = function() return 1 end, slope = function(x) return x[1] end,
      sphere = function(x)
        local sum = 0
        for _, v in ipairs(x) do sum = sum + v * v end
        return sum
      end,
      cigar = function(x)
        local sum = x[1] ^ 2
        for i = 2, #x do sum = sum + 1e6 * x[i] ^ 2 end
        return sum
      end,
    }
    for _, case in ipairs(reference.stopped) do
      local middle = {}
      for i = 1, case.n do middle[i] = 0.5 end
      local search = Cma.new(middle, 0.2, case.lambda)
      while not search:has_converged() do
        local told, points, values = {}, {}, {}
        for k = 1, case.lambda do
          local z = reference.pool[(search.generation * case.lambda + k - 1) % 97 + 1]
          local x = search:point(table.move(z, 1, case.n, 1, {}))
          told[k] = { x = x, value = objectives[case.value](x), k = k }
        end
        table.sort(told, function(a, b) return a.value < b.value or a.value == b.value and a.k < b.k end)
        for k, entry in ipairs(told) do points[k], values[k] = entry.x, entry.value end
        search:tell(points, values)
      end
      assert.equal(case.generation, search.generation, case.value .. " " .. case.n)
    end
  end)

  it("begins anew where it has converged, with twice the points, and goes on after a stop", function()
    local function objective(t)
      return 0 * (t:suggest_float("x", 0, 1) + t:suggest_float("y", 0, 1))      -- the same everywhere: 21 generations of 6
    end
    local function make() return samplers.CmaEs { seed = 2, restart_strategy = "ipop" } end
    local s = study.create { sampler = make() }
    s:optimize(objective, { n_trials = 160 })
    s.sampler = make()
    s:optimize(objective, { n_trials = 40 })
    local whole, sizes = study.create { sampler = make() }, {}
    whole:optimize(objective, { n_trials = 200 })
    for i, t in ipairs(whole.trials) do
      assert.same(t.params, s.trials[i].params)
      local generation = t.system_attrs.cma_es and t.system_attrs.cma_es.generation
      if generation then sizes[generation] = (sizes[generation] or 0) + 1 end
    end
    assert.same({ 6, 6, 12, 12 }, { sizes[19], sizes[20], sizes[21], sizes[22] })
    local plain = study.create { sampler = samplers.CmaEs { seed = 2 } }
    plain:optimize(objective, { n_trials = 160 })
    assert.equal((160 - 1) // 6, plain.trials[160].system_attrs.cma_es.generation)
    local _, message = pcall(samplers.CmaEs, { restart_strategy = "bipop" })
    assert.matches("restart_strategy must be one of ipop", message, 1, true)
  end)

  it("finds the bottom of a narrow valley", function()
    local best = {}
    for seed = 1, 5 do
      local s = study.create { sampler = samplers.CmaEs { seed = seed } }
      s:optimize(function(t)
        local x, y = t:suggest_float("x", -5, 5), t:suggest_float("y", -5, 5)
        return 100 * (x - y) ^ 2 + (x - 1) ^ 2 + (t:suggest_categorical("k", { 0, 1 }))
      end, { n_trials = 300 })
      best[seed] = s.best_value
    end
    table.sort(best)
    assert.is_true(best[3] < 1e-3, best[3])
  end)

  it("searches from two numbers on; one alone, and categories, are drawn at random", function()
    local s = study.create { sampler = samplers.CmaEs { seed = 1 } }
    s:optimize(function(t)
      t:suggest_categorical("k", { "a", "b" })
      return t:suggest_float("x", 0, 1)
    end, { n_trials = 30 })
    for i, t in ipairs(s.trials) do
      assert.is_nil(t.system_attrs.cma_es)
      assert.equal(study.draw(1, i - 1, "x"), t.params.x)
    end
  end)

  it("works upwards as well", function()
    local s = study.create { direction = "maximize", sampler = samplers.CmaEs { seed = 1 } }
    s:optimize(function(t)
      return -(t:suggest_float("x", -5, 5) - 2) ^ 2 - (t:suggest_float("y", 1e-4, 1, { log = true }) - 0.1) ^ 2
    end, { n_trials = 150 })
    assert.is_true(s.best_value > -1e-2, s.best_value)
  end)
end)

describe("NSGA-II", function()
  it("keeps whom Optuna's keeps", function()
    for _, case in ipairs(reference.elites) do
      local records = {}
      for i, values in ipairs(case.values) do
        for j, value in ipairs(values) do values[j] = value == json.null and math.huge or value end
        records[i] = { number = i - 1, values = values }
      end
      local numbers = {}
      for i, record in ipairs(fronts.elite(records, fronts.signs(case), case.keep)) do numbers[i] = record.number end
      table.sort(numbers)
      assert.same(case.numbers, numbers)
    end
  end)

  -- ZDT1 in three parameters (Zitzler et al., 2000): its front is f2 = 1 - sqrt(f1).
  local function zdt1(t)
    local x = {}
    for i = 1, 3 do x[i] = t:suggest_float("x" .. i, 0, 1) end
    local g = 1 + 4.5 * (x[2] + x[3])
    return x[1], g * (1 - math.sqrt(x[1] / g))
  end

  local function distance(sampler)
    local s = study.create { directions = { "minimize", "minimize" }, sampler = sampler, pruner = "nop" }
    s:optimize(zdt1, { n_trials = 400 })
    local sum = 0
    for _, t in ipairs(s.best_trials) do sum = sum + t.values[2] - (1 - math.sqrt(t.values[1])) end
    return sum / #s.best_trials, s
  end

  it("comes nearer to the front than chance", function()
    local ours, s = distance(samplers.NSGAII { seed = 1, population_size = 20 })
    assert.is_true(ours < 0.5 * distance(samplers.Random { seed = 1 }))
    assert.equal(0, s.trials[20].system_attrs["NSGAIISampler:generation"])
    assert.equal(1, s.trials[21].system_attrs["NSGAIISampler:generation"])
    assert.equal(19, s.trials[400].system_attrs["NSGAIISampler:generation"])
  end)

  it("takes a child's parameters from two parents, and a few from nowhere", function()
    local _, s = distance(samplers.NSGAII { seed = 1, population_size = 20 })
    local inherited, count = 0, 0
    local known = {}
    for i, t in ipairs(s.trials) do
      for name, value in pairs(t.params) do
        if i > 200 then
          count = count + 1
          if known[name .. value] then inherited = inherited + 1 end
        end
        known[name .. value] = true
      end
    end
    assert.is_true(math.abs(inherited / count - 2 / 3) < 0.06, inherited / count)
  end)
end)

describe("PartialFixed", function()
  it("holds what is fixed and leaves the rest to the other sampler", function()
    local s = study.create { sampler = samplers.PartialFixed({ x = 0.25, k = "b" }, samplers.TPE { seed = 1 }) }
    s:optimize(function(t)
      t:suggest_categorical("k", { "a", "b" })
      return t:suggest_float("x", 0, 1) + t:suggest_float("y", 0, 1)
    end, { n_trials = 30 })
    local first, others = s.trials[1].params.y, 0
    for _, t in ipairs(s.trials) do
      assert.equal(0.25, t.params.x)
      assert.equal("b", t.params.k)
      others = others + (t.params.y ~= first and 1 or 0)
    end
    assert.equal(29, others)
  end)

  it("refuses a value out of range", function()
    local s = study.create { sampler = samplers.PartialFixed({ x = 3 }, samplers.Random()) }
    local trial = s:ask()
    local fine, message = pcall(trial.suggest_float, trial, "x", 0, 1)
    assert.is_false(fine)
    assert.matches("fixed value 3 of 'x' is not in its range", message, 1, true)
    assert.is_false(pcall(samplers.PartialFixed, nil, nil))
  end)
end)
