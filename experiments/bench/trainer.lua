--- What does perilune.Trainer cost beside a loop by hand?  The auto-encoder, n = 8, d = 14, batch 256, 60,000 images.
-- Epochs of both in turn, each with its own model; the ratio is the median over the rounds.  The loop frees what a step
-- makes as the Trainer does, and reads the loss of every step as its log does; the Trainer also has a progress bar.
-- On a shared machine two epochs differ by more than the cost, so it is also measured on steps that do next to nothing.
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

local function new_optimizer(model)
  return perilune.optim.Adam(model:parameters(), { lr = 1e-3, weight_decay = 1e-5 })
end

-- One epoch by hand.
local function by_hand(model, loader)
  local optimizer, sum = new_optimizer(model), 0
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
function Reconstruction:init(model) self.model, self.optimizer = model, new_optimizer(model) end
function Reconstruction:training_step(batch)
  local loss = mse_loss(self.model(batch[1]), batch[1])
  self:log("loss", loss, { prog_bar = true })
  return loss
end
function Reconstruction:configure_optimizers() return self.optimizer end

local function by_trainer(model, loader)
  local module = Reconstruction(model)
  return function() perilune.Trainer { max_epochs = 1 }:fit(module, loader) end
end

-- Median seconds of both, in turn, and the median ratio.
local function compare(hand, trainer, rounds)
  hand()
  trainer()
  local hands, trainers, ratios = {}, {}, {}
  for round = 1, rounds do
    hands[round], trainers[round] = timing.once(hand), timing.once(trainer)
    ratios[round] = trainers[round] / hands[round]
  end
  return timing.median(hands), timing.median(trainers), timing.median(ratios)
end

local function images() return perilune.data.DataLoader(train, { batch_size = 256, shuffle = true }) end
local hand, trainer, ratio = compare(by_hand(networks.autoencoder(8, 14), images()),
  by_trainer(networks.autoencoder(8, 14), images()), options.rounds)
timing.report("epoch by hand", hand, "s")
timing.report("epoch by the Trainer", trainer, "s")
timing.report("the Trainer's epoch against that by hand", ratio, "times")

local N_STEPS = 2000
local function numbers()
  return perilune.data.DataLoader(perilune.data.TensorDataset(perilune.ones(N_STEPS, 1)), { batch_size = 1 })
end
local bare, managed = compare(by_hand(perilune.nn.Linear(1, 1), numbers()),
  by_trainer(perilune.nn.Linear(1, 1), numbers()), 9)
local cost = (managed - bare) / N_STEPS
timing.report("the Trainer's own cost", cost * 1e6, "us a step")
timing.report("which is, of an epoch", cost * #images() / hand * 100, "%")
