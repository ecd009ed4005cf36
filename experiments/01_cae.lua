--- 01_cae -- how well does a code of 14 numbers keep a picture of 28 x 28 pixels?
--
-- Trains the convolutional auto-encoder of the published study on the 60,000 training images of Fashion-MNIST and
-- measures the reconstruction error on the 10,000 test images.
--
--     lua5.4 experiments/01_cae.lua                           the published setting, 30 epochs: test MSE 0.013
--     lua5.4 experiments/01_cae.lua --schedule one_cycle --lr 4e-3 --weight-decay 0                 30 epochs: 0.0120
--     lua5.4 experiments/01_cae.lua --schedule one_cycle --lr 4e-3 --weight-decay 0 --epochs 80     80 epochs: 0.0110
--
-- Published: 0.0166.  PyTorch with the same layers, setting and epochs: 0.0131.
--
-- Leaves under --out: cae.safetensors, losses.csv, reconstructions.png, last.safetensors (the checkpoint of --resume).
-- Ctrl-C stops after the batch and saves; --resume goes on from there, or from the last whole epoch of a killed run.
-- The same seed gives the same bits, whatever the number of threads.
local argparse = require "argparse"
local perilune = require "perilune"

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path
local cae = require "support.cae"
local fashion = require "support.fashion"
local pictures = require "support.pictures"
local Reconstruction = require "support.reconstruction"
local run = require "support.run"
local training = require "support.training"

local parser = argparse("01_cae", "Train the convolutional auto-encoder on Fashion-MNIST.")
training.add_flags(parser, { epochs = 30, batch_size = 128, lr = 1e-3, out = "runs/cae" })
parser:option("-n --channels", "channels of the first layer (default 8)", 8):convert(math.tointeger)
parser:option("-d --code", "numbers in the code (default 14)", 14):convert(math.tointeger)
parser:option("--weight-decay", "L2 penalty (default 1e-5)", 1e-5):convert(tonumber)
parser:option("--schedule", "of the learning rate", "constant"):choices { "constant", "one_cycle" }
local flags = parser:parse()
training.check_counts(parser, flags, { "epochs", "batch_size", "channels", "code" })

local function configure_optimizers(module)
  local optimizer = perilune.optim.Adam(module:parameters(), { lr = flags.lr, weight_decay = flags.weight_decay })
  if flags.schedule == "constant" then return optimizer end
  local scheduler = perilune.optim.lr_scheduler.OneCycleLR(optimizer,
    { max_lr = flags.lr, total_steps = module.trainer.estimated_stepping_batches })
  return { optimizer = optimizer, lr_scheduler = { scheduler = scheduler, interval = "step" } }
end

local function main()
  local data = training.start(flags)
  local model = cae.autoencoder(flags.channels, flags.code)
  local module = Reconstruction(model, "test_mse", configure_optimizers)
  local trainer = training.fit(module, data, flags, { "train_mse", "test_mse" })
  if not trainer then return end

  assert(perilune.save(flags.out .. "/cae.safetensors", model:state_dict(),
    { metadata = { channels = tostring(flags.channels), code = tostring(flags.code) } }))
  pictures.save_reconstructions(flags.out .. "/reconstructions.png", model, fashion.one_of_each(data.test))
  print(("test MSE %.4f after %d epochs (published 0.0166)"):format(trainer.callback_metrics.test_mse, flags.epochs))
  print(("%s/: cae.safetensors, losses.csv, reconstructions.png"):format(flags.out))
end

run(main)
