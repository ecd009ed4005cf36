--- How good the samplers are: ten functions, 30 seeds, the best value within 20, 50 and 80 trials, beside Optuna's.
--   lua5.4 experiments/bench/study_quality.lua [--samplers random tpe] > experiments/bench/study_quality.md
-- Optuna's values are in study_quality_optuna.csv (study_quality_python.py makes them).  Prints a table of medians and
-- the two-sided p of a Mann-Whitney test; p < 0.05 with the larger median is where ours is worse.  Takes a few seconds.
local perilune = require "perilune"
local argparse = require "argparse"

local folder = arg[0]:match("^(.*/)") or "./"
local parser = argparse("study_quality.lua", "Compares the samplers with Optuna's.")
parser:option("--samplers", "which"):args("+"):default({ "random", "tpe" })
local options = parser:parse()

local SEEDS, BUDGETS = 30, { 20, 50, 80 }
local unpack_values = table.unpack

local function ackley(x)
  local square, cosine = 0, 0
  for _, v in ipairs(x) do square, cosine = square + v * v, cosine + math.cos(2 * math.pi * v) end
  return -20 * math.exp(-0.2 * math.sqrt(square / #x)) - math.exp(cosine / #x) + 20 + math.exp(1)
end

local function rastrigin(x)
  local sum = 0
  for _, v in ipairs(x) do sum = sum + v * v - 10 * math.cos(2 * math.pi * v) + 10 end
  return sum
end

local function rosenbrock(x)
  local sum = 0
  for i = 1, #x - 1 do sum = sum + 100 * (x[i + 1] - x[i] * x[i]) ^ 2 + (1 - x[i]) ^ 2 end
  return sum
end

local function styblinski_tang(x)
  local sum = 0
  for _, v in ipairs(x) do sum = sum + v ^ 4 - 16 * v * v + 5 * v end
  return sum / 2
end

local HARTMANN_A = { { 10, 3, 17, 3.5, 1.7, 8 }, { 0.05, 10, 17, 0.1, 8, 14 }, { 3, 3.5, 1.7, 10, 17, 8 },
  { 17, 8, 0.05, 10, 0.1, 14 } }
local HARTMANN_P = { { 0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886 },
  { 0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991 },
  { 0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650 }, { 0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381 } }

local function hartmann(x)
  local sum = 0
  for i, height in ipairs { 1.0, 1.2, 3.0, 3.2 } do
    local distance = 0
    for j, v in ipairs(x) do distance = distance + HARTMANN_A[i][j] * (v - HARTMANN_P[i][j]) ^ 2 end
    sum = sum - height * math.exp(-distance)
  end
  return sum
end

local function floats(t, n, low, high)
  local x = {}
  for i = 1, n do x[i] = t:suggest_float("x" .. i, low, high) end
  return x
end

local function over_floats(f, n, low, high) return function(t) return f(floats(t, n, low, high)) end end

local function integer_ackley(t)
  local x = {}
  for i = 1, 4 do x[i] = t:suggest_int("x" .. i, -20, 20) end
  return ackley(x)
end

local function stepped_rastrigin(t)
  return rastrigin { t:suggest_float("x1", -5, 5, { step = 0.25 }), t:suggest_float("x2", -5, 5, { step = 0.25 }),
    t:suggest_int("x3", -5, 5), t:suggest_float("x4", -5.12, 5.12) }
end

local function log_bowl(t)
  local sum = 0
  for i, goal in ipairs { -4, -2.5, -1 } do
    sum = sum + (math.log(t:suggest_float("x" .. i, 1e-6, 1, { log = true }), 10) - goal) ^ 2
  end
  return sum + (math.log(t:suggest_int("n", 1, 1000, { log = true }), 10) - 1.5) ^ 2
end

local SHIFTS = { a = { 0, 0 }, b = { 1.5, 20 }, c = { -2, 5 }, d = { 3, 40 }, e = { 0.5, 10 } }

local function categorical_styblinski_tang(t)
  local x = floats(t, 3, -5, 5)
  local shift, penalty = unpack_values(SHIFTS[t:suggest_categorical("kind", { "a", "b", "c", "d", "e" })])
  x[1] = x[1] + shift
  if not t:suggest_categorical("straight", { false, true }) then x[2], penalty = 0.5 * x[2], penalty + 5 end
  return styblinski_tang(x) + penalty
end

local function network(t)
  local rate = math.log(t:suggest_float("learning_rate", 1e-5, 1e-1, { log = true }), 10)
  local decay = math.log(t:suggest_float("weight_decay", 1e-8, 1e-2, { log = true }), 10)
  local layers, width = t:suggest_int("layers", 1, 5), math.log(t:suggest_int("width", 4, 512, { log = true }), 2)
  local optimizer = t:suggest_categorical("optimizer", { "Adam", "RMSprop", "SGD" })
  local loss = 0.1 * (layers - 3) ^ 2 + 0.05 * (width - 6) ^ 2 + 0.02 * (decay + 5) ^ 2
  if optimizer == "SGD" then
    local momentum = t:suggest_float("momentum", 0, 0.99)
    return loss + 0.3 * (rate + 1.5) ^ 2 + 2 * (momentum - 0.9) ^ 2
  end
  return loss + 0.3 * (rate + 3) ^ 2 + (optimizer == "Adam" and 0.1 or 0.3)
end

local FUNCTIONS = {
  { "ackley_5", over_floats(ackley, 5, -32.768, 32.768) }, { "hartmann_6", over_floats(hartmann, 6, 0, 1) },
  { "styblinski_tang_4", over_floats(styblinski_tang, 4, -5, 5) },
  { "rastrigin_3", over_floats(rastrigin, 3, -5.12, 5.12) }, { "rosenbrock_3", over_floats(rosenbrock, 3, -5, 10) },
  { "integer_ackley_4", integer_ackley }, { "stepped_rastrigin_4", stepped_rastrigin }, { "log_bowl_4", log_bowl },
  { "categorical_styblinski_tang_5", categorical_styblinski_tang }, { "network_6", network },
}

local SAMPLERS = { random = "Random", tpe = "TPE", qmc = "QMC", cma_es = "CmaEs", nsgaii = "NSGAII" }

-- By budget, the best value of each seed.
local function best_values(sampler, objective)
  local best = {}
  for _, budget in ipairs(BUDGETS) do best[budget] = {} end
  for seed = 1, SEEDS do
    local s = perilune.study.create { sampler = perilune.study.samplers[SAMPLERS[sampler]] { seed = seed } }
    local lowest = math.huge
    s:optimize(objective, { n_trials = BUDGETS[#BUDGETS], callbacks = { function(_, trial)
      lowest = math.min(lowest, trial.value)
      if best[trial.number + 1] then best[trial.number + 1][seed] = lowest end
    end } })
  end
  return best
end

-- sampler, function, budget -> Optuna's values.
local function read_optuna()
  local known = {}
  for line in io.lines(folder .. "study_quality_optuna.csv") do
    local sampler, name, budget, rest = line:match("^(%l+),([%w_]+),(%d+),(.*)$")
    local values = {}
    for text in (rest or ""):gmatch("[^,]+") do values[#values + 1] = tonumber(text) end
    if sampler then known[sampler .. " " .. name .. " " .. budget] = values end
  end
  return known
end

local function median(values)
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  return (sorted[(#sorted + 1) // 2] + sorted[#sorted // 2 + 1]) / 2
end

-- Abramowitz & Stegun 7.1.26: P(|Z| > z) to seven digits.
local function two_sided(z)
  local x = z / math.sqrt(2)
  local t = 1 / (1 + 0.3275911 * x)
  local p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
  return math.exp(-x * x) * p
end

-- Two-sided p of the Mann-Whitney U test: normal approximation, corrected for ties and continuity.
local function mann_whitney(a, b)
  local all = {}
  for _, x in ipairs(a) do all[#all + 1] = { x, true } end
  for _, x in ipairs(b) do all[#all + 1] = { x, false } end
  table.sort(all, function(p, q) return p[1] < q[1] end)
  local n, ranks, ties, at = #all, 0, 0, 1
  while at <= n do
    local last = at
    while last < n and all[last + 1][1] == all[at][1] do last = last + 1 end
    local count = last - at + 1
    ties = ties + count ^ 3 - count
    for i = at, last do ranks = ranks + (all[i][2] and (at + last) / 2 or 0) end
    at = last + 1
  end
  local u = ranks - #a * (#a + 1) / 2
  local deviation = math.sqrt(#a * #b / 12 * (n + 1 - ties / (n * (n - 1))))
  return two_sided(math.max(0, math.abs(u - #a * #b / 2) - 0.5) / deviation)
end

local optuna = read_optuna()
print("# Best values beside Optuna's\n")
print(("Medians of %d seeds, ours and Optuna 5.0's, and the two-sided p of a Mann-Whitney test; lower is better.")
  :format(SEEDS))
print("`lua5.4 experiments/bench/study_quality.lua` makes this page again.")
for _, sampler in ipairs(options.samplers) do
  print(("\n## %s\n\n| function | trials | ours | Optuna | p | |\n|---|---|---|---|---|---|"):format(sampler))
  for _, entry in ipairs(FUNCTIONS) do
    local best = best_values(sampler, entry[2])
    for _, budget in ipairs(BUDGETS) do
      local key = (" %s %d"):format(entry[1], budget)
    local theirs = optuna[sampler .. key] or optuna["tpe" .. key]
      local ours, other, p = median(best[budget]), median(theirs), mann_whitney(best[budget], theirs)
      local verdict = p >= 0.05 and "" or ours < other and "better" or "worse"
      print(("| %s | %d | %.4g | %.4g | %.2f | %s |"):format(entry[1], budget, ours, other, p, verdict))
    end
  end
end
