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

local function rows(list) return perilune.tensor(list, FLOAT64) end

local function estimator(space, observations)
  local made = study.parzen(space)
  for i, row in ipairs(observations) do made:insert(i, row) end
  return made
end

-- The naive twin: every kernel, one after the other, with nothing kept.
local plain = {}

function plain.mass(a, b)   -- log P(a < X <= b), by Simpson's rule around its peak
  local peak = math.max(a, math.min(b, 0))
  local low, high = math.max(a, peak - 12), math.min(b, peak + 12)
  local n, sum = 2 * math.ceil(20 + 50 * (high - low)), 0
  for i = 0, n do
    local z = low + (high - low) * i / n
    sum = sum + (i % n == 0 and 1 or i % 2 == 1 and 4 or 2) * math.exp(0.5 * (peak * peak - z * z))
  end
  return math.log(sum * (high - low) / (3 * n)) - 0.5 * peak * peak - 0.5 * math.log(2 * math.pi)
end

function plain.ends(q)
  local f = q.log and math.log or function(x) return x end
  local half = (q.step or 0) / 2
  return f, f(q.low - half), f(q.high + half)
end

function plain.widths(q, observations, j)
  local f, low, high = plain.ends(q)
  local order, n, widths = {}, #observations, {}
  for i = 1, n do order[i] = i end
  table.sort(order, function(a, b)
    local x, y = observations[a][j], observations[b][j]
    return x < y or x == y and a < b
  end)
  for i = 1, n do
    local here = f(observations[order[i]][j])
    local below = here - (i > 1 and f(observations[order[i - 1]][j]) or low)
    local above = (i < n and f(observations[order[i + 1]][j]) or high) - here
    local gap = math.max(below, above)
    if n > 1 and i == 1 then gap = above elseif n > 1 and i == n then gap = below end
    widths[order[i]] = math.min(math.max(gap, (high - low) / math.min(100, n + 2)), high - low)
  end
  return widths
end

function plain.factor(q, mu, sigma, x)
  local f, low, high = plain.ends(q)
  local range = plain.mass((low - mu) / sigma, (high - mu) / sigma)
  if not q.step then return -0.5 * ((f(x) - mu) / sigma) ^ 2 - math.log(sigma * math.sqrt(2 * math.pi)) - range end
  return plain.mass((f(x - q.step / 2) - mu) / sigma, (f(x + q.step / 2) - mu) / sigma) - range
end

function plain.log_pdf(space, observations, point)
  local n, logs, highest, weights, sum = #observations, {}, -math.huge, 1, 0
  local widths = {}
  for j, q in ipairs(space) do widths[j] = not q.choices and plain.widths(q, observations, j) end
  for k = 1, n + 1 do
    local ramp = n - 25
    local weight = k <= ramp and 1 / n + (1 - 1 / n) * (k - 1) / math.max(ramp - 1, 1) or 1
    weights = weights + (k <= n and weight or 0)
    logs[k] = math.log(weight)
    for j, q in ipairs(space) do
      local x, observed = point[j], k <= n and observations[k][j]
      if q.choices then
        logs[k] = logs[k] + (observed and math.log((1 / (n + 1) + (observed == x and 1 or 0)) / (1 + q.choices / (n + 1)))
          or -math.log(q.choices))
      else
        local f, low, high = plain.ends(q)
        logs[k] = logs[k] + plain.factor(q, observed and f(observed) or (low + high) / 2,
          observed and widths[j][k] or high - low, x)
      end
    end
    highest = math.max(highest, logs[k])
  end
  for k = 1, n + 1 do sum = sum + math.exp(logs[k] - highest) end
  return highest + math.log(sum / weights)
end

local MIXED = { { low = -1, high = 1 }, { low = 1e-5, high = 0.1, log = true }, { choices = 3 }, { low = 1, high = 9, step = 2 },
  { low = 1, high = 100, step = 1, log = true }, { low = 0, high = 1e6, step = 1 } }

-- n rows of MIXED; half of them huddle together.
local function drawn(n, name)
  local u, list = study.uniform(1, 0, name, 7 * n):totable(), {}
  for i = 1, n do
    local function at(j)
      local x = u[7 * (i - 1) + j]
      return u[7 * i] < 0.5 and 0.5 + 0.1 * x or x
    end
    list[i] = { 2 * at(1) - 1, 10 ^ (4 * at(2) - 5), math.floor(3 * at(3)), 1 + 2 * math.floor(5 * at(4)),
      math.floor(100 ^ at(5)), math.floor(1e6 * at(6)) }
  end
  return list
end

