--- What does perilune.Trainer cost beside a loop by hand?  The auto-encoder, n = 8, d = 14, batch 256, 60,000 images.
-- Epochs of both in turn, each with its own model; the ratio is the median over the rounds.  The loop frees what a step
-- makes as the Trainer does, and reads the loss of every step as its log does; the Trainer also has a progress bar.
--   lua5.4 experiments/bench/trainer.lua [--rounds 7] [--threads N]
package.path = (arg[0]:match("^(.*/)") or "./") .. "?.lua;" .. package.path
local argparse = require "argparse"
local perilune = require "perilune"
local networks = require "support.networks"
local timing = require "support.timing"

local parser = argparse("trainer.lua", "Times the Trainer beside a loop by hand.")
parser:option("--rounds", "epochs of each", 7):convert(math.tointeger)
parser:option("--threads", "default: the library's"):convert(math.tointeger)
local options = parser:parse()

if options.threads then perilune.set_num_threads(options.threads) end
perilune.manual_seed(1)
local train = perilune.datasets.FashionMNIST { split = "train" }
local mse_loss = perilune.nn.functional.mse_loss

local function new_loader() return perilune.data.DataLoader(train, { batch_size = 256, shuffle = true }) end
local function new_optimizer(model)
  return perilune.optim.Adam(model:parameters(), { lr = 1e-3, weight_decay = 1e-5 })
end

local function by_hand()
  local loader, model, sum = new_loader(), networks.autoencoder(8, 14), 0
  local optimizer = new_optimizer(model)
  return function()
    for x in loader:iter() do
      local scope <close> = perilune.scope() -- luacheck: ignore
      local loss = mse_loss(model(x), x)
      optimizer:zero_grad()
      loss:backward()
      optimizer:step()
      sum = sum + loss:item()
    end
  end
end

local Reconstruction = perilune.nn.Module:extend("Reconstruction")
function Reconstruction:init() self.model = networks.autoencoder(8, 14) end
function Reconstruction:training_step(batch)
  local loss = mse_loss(self.model(batch[1]), batch[1])
  self:log("loss", loss, { prog_bar = true })
  return loss
end
function Reconstruction:configure_optimizers()
  self.optimizer = self.optimizer or new_optimizer(self)
  return self.optimizer
end

local function by_trainer()
  local loader, module = new_loader(), Reconstruction()
  return function() perilune.Trainer { max_epochs = 1 }:fit(module, loader) end
end

local hand, trainer = by_hand(), by_trainer()
hand()
trainer()
local hands, trainers, ratios = {}, {}, {}
for round = 1, options.rounds do
  hands[round], trainers[round] = timing.once(hand), timing.once(trainer)
  ratios[round] = trainers[round] / hands[round]
end
timing.report("epoch by hand", timing.median(hands), "s")
timing.report("epoch by the Trainer", timing.median(trainers), "s")
timing.report("the Trainer's own cost", (timing.median(ratios) - 1) * 100, "% of an epoch")
