-- training_run.lua FOLDER [EPOCHS] [slow] -- a small run that the specs kill, interrupt and take up again.  Everything
-- that a checkpoint must hold takes part: dropout, batch norm, shuffled data, momentum, a schedule, windows of two
-- batches, validation within the epoch, running means.  Leaves FOLDER/final.safetensors.
local perilune = require "perilune"
local nn, callbacks = perilune.nn, perilune.callbacks
local folder, epochs, slow = arg[1], math.tointeger(arg[2]) or 4, arg[3] == "slow"

local Net = nn.Module:extend("Net")
function Net:init()
  self.layers = nn.Sequential { nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout { p = 0.2 }, nn.Linear(8, 1) }
end
function Net:loss(batch) return nn.functional.mse_loss(self.layers(batch[1]), batch[2]) end
function Net:training_step(batch)
  local loss = self:loss(batch)
  self:log("loss", loss, { on_epoch = true })
  local until_then = os.clock() + (slow and 0.02 or 0)
  while os.clock() < until_then do until_then = until_then + 0 end
  return loss
end
function Net:validation_step(batch) self:log("val_loss", self:loss(batch)) end
function Net:configure_optimizers()
  local optimizer = perilune.optim.Adam(self:parameters(), { lr = 1e-2 })
  local scheduler = perilune.optim.lr_scheduler.ReduceLROnPlateau(optimizer, { patience = 0, factor = 0.5 })
  return { optimizer = optimizer, lr_scheduler = { scheduler = scheduler, monitor = "loss" } }
end

perilune.set_num_threads(1)
perilune.manual_seed(7)
local x = perilune.randn(90, 4)
local data = perilune.data.TensorDataset(x, x:sum(2, { keepdim = true }))
local loader = perilune.data.DataLoader(data, { batch_size = 8, shuffle = true })
local val_loader = perilune.data.DataLoader(data, { batch_size = 30, shuffle = true })
local trainer = perilune.Trainer { max_epochs = epochs, accumulate_grad_batches = 2, val_check_interval = 5,
  limit_val_batches = 2, enable_progress_bar = false, gradient_clip_val = 1.0, log_every_n_steps = 2,
  logger = perilune.loggers.CSVLogger(folder, { name = "", version = "" }),
  callbacks = { callbacks.EarlyStopping { monitor = "val_loss", patience = 1000 },
    callbacks.ModelCheckpoint { dirpath = folder, monitor = "loss_step", every_n_train_steps = 1, save_top_k = 2, save_last = true } },
}
print("started")
io.stdout:flush()
trainer:fit(Net(), loader, val_loader, { ckpt_path = "last" })
if trainer.interrupted then
  print("interrupted", trainer._loop.batch, trainer.global_step)
else
  assert(trainer:save_checkpoint(folder .. "/final.safetensors"))
end
return trainer
