--- Where transfer pays: the encoder against the same network from scratch, by the number of labels.
--
-- For each number of labels a class, some trainings (seeds) of three kinds, each on the same images:
--   frozen    the trained encoder as it was, only the classifier is trained
--   tuned     the trained encoder, trained on
--   scratch   an encoder that has seen nothing
-- All take the same number of steps with the same schedule.
local perilune = require "perilune"
local data, nn = perilune.data, perilune.nn
local cae = require "support.cae"
local Classification = require "support.classification"
local fashion = require "support.fashion"
local outputs = require "support.outputs"
local tables = require "support.tables"
local transfer = require "support.transfer"

local M = {}

local LABELS <const> = { 10, 50, 100, 500 }
local BATCH <const> = 64
local KINDS <const> = { "frozen", "tuned", "scratch" }
local TITLES <const> = { frozen = "encoder as it was", tuned = "encoder, trained on", scratch = "from scratch" }

-- The numbers of labels that there are in every class.
local function possible(labels)
  local fewest, list = nn.functional.one_hot(labels, 10):sum(1):min():item(), {}
  for _, per_class in ipairs(LABELS) do
    if per_class <= fewest then list[#list + 1] = per_class end
  end
  return list
end

-- The same number of images of each class, by chance.
local function choose(labels, per_class)
  local chosen = {}
  for class = 1, 10 do
    local rows = labels:eq(class):nonzero():flatten()
    chosen[class] = rows:index_select(1, perilune.randperm(#rows):narrow(1, 1, per_class))
  end
  return perilune.cat(chosen)
end

local function network_of(kind, flags)
  local trained, d, n = transfer.load_encoder(flags.encoder)
  local encoder = kind == "scratch" and cae.encoder(n, d) or trained
  if kind == "frozen" then encoder:requires_grad_(false) end
  return transfer.network(encoder, transfer.head(d)), encoder
end

-- Test accuracy after one training on some rows of the data set; nil if it was interrupted.
local function train_once(kind, dataset, rows, test, flags)
  local network, encoder = network_of(kind, flags)
  local images, module = data.Subset(dataset, rows), network
  if kind == "frozen" then   -- its codes are computed once
    images = data.TensorDataset(outputs(encoder, images), fashion.labels(images))
    module = network.head
  end
  local loader = data.DataLoader(images, { batch_size = math.min(BATCH, #rows), shuffle = true, drop_last = true })
  network:train()
  local trainer = perilune.Trainer { max_steps = flags.steps, enable_progress_bar = false }
  trainer:fit(Classification(module, nn.NLLLoss(), { lr = 4e-3 }), loader)
  if trainer.interrupted then return nil end
  return perilune.metrics.accuracy(outputs(network:eval(), test), fashion.labels(test))
end

local function mean_and_spread(values)
  local t = perilune.tensor(values):to("float64")
  return t:mean():item(), #values > 1 and t:std():item() or 0.0
end

-- { kind = test accuracies, one a training }; nil if one was interrupted.
local function train_all(per_class, dataset, labels, test, flags)
  local accuracies = { frozen = {}, tuned = {}, scratch = {} }
  for repetition = 1, flags.repeats do
    perilune.manual_seed(flags.seed + 1000 * repetition)
    local chosen = choose(labels, per_class)
    for _, kind in ipairs(KINDS) do
      local accuracy = train_once(kind, dataset, chosen, test, flags)
      if not accuracy then return nil end
      accuracies[kind][repetition] = accuracy
    end
  end
  return accuracies
end

-- The numbers of labels, { per_class = { kind = { mean, spread } } }, and the rows of the table; nil if interrupted.
local function measure(dataset, test, flags)
  local labels, found, rows = fashion.labels(dataset), {}, {}
  local counts = possible(labels)
  for _, per_class in ipairs(counts) do
    local accuracies = train_all(per_class, dataset, labels, test, flags)
    if not accuracies then return nil end
    found[per_class] = {}
    for _, kind in ipairs(KINDS) do
      local mean, spread = mean_and_spread(accuracies[kind])
      found[per_class][kind] = { mean = mean, spread = spread }
      rows[#rows + 1] = { per_class, kind, flags.repeats, ("%.4f"):format(mean), ("%.4f"):format(spread) }
    end
    print(("few: %3d labels a class: %.1f%% as it was, %.1f%% trained on, %.1f%% from scratch"):format(per_class,
      100 * found[per_class].frozen.mean, 100 * found[per_class].tuned.mean, 100 * found[per_class].scratch.mean))
  end
  return counts, found, rows
end

local function draw(counts, found, path, repeats)
  local series = {}
  for i, kind in ipairs(KINDS) do
    local one = { y = {}, low = {}, high = {}, label = TITLES[kind] }
    for k, per_class in ipairs(counts) do
      local value = found[per_class][kind]
      one.y[k], one.low[k], one.high[k] = value.mean, value.mean - value.spread, value.mean + value.spread
    end
    series[i] = one
  end
  assert(perilune.plot.line { series = series, x = counts, xscale = "log", marker = true, xlabel = "labels a class",
    ylabel = "test accuracy", title = ("Where transfer pays (mean and deviation of %d trainings)"):format(repeats),
  }:save(path))
end

--- Leaves few_labels.csv and few_labels.png; after Ctrl-C nothing, and returns false.
---@param dataset table  the training images
---@param test table
---@param flags table    encoder (a path), steps, repeats, seed, out
---@return boolean complete
function M.run(dataset, test, flags)
  local counts, found, rows = measure(dataset, test, flags)
  if not counts then return false end
  tables.write_csv(flags.out .. "/few_labels.csv", { "labels_a_class", "kind", "trainings", "mean_accuracy",
    "deviation" }, rows)
  draw(counts, found, flags.out .. "/few_labels.png", flags.repeats)
  return true
end

return M
