-- The Parzen estimators of TPE, against Optuna 5's (spec/reference/study.py) and against what must hold.
local perilune = require "perilune"
local core = require "perilune.core"
local json = require "cjson"
local study = core.study

local FLOAT64 = { dtype = "float64" }

local function reference()
  local file = assert(io.open("spec/reference/study/parzen.json"))
  local text = file:read("a")
  file:close()
  return json.decode(text)
end

local function rows(list) return #list > 0 and perilune.tensor(list, FLOAT64) or nil end

local function log_pdf(case, points)
  return study.parzen_log_pdf(rows(case.observations), case.space, points)
end

describe("a Parzen estimator", function()
  local known = reference()

  it("has Optuna's log densities", function()
    assert.is_true(#known.cases > 25)
    for _, case in ipairs(known.cases) do
      local ours = log_pdf(case, rows(case.points))
      for i, expected in ipairs(case.log_pdf) do
        local found = ours[i]:item()
        local message = ("%s, point %d: %.17g, Optuna says %.17g"):format(case.name, i, found, expected)
        assert.is_true(math.abs(found - expected) <= 1e-10 * math.max(1, math.abs(expected)), message)
      end
    end
  end)

  it("has Optuna's quantiles of a truncated normal", function()
    for _, case in ipairs(known.quantiles) do
      local found = study.truncated_normal_quantile(case.q, case.a, case.b)
      local message = ("q = %g in [%g, %g]: %.17g, Optuna says %.17g"):format(case.q, case.a, case.b, found, case.x)
      assert.is_true(math.abs(found - case.x) <= 1e-7 * math.max(1, math.abs(case.x)), message)
    end
    assert.equal(-2.0, study.truncated_normal_quantile(0, -2, 1))
    assert.equal(1.0, study.truncated_normal_quantile(1, -2, 1))
  end)

  it("sums to 1 over a discrete space", function()
    local space = { { low = 1, high = 20, step = 1, log = true }, { choices = 4 } }
    local observed = perilune.tensor({ { 1, 0 }, { 20, 3 }, { 4, 3 }, { 4, 3 }, { 5, 1 } }, FLOAT64)
    local points = {}
    for x = 1, 20 do
      for choice = 0, 3 do points[#points + 1] = { x, choice } end
    end
    local total = study.parzen_log_pdf(observed, space, perilune.tensor(points, FLOAT64)):exp():sum():item()
    assert.is_true(math.abs(total - 1) < 1e-12, total)
  end)

  it("draws what its density says, on the grid and within the range", function()
    local space = { { low = 1, high = 8, step = 1 }, { choices = 3 }, { low = 1e-3, high = 1, log = true } }
    local observed = perilune.tensor({ { 2, 0, 0.01 }, { 2, 0, 0.02 }, { 7, 2, 0.9 } }, FLOAT64)
    local n = 20000
    local uniforms = study.uniform(3, 0, "draws", 4 * n):view(n, 4)
    local drawn = study.parzen_sample(observed, space, uniforms)
    local counts = {}
    for i = 1, n do
      local x, choice, rate = drawn[i][1]:item(), drawn[i][2]:item(), drawn[i][3]:item()
      assert.is_true(x == math.floor(x) and x >= 1 and x <= 8 and rate >= 1e-3 and rate <= 1)
      counts[x * 3 + choice] = (counts[x * 3 + choice] or 0) + 1
    end
    -- the log of the mixture over the first two: each kernel has the same weight in a joint or a marginal space
    local marginal = observed:narrow(2, 1, 2)
    for x = 1, 8 do
      for choice = 0, 2 do
        local p = study.parzen_log_pdf(marginal, { space[1], space[2] },
          perilune.tensor({ { x, choice } }, FLOAT64)):exp():item()
        local deviation = 5 * math.sqrt(p * (1 - p) / n)
        assert.is_true(math.abs((counts[x * 3 + choice] or 0) / n - p) < deviation, x .. ", " .. choice)
      end
    end
  end)

  it("refuses what has no density", function()
    local point = perilune.tensor({ { 0.5 } }, FLOAT64)
    local function refused(message, ...)
      local fine, text = pcall(study.parzen_log_pdf, ...)
      assert.is_false(fine)
      assert.matches(message, text, 1, true)
    end
    refused("points[1][1] is 0.5, outside its range", nil, { { low = 1, high = 2 } }, point)
    refused("points[1][1] is 0.5, outside its range", nil, { { choices = 2 } }, point)
    refused("observations[1][1] is nan", perilune.tensor({ { 0 / 0 } }, FLOAT64), { { low = 0, high = 2 } }, point)
    refused("low < high", nil, { { low = 1, high = 1 } }, point)
    refused("low < high", nil, { { low = 0, high = 1, log = true } }, point)
    refused("(rows, 2), float64", nil, { { low = 0, high = 1 }, { choices = 2 } }, point)
    refused("no parameters", nil, {}, point)
  end)

  it("gives back everything when an allocation fails", function()
    local space, point = { { low = 0, high = 1 } }, perilune.tensor({ { 0.5 } }, FLOAT64)
    collectgarbage()
    local before = perilune.memory().live_bytes
    for n = 1, 20 do
      core.debug.fail_allocation(n)
      local fine = pcall(study.parzen_log_pdf, point, space, point)
      core.debug.fail_allocation(0)
      collectgarbage()
      assert.equal(before, perilune.memory().live_bytes)
      if fine then return assert.is_true(n > 2) end
    end
    error("never succeeded")
  end)
end)

describe("the draws of a trial", function()
  it("are a pure function of seed, trial, name and position", function()
    perilune.manual_seed(1)
    local state = perilune.get_rng_state()
    local function first(...) return study.uniform(...)[1]:item() end
    assert.equal(first(1, 2, "x", 1), study.uniform(1, 2, "x", 9)[1]:item())
    for _, other in ipairs { { 2, 2, "x" }, { 1, 3, "x" }, { 1, 2, "y" }, { -1, 2, "x" } } do
      assert.is_true(first(1, 2, "x", 1) ~= first(other[1], other[2], other[3], 1))
    end
    assert.same(state, perilune.get_rng_state())
  end)

  it("are uniform", function()
    local draws = study.uniform(7, 0, "x", 100000)
    assert.is_true(math.abs(draws:mean():item() - 0.5) < 5 * math.sqrt(1 / 12 / 100000))
    assert.is_true(draws:min():item() >= 0 and draws:max():item() < 1)
  end)
end)