describe("a Parzen estimator", function()
  local known = reference()

  it("has Optuna's log densities", function()
    assert.is_true(#known.cases > 25)
    for _, case in ipairs(known.cases) do
      local ours = estimator(case.space, case.observations):log_pdf(rows(case.points))
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
    local observed = { { 1, 0 }, { 20, 3 }, { 4, 3 }, { 4, 3 }, { 5, 1 } }
    local points = {}
    for x = 1, 20 do
      for choice = 0, 3 do points[#points + 1] = { x, choice } end
    end
    local total = estimator(space, observed):log_pdf(rows(points)):exp():sum():item()
    assert.is_true(math.abs(total - 1) < 1e-12, total)
  end)

  it("draws what its density says, on the grid and within the range", function()
    local space = { { low = 1, high = 8, step = 1 }, { choices = 3 }, { low = 1e-3, high = 1, log = true } }
    local observed = { { 2, 0, 0.01 }, { 2, 0, 0.02 }, { 7, 2, 0.9 } }
    local n = 20000
    local uniforms = study.uniform(3, 0, "draws", 4 * n):view(n, 4)
    local samples = estimator(space, observed):sample(uniforms)
    local counts = {}
    for i = 1, n do
      local x, choice, rate = samples[i][1]:item(), samples[i][2]:item(), samples[i][3]:item()
      assert.is_true(x == math.floor(x) and x >= 1 and x <= 8 and rate >= 1e-3 and rate <= 1)
      counts[x * 3 + choice] = (counts[x * 3 + choice] or 0) + 1
    end
    -- the log of the mixture over the first two: each kernel has the same weight in a joint or a marginal space
    local marginal = estimator({ space[1], space[2] }, observed)
    for x = 1, 8 do
      for choice = 0, 2 do
        local p = marginal:log_pdf(rows { { x, choice } }):exp():item()
        local deviation = 5 * math.sqrt(p * (1 - p) / n)
        assert.is_true(math.abs((counts[x * 3 + choice] or 0) / n - p) < deviation, x .. ", " .. choice)
      end
    end
  end)

  it("says what the plain sum over all kernels says", function()
    for _, n in ipairs { 0, 2, 99 } do
      local observed, points = drawn(n, "observed"), drawn(1, "points")
      local found = estimator(MIXED, observed):log_pdf(rows(points))
      for i, point in ipairs(points) do
        local expected = plain.log_pdf(MIXED, observed, point)
        assert.is_true(math.abs(found[i]:item() - expected) < 1e-9 * math.max(1, math.abs(expected)),
          ("%d kernels, point %d: %.15g, plain %.15g"):format(n, i, found[i]:item(), expected))
      end
    end
  end)

  it("has the same bits for any number of threads and any way to the same observations", function()
    local observed, points = drawn(2500, "observed"), rows(drawn(40, "points"))
    local straight = estimator(MIXED, observed)
    local threads, expected = perilune.get_num_threads(), straight:log_pdf(points):totable()
    perilune.set_num_threads(threads == 1 and 2 or 1)
    local other_threads = straight:log_pdf(points):totable()
    perilune.set_num_threads(threads)
    assert.same(expected, other_threads)
    local winding, extra = study.parzen(MIXED), drawn(200, "extra")
    for i = #observed, 1, -1 do
      winding:insert(2 * i, observed[i])
      if extra[i] then winding:insert(2 * i + 1, extra[i]) end
    end
    for i = 1, #extra do assert.is_true(winding:remove(2 * i + 1)) end
    assert.equal(2500, #winding)
    assert.same(expected, winding:log_pdf(points):totable())
    assert.same(straight:sample(perilune.full({ 3, 7 }, 0.3, FLOAT64)):totable(),
      winding:sample(perilune.full({ 3, 7 }, 0.3, FLOAT64)):totable())
    assert.is_false(winding:remove(3))
  end)

  it("forgets what is removed, down to the prior", function()
    local observed, point = drawn(130, "observed"), rows(drawn(1, "points"))
    local made = estimator(MIXED, observed)
    for i = 130, 1, -1 do
      made:remove(i)
      if i == 99 or i == 3 or i == 2 or i == 1 then
        assert.same(estimator(MIXED, table.move(observed, 1, i - 1, 1, {})):log_pdf(point):totable(),
          made:log_pdf(point):totable())
      end
    end
  end)

  it("finds the candidate with the best ratio", function()
    local better, others = estimator(MIXED, drawn(9, "better")), estimator(MIXED, drawn(90, "others"))
    local names, m, columns = { "kernel", "a", "b", "c", "d", "e", "f" }, 24, {}
    local best = study.tpe(better, others, 4, 12, names, m)
    for j, name in ipairs(names) do columns[j] = study.uniform(4, 12, name, m) end
    local candidates = better:sample(perilune.stack(columns, 2))
    local ratio = better:log_pdf(candidates) - others:log_pdf(candidates)
    assert.same(candidates[ratio:argmax():item()]:totable(), best)
  end)

  it("refuses what has no density", function()
    local point = rows { { 0.5 } }
    local function refused(message, f, ...)
      local fine, text = pcall(f, ...)
      assert.is_false(fine)
      assert.matches(message, text, 1, true)
    end
    local made = study.parzen { { low = 1, high = 2 } }
    refused("column 1 is 0.5, outside its range", made.log_pdf, made, point)
    refused("column 1 is nan, outside its range", made.insert, made, 1, { 0 / 0 })
    refused("a row has 1 numbers", made.insert, made, 1, {})
    made:insert(1, { 1.5 })
    refused("an observation 1 already", made.insert, made, 1, { 1.6 })
    assert.equal(1, #made)
    local category = study.parzen { { choices = 2 } }
    refused("column 1 is 0.5, outside its range", category.log_pdf, category, point)
    refused("low < high", study.parzen, { { low = 1, high = 1 } })
    refused("low < high", study.parzen, { { low = 0, high = 1, log = true } })
    local two = study.parzen { { low = 0, high = 1 }, { choices = 2 } }
    refused("(rows, 2), float64", two.log_pdf, two, point)
    refused("no parameters", study.parzen, {})
    refused("different spaces", study.tpe, made, two, 1, 1, { "", "x" }, 24)
  end)

  it("gives back everything when an allocation fails", function()
    local space, point = { { low = 0, high = 1 } }, rows { { 0.5 } }
    collectgarbage()
    collectgarbage()
    local before = perilune.memory().live_bytes
    local function work()
      local made = study.parzen(space)
      for i = 1, 70 do made:insert(i, { i / 70 }) end
      study.tpe(made, made, 1, 1, { "", "x" }, 4)
      made:log_pdf(point)
    end
    for n = 1, 200 do
      core.debug.fail_allocation(n)
      local fine = pcall(work)
      core.debug.fail_allocation(0)
      collectgarbage()
      collectgarbage()
      assert.equal(before, perilune.memory().live_bytes)
      if fine then return assert.is_true(n > 8) end
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
