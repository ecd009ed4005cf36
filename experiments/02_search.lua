--- 02_search -- which auto-encoder keeps the pictures best: how wide, how long a code, trained how?
--
-- Two studies of 20 trials: at random with the median pruner, as published, and by TPE with Hyperband.  A trial trains
-- an auto-encoder for some epochs on 50,000 of the training images; its value is the mean squared error on the other
-- 10,000.  The best setting of both is then trained on all 60,000 images, its learning rate falling to zero in one
-- cycle, and measured on the test images.
--
--     lua5.4 experiments/02_search.lua                   test MSE 0.0096 (published 0.0166)
--                                                        again: goes on where it was killed;
--                                                        in a second terminal, at the same time: takes part
--     lua5.4 experiments/02_search.lua --jobs 2          two processes, of one thread each
--     optuna-dashboard sqlite:///runs/search/study.db    the study is an Optuna study
--
-- Of several builds, whose sums round differently, at random: validation MSE 0.0147 to 0.0152 (d = 30, n = 7, Adam,
-- learning rate 0.014, weight decay 3e-6), 12 trials pruned.  TPE: 0.0158 to 0.0177 (d = 20, n = 12, RMSprop), 15
-- pruned; half of its trials are its random start.
--
-- Leaves under --out: study.db, search.csv; in random/ and tpe/ trials.csv, pictures of the study and the weights of
-- the trials; best.safetensors (the best trial's weights), cae.safetensors and best.csv (its setting, trained to the
-- end), edf.png, reconstructions.png.
local argparse = require "argparse"
local perilune = require "perilune"

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path
local cae = require "support.cae"
local fashion = require "support.fashion"
local findings = require "support.findings"
local folder = require "support.folder"
local pictures = require "support.pictures"
local Reconstruction = require "support.reconstruction"
local run_script = require "support.run"
local space = require "support.space"
local tables = require "support.tables"
local trained = require "support.trained"

local study = perilune.study

local parser = argparse("02_search", "Search for the best auto-encoder.")
parser:option("--trials", "of each study, all together (default 20)", 20):convert(math.tointeger)
parser:option("--epochs", "of a trial (default 10)", 10):convert(math.tointeger)
parser:option("--final-epochs", "of the best setting, on all training images (default 30)", 30):convert(math.tointeger)
parser:option("--schedule", "of its learning rate", "one_cycle"):choices { "constant", "one_cycle" }
parser:option("--batch-size", "images in a training step (default 128)", 128):convert(math.tointeger)
parser:option("--studies", "which of the two", "both"):choices { "random", "tpe", "both" }
parser:option("--storage", "database of the studies (default study.db in --out)")
parser:option("--jobs", "processes that run trials at the same time (default 1)", 1):convert(math.tointeger)
parser:option("--limit", "use only the first training images"):convert(math.tointeger)
parser:option("--seed", "of splits, weights, order and draws (default 1)", 1):convert(math.tointeger)
parser:option("--threads", "0: as many as the machine offers", 0):convert(math.tointeger)
parser:option("--data", "folder of the IDX files, if not where Debian puts them")
parser:option("--out", "folder for the results", "runs/search")
local flags = parser:parse()
for _, name in ipairs { "trials", "epochs", "final_epochs", "batch_size", "jobs" } do
  if flags[name] < 1 then parser:error(("--%s must be 1 or more"):format((name:gsub("_", "-")))) end
end

local STUDIES <const> = {
  random = { sampler = function() return study.samplers.Random { seed = flags.seed } end,
    pruner = function() return study.pruners.Median() end, about = "random, median pruner" },
  tpe = { sampler = function() return study.samplers.TPE { seed = flags.seed + 1 } end,
    pruner = function() return study.pruners.Hyperband { max_resource = flags.epochs } end, about = "TPE, Hyperband" },
}

-- -- a trial -- --

local function weights_of(name, number) return ("%s/%s/trial_%02d.safetensors"):format(flags.out, name, number) end

local function save(path, model, setting)
  assert(perilune.save(path, model:state_dict(), { metadata = { channels = tostring(setting.n_channels),
    code = tostring(setting.encoded_space_dim) } }))
end

--- A module of that setting, and the network in it.
---@param schedule "constant"|"one_cycle"  of the learning rate: the setting's, or up to it and then down to zero
local function module_of(setting, metric, schedule)
  local model = cae.autoencoder(setting.n_channels, setting.encoded_space_dim)
  local function configure(module)
    local optimizer = space.optimizer(setting, module:parameters())
    if schedule == "constant" then return optimizer end
    local scheduler = perilune.optim.lr_scheduler.OneCycleLR(optimizer, { max_lr = setting.learning_rate,
      total_steps = module.trainer.estimated_stepping_batches, cycle_momentum = false })
    return { optimizer = optimizer, lr_scheduler = { scheduler = scheduler, interval = "step" } }
  end
  return Reconstruction(model, metric, configure), model
end

