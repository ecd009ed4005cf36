--- 01_cae -- how well does a code of 14 numbers keep a picture of 28 x 28 pixels?
--
-- Trains the convolutional auto-encoder of the published study on the 60,000 training images of Fashion-MNIST and
-- measures the reconstruction error on the 10,000 test images.
--
--     lua5.4 experiments/01_cae.lua                           the published setting, 30 epochs: test MSE 0.0131
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
local folder = require "support.folder"

local parser = argparse("01_cae", "Train the convolutional auto-encoder on Fashion-MNIST.")
parser:option("--epochs", "passes over the training images (default 30)", 30):convert(math.tointeger)
parser:option("--batch-size", "images in a training step (default 128)", 128):convert(math.tointeger)
parser:option("-n --channels", "channels of the first layer (default 8)", 8):convert(math.tointeger)
parser:option("-d --code", "numbers in the code (default 14)", 14):convert(math.tointeger)
parser:option("--lr", "learning rate (of one_cycle: the highest) (default 1e-3)", 1e-3):convert(tonumber)
parser:option("--weight-decay", "L2 penalty (default 1e-5)", 1e-5):convert(tonumber)
parser:option("--schedule", "of the learning rate (default constant)", "constant"):choices { "constant", "one_cycle" }
parser:option("--limit", "use only the first training images"):convert(math.tointeger)
parser:option("--seed", "of weights and order (default 1)", 1):convert(math.tointeger)
parser:option("--threads", "0: as many as the machine offers", 0):convert(math.tointeger)
parser:flag("--resume", "go on from last.safetensors in --out, to the same bits")
parser:option("--data", "folder of the IDX files, if not where Debian puts them")
parser:option("--out", "folder for the results (default runs/cae)", "runs/cae")
local flags = parser:parse()
for _, name in ipairs { "epochs", "batch_size", "channels", "code" } do
  if flags[name] < 1 then parser:error(("--%s must be 1 or more"):format((name:gsub("_", "-")))) end
end

--- The auto-encoder with its loss and its optimizer, as a Trainer wants it.
local Reconstruction = perilune.nn.Module:extend("Reconstruction")

function Reconstruction:init(model) self.model = model end

local function loss_of(self, batch)
  local images = batch[1]
  return perilune.nn.functional.mse_loss(self.model(images), images)
end

function Reconstruction:training_step(batch)
  local loss = loss_of(self, batch)
  self:log("train_mse", loss, { on_step = false, on_epoch = true })
  return loss
end

function Reconstruction:validation_step(batch) self:log("test_mse", loss_of(self, batch), { prog_bar = true }) end

function Reconstruction:configure_optimizers()
  local optimizer = perilune.optim.Adam(self:parameters(), { lr = flags.lr, weight_decay = flags.weight_decay })
  if flags.schedule == "constant" then return optimizer end
  local scheduler = perilune.optim.lr_scheduler.OneCycleLR(optimizer,
    { max_lr = flags.lr, total_steps = self.trainer.estimated_stepping_batches })
  return { optimizer = optimizer, lr_scheduler = { scheduler = scheduler, interval = "step" } }
end

--- losses.csv: a row for each epoch, those before a --resume included.
local Losses = perilune.callbacks.Callback:extend("Losses")

Losses.monitoring = true   -- runs when the means of the epoch are known

function Losses:init(path) self.path, self.rows = path, {} end

function Losses:on_train_epoch_start() self.epoch = perilune.progress { total = 0 } end   -- for its clock

-- An epoch that was taken up in its middle was not timed.
function Losses:on_validation_start() self.seconds = self.epoch and ("%.2f"):format(self.epoch:elapsed()) or "" end

function Losses:on_train_epoch_end(trainer)
  local metrics = trainer.callback_metrics
  self.rows[#self.rows + 1] = { trainer.current_epoch, metrics.train_mse, metrics.test_mse, self.seconds }
  local file = assert(io.open(self.path, "w"))
  file:write("epoch,train_mse,test_mse,seconds\n")
  for _, row in ipairs(self.rows) do file:write(("%d,%.6f,%.6f,%s\n"):format(table.unpack(row))) end
  file:close()
end

function Losses:state_dict() return { rows = self.rows } end
function Losses:load_state_dict(dict) self.rows = dict.rows end

--- One test image of each class above its reconstruction.
local function draw_reconstructions(model, dataset, path)
  local images, labels = dataset:images(), dataset:labels()
  local rows = {}
  for class = 1, 10 do rows[class] = images[labels:eq(class):nonzero()[1]:item()] end
  local originals = perilune.stack(rows):to("float32") / 255
  model:eval()
  local reconstructions = perilune.no_grad(model, originals)
  local both = perilune.cat { originals, reconstructions:contiguous() }
  return perilune.image.save(path, perilune.image.grid(both, { nrow = 10, padding = 2, pad_value = 1, scale = 3 }))
end

local function main()
  if flags.threads > 0 then perilune.set_num_threads(flags.threads) end
  perilune.manual_seed(flags.seed)
  local train = perilune.datasets.FashionMNIST { split = "train", root = flags.data }
  local test = perilune.datasets.FashionMNIST { split = "test", root = flags.data }
  local used = flags.limit and perilune.data.Subset(train, perilune.arange(1, flags.limit)) or train
  local loader = perilune.data.DataLoader(used, { batch_size = flags.batch_size, shuffle = true })
  local test_loader = perilune.data.DataLoader(test, { batch_size = 256 })

  folder.make(flags.out)
  local model = cae.autoencoder(flags.channels, flags.code)
  local trainer = perilune.Trainer { max_epochs = flags.epochs, callbacks = { Losses(flags.out .. "/losses.csv"),
    perilune.callbacks.ModelCheckpoint { dirpath = flags.out, save_top_k = 0, save_last = true } } }
  trainer:fit(Reconstruction(model), loader, test_loader, { ckpt_path = flags.resume and "last" or nil })
  if trainer.interrupted then
    print(("interrupted in epoch %d; --resume goes on"):format(trainer.current_epoch))
    return
  end

  assert(perilune.save(flags.out .. "/cae.safetensors", model:state_dict(),
    { metadata = { channels = tostring(flags.channels), code = tostring(flags.code) } }))
  assert(draw_reconstructions(model, test, flags.out .. "/reconstructions.png"))
  print(("test MSE %.4f after %d epochs (published 0.0166)"):format(trainer.callback_metrics.test_mse, flags.epochs))
  print(("%s/: cae.safetensors, losses.csv, reconstructions.png"):format(flags.out))
end

main()
