-- importance/fanova.lua -- functional ANOVA over a random forest (Hutter, Hoos & Leyton-Brown, ICML 2014).
--
-- A tree is a function that is constant on boxes.  Its marginal over a parameter is its mean over all others, weighted
-- by the boxes' volumes; the importance is the variance of that marginal relative to the tree's variance, averaged over
-- the trees.  A category is one column of 0 and 1 for each choice, cut at 1/2, as in Optuna.
local Evaluator = require "perilune.study.importance.base"
local core = require "perilune.core"
local draw = require "perilune.study.draw"
local regression_tree = require "perilune.study.regression_tree"
local search_space = require "perilune.study.search_space"
local settings = require "perilune.study.settings"

local Fanova = Evaluator:extend("FanovaImportanceEvaluator")

settings(Fanova, { { "n_trees", 64, least = 1 }, { "max_depth", 64, least = 1 }, { "seed", 0 } })

function Fanova:init(given) self:configure(given) end

-- -- columns --

-- Columns of the box, and for each name which of them are its own.
local function encoded(names, space, trials)
  local box = { columns = {}, low = {}, high = {}, groups = {} }
  local function add(low, high, value_of)
    local column = {}
    for i, trial in ipairs(trials) do column[i] = value_of(trial) end
    table.insert(box.columns, column)
    box.low[#box.columns], box.high[#box.columns] = low, high
    return #box.columns
  end
  for _, name in ipairs(names) do
    local distribution, group = space[name], {}
    for choice = 0, distribution.choices and #distribution.choices - 1 or -1 do
      group[#group + 1] = add(0, 1, function(trial) return trial.internal_params[name] == choice and 1 or 0 end)
    end
    if not distribution.choices then
      group[1] = add(distribution.low, distribution.high, function(trial) return trial.internal_params[name] end)
    end
    box.groups[name] = group
  end
  return box
end

-- -- one tree --

local function volume(box, leaf, columns)
  local product = 1
  for _, j in ipairs(columns) do product = product * (leaf.high[j] - leaf.low[j]) / (box.high[j] - box.low[j]) end
  return product
end

local function mean_and_variance(box, leaves)
  local all, mean, square = {}, 0, 0
  for j = 1, #box.columns do all[j] = j end
  for _, leaf in ipairs(leaves) do
    leaf.volume = volume(box, leaf, all)
    mean, square = mean + leaf.volume * leaf.value, square + leaf.volume * leaf.value ^ 2
  end
  return mean, square - mean * mean
end

-- The mean square of the marginal over one numeric column: a sum of steps, swept from left to right.
local function square_of_steps(box, leaves, j)
  local change, ends = {}, {}
  local function add(at, height)
    if not change[at] then ends[#ends + 1] = at end
    change[at] = (change[at] or 0) + height
  end
  for _, leaf in ipairs(leaves) do
    local height = leaf.value * leaf.volume / volume(box, leaf, { j })
    add(leaf.low[j], height)
    add(leaf.high[j], -height)
  end
  table.sort(ends)
  local height, square = 0, 0
  for i = 1, #ends - 1 do
    height = height + change[ends[i]]
    square = square + height * height * (ends[i + 1] - ends[i])
  end
  return square / (box.high[j] - box.low[j])
end

-- The part of the cube of 0/1 columns that two leaves share: each column is whole, or one half of it.
local function shared(a, b, columns)
  local product = 1
  for _, j in ipairs(columns) do
    product = product * math.max(0, math.min(a.high[j], b.high[j]) - math.max(a.low[j], b.low[j]))
  end
  return product
end

-- The same over the columns of a category: leaves with the same part of the cube are added up, then taken in pairs.
local function square_of_halves(box, leaves, columns)
  local by_part, parts = {}, {}
  for _, leaf in ipairs(leaves) do
    local key = {}
    for k, j in ipairs(columns) do key[k] = leaf.low[j] .. "," .. leaf.high[j] end
    key = table.concat(key, " ")
    local part = by_part[key] or { low = leaf.low, high = leaf.high, height = 0 }
    if not by_part[key] then parts[#parts + 1] = part end
    by_part[key] = part
    part.height = part.height + leaf.value * leaf.volume / volume(box, leaf, columns)
  end
  local square = 0
  for a, first in ipairs(parts) do
    for b = a, #parts do
      square = square + (a == b and 1 or 2) * first.height * parts[b].height * shared(first, parts[b], columns)
    end
  end
  return square
end

-- Adds to sums what each name explains of this tree's variance.
local function add_tree(sums, box, names, space, leaves)
  local mean, variance = mean_and_variance(box, leaves)
  if variance <= 0 then return 0 end
  for _, name in ipairs(names) do
    local columns = box.groups[name]
    local square = space[name].choices and square_of_halves(box, leaves, columns)
      or square_of_steps(box, leaves, columns[1])
    sums[name] = sums[name] + math.max(0, square - mean * mean) / variance
  end
  return 1
end

-- -- the forest --

-- 1 .. d in another order at each call.
local function shuffler(seed, tree, d)
  local k = 0
  return function()
    local order = {}
    for j = 1, d do order[j] = j end
    for j = d, 2, -1 do
      k = k + 1
      local other = 1 + math.floor(draw(seed, tree, "columns", k) * j)
      order[j], order[other] = order[other], order[j]
    end
    return order
  end
end

local function bootstrapped(seed, tree, n)
  local weight = {}
  for i = 1, n do weight[i] = 0 end
  for i = 1, n do
    local at = 1 + math.floor(draw(seed, tree, "rows", i) * n)
    weight[at] = weight[at] + 1
  end
  return weight
end

local function centered(values)
  local mean, list = 0, {}
  for _, value in ipairs(values) do mean = mean + value / #values end
  for i, value in ipairs(values) do list[i] = value - mean end
  return list
end

-- The trials that have all params, their values, and the space they share.
local function common(trials, values, params)
  local kept, kept_values, space = {}, {}, nil
  for i, trial in ipairs(trials) do
    local has_all = true
    for _, name in ipairs(params or {}) do has_all = has_all and trial.distributions[name] ~= nil end
    if has_all then
      kept[#kept + 1], kept_values[#kept_values + 1] = trial, values[i]
      space = search_space.intersect(space, trial.distributions)
    end
  end
  for _, name in ipairs(space and params or {}) do
    if not space[name] then
      core.raise(("Fanova: '%s' has not the same range in all trials; PedAnova can judge such parameters"):format(name))
    end
  end
  return kept, kept_values, space or {}
end

function Fanova:evaluate(trials, values, params)
  local kept, kept_values, space = common(trials, values, params)
  local found, names = {}, {}
  for _, name in ipairs(params or search_space.names(space)) do
    found[name] = 0
    if space[name] and not space[name]:single() then names[#names + 1] = name end
  end
  if #kept <= 1 or #names == 0 then return found end
  local box, y, n_counted = encoded(names, space, kept), centered(kept_values), 0
  for tree = 1, self.n_trees do
    local leaves = regression_tree(box.columns, y, bootstrapped(self.seed, tree, #y), box.low, box.high,
      self.max_depth, shuffler(self.seed, tree, #box.columns))
    n_counted = n_counted + add_tree(found, box, names, space, leaves)
  end
  for _, name in ipairs(names) do found[name] = n_counted > 0 and found[name] / n_counted or 0 end
  return found
end

--- fANOVA (Hutter, Hoos & Leyton-Brown, ICML 2014): how much of a random forest's variance each parameter explains by
--- itself, over its whole range.  Options: n_trees 64, max_depth 64, seed 0 of the forest.
---@param given? table  { n_trees = 64, max_depth = 64, seed = 0 }
---@return table
return function(given) return Fanova(given) end
