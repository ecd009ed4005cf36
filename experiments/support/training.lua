--- What the experiments that train have in common: their flags, the start of a run, and the run itself.
--
-- A run leaves losses.csv and last.safetensors, its checkpoint.  Ctrl-C stops after the batch and saves; --resume goes
-- on from there, or from the last whole epoch of a killed run.
local perilune = require "perilune"
local fashion = require "support.fashion"
local folder = require "support.folder"
local Losses = require "support.losses"

local M = {}

--- Adds the flags of a training to those of the experiment.
---@param parser table  of argparse
---@param default { epochs: integer, batch_size: integer, lr: number, out: string }
function M.add_flags(parser, default)
  parser:option("--epochs", ("passes over the training images (default %d)"):format(default.epochs), default.epochs)
    :convert(math.tointeger)
  parser:option("--batch-size", ("images in a training step (default %d)"):format(default.batch_size),
    default.batch_size):convert(math.tointeger)
  parser:option("--lr", ("learning rate (of a schedule: the highest) (default %g)"):format(default.lr), default.lr)
    :convert(tonumber)
  M.add_resume_flag(parser)
  M.add_run_flags(parser, default.out)
end

--- Adds the flag of experiments that train with fit, below.
function M.add_resume_flag(parser)
  parser:flag("--resume", "go on from last.safetensors in --out, to the same bits")
end

--- Adds the flags that every experiment on the images has.
---@param out string  the folder for the results, if none is given
function M.add_run_flags(parser, out)
  parser:option("--limit", "use only the first training images"):convert(math.tointeger)
  parser:option("--test-limit", "use only the first test images"):convert(math.tointeger)
  parser:option("--seed", "of weights, order and draws (default 1)", 1):convert(math.tointeger)
  parser:option("--threads", "0: as many as the machine offers", 0):convert(math.tointeger)
  parser:option("--data", "folder of the IDX files, if not where Debian puts them")
  parser:option("--out", "folder for the results", out)
end

--- An error of the parser where a flag that counts something is less than 1.
function M.check_counts(parser, flags, names)
  for _, name in ipairs(names) do
    if flags[name] and flags[name] < 1 then parser:error(("--%s must be 1 or more"):format((name:gsub("_", "-")))) end
  end
end

--- Seeds the generator, reads the data, makes the folder.
---@param flags table
---@return table train
---@return table test
function M.prepare(flags)
  if flags.threads > 0 then perilune.set_num_threads(flags.threads) end
  perilune.manual_seed(flags.seed)
  folder.make(flags.out)
  return fashion.load(flags)
end

--- The same, with loaders.
---@return { train: table, test: table, loader: table, test_loader: table }
function M.start(flags)
  local train, test = M.prepare(flags)
  return { train = train, test = test,
    loader = perilune.data.DataLoader(train, { batch_size = flags.batch_size, shuffle = true }),
    test_loader = perilune.data.DataLoader(test, { batch_size = 256 }) }
end

--- Trains the module, with validation on the test images after every epoch.
---@param module table  what a Trainer takes
---@param data table  from start
---@param flags table
---@param columns string[]  logged values that losses.csv holds
---@return table? trainer  nil if the run was interrupted
function M.fit(module, data, flags, columns)
  local trainer = perilune.Trainer { max_epochs = flags.epochs, callbacks = {
    Losses(flags.out .. "/losses.csv", columns),
    perilune.callbacks.ModelCheckpoint { dirpath = flags.out, save_top_k = 0, save_last = true } } }
  trainer:fit(module, data.loader, data.test_loader, { ckpt_path = flags.resume and "last" or nil })
  if not trainer.interrupted then return trainer end
  print(("interrupted in epoch %d; --resume goes on"):format(trainer.current_epoch))
  return nil
end

return M