--- The objective.  The seed is the trial's own: it gives the same value whoever runs it.
local function objective_of(name, loaders)
  return function(trial)
    local setting = space.suggest(trial)
    perilune.manual_seed(flags.seed * 1000 + trial.number)
    local module, model = module_of(setting, "val_mse", "constant")
    local trainer = perilune.Trainer { max_epochs = flags.epochs, enable_progress_bar = false,
      callbacks = { perilune.callbacks.Pruning(trial, { monitor = "val_mse" }) } }
    trainer:fit(module, loaders.train, loaders.validation)
    if not trainer.interrupted then save(weights_of(name, trial.number), model, setting) end
    return trainer.callback_metrics.val_mse
  end
end

-- A setting that diverges is a failed trial, and the search goes on.
local function diverges(message) return message:find("not finite", 1, true) ~= nil end

local function open_study(name)
  local chosen = STUDIES[name]
  return study.create { study_name = name, direction = "minimize", storage = flags.storage, load_if_exists = true,
    sampler = chosen.sampler(), pruner = chosen.pruner() }
end

local function run(name, loaders)
  folder.make(("%s/%s"):format(flags.out, name))
  local search = open_study(name)
  search:optimize(objective_of(name, loaders), { total_trials = flags.trials, n_jobs = flags.jobs, catch = diverges,
    show_progress_bar = true })
  return search
end

-- -- the best of all -- --

local function test_error(model, loader)
  local trainer = perilune.Trainer { enable_progress_bar = false }
  return trainer:test(Reconstruction(model), loader)[1].test_mse
end

local function index_of_best(searches)
  local best = 1
  for i, search in ipairs(searches) do
    if search.best_value < searches[best].best_value then best = i end
  end
  return best
end

--- Trains the setting on all images, from the checkpoint of an earlier run of the same setting if there is one.
local function train_to_the_end(name, trial, data)
  local into = ("%s/final_%s_%02d_%d_%s"):format(flags.out, name, trial.number, flags.final_epochs, flags.schedule)
  perilune.manual_seed(flags.seed)
  local module, model = module_of(trial.params, "test_mse", flags.schedule)
  local trainer = perilune.Trainer { max_epochs = flags.final_epochs, callbacks = {
    perilune.callbacks.ModelCheckpoint { dirpath = into, save_top_k = 0, save_last = true } } }
  trainer:fit(module, data.all, data.test, { ckpt_path = "last" })
  return not trainer.interrupted and model or nil, trainer.callback_metrics.test_mse
end

local function finish(names, searches, data)
  local test_mse = {}
  for i, name in ipairs(names) do
    findings.print_best(searches[i], STUDIES[name].about)
    test_mse[i] = test_error(trained.cae(weights_of(name, searches[i].best_trial.number)), data.test)
    print(("  Test MSE of its weights:  %.6f\n"):format(test_mse[i]))
    findings.leave(searches[i], ("%s/%s"):format(flags.out, name))
  end
  findings.write_summary(flags.out .. "/search.csv", searches, test_mse)
  assert(study.visualization.edf(searches, { target_name = "validation MSE", xscale = "log" }):save(
    flags.out .. "/edf.png"))
  local at = index_of_best(searches)
  local best = searches[at].best_trial
  save(flags.out .. "/best.safetensors", trained.cae(weights_of(names[at], best.number)), best.params)
  local model, mse = train_to_the_end(names[at], best, data)
  if not model then return print("interrupted; the same command goes on") end
  save(flags.out .. "/cae.safetensors", model, best.params)
  tables.write_csv(flags.out .. "/best.csv", { "study", "trial", "epochs", "test_mse" },
    { { names[at], best.number, flags.final_epochs, ("%.6f"):format(mse) } })
  pictures.save_reconstructions(flags.out .. "/reconstructions.png", model, fashion.one_of_each(data.test_set))
  print(("test MSE %.4f with the setting of trial %d of %s, trained %d epochs on all images (published 0.0166)"):format(
    mse, best.number, names[at], flags.final_epochs))
  print(flags.out .. "/: study.db, search.csv, best.csv, edf.png, best.safetensors, cae.safetensors, "
    .. "reconstructions.png, " .. table.concat(names, "/, ") .. "/")
end

local function load_data()
  local train, test = fashion.load(flags)
  local kept, held_out = perilune.data.random_split(train, { 5 / 6, 1 / 6 }, { seed = flags.seed })
  local function loader(set, shuffle)
    return perilune.data.DataLoader(set, { batch_size = shuffle and flags.batch_size or 256, shuffle = shuffle })
  end
  return { train = loader(kept, true), validation = loader(held_out, false), all = loader(train, true),
    test = loader(test, false), test_set = test }
end

local function main()
  if flags.threads > 0 then perilune.set_num_threads(flags.threads) end
  if study.is_worker() then perilune.set_num_threads(1) end
  folder.make(flags.out)
  flags.storage = flags.storage or "sqlite:///" .. flags.out .. "/study.db"
  study.set_verbosity("info")
  local data = load_data()
  local names, searches = flags.studies == "both" and { "random", "tpe" } or { flags.studies }, {}
  for i, name in ipairs(names) do searches[i] = run(name, data) end
  finish(names, searches, data)
end

run_script(main)
