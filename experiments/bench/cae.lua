--- How long is a training epoch of the convolutional auto-encoder on 60,000 images?  n = 8, d = 14, batch 256.
-- Public API only; DataLoader, conversion of the images and optimizer included.  cae_pytorch.py is its peer.
--   lua5.4 experiments/bench/cae.lua [--epochs 5] [--threads N]
package.path = (arg[0]:match("^(.*/)") or "./") .. "?.lua;" .. package.path
local argparse = require "argparse"
local perilune = require "perilune"
local networks = require "support.networks"
local timing = require "support.timing"

local parser = argparse("cae.lua", "Times training epochs of the convolutional auto-encoder.")
parser:option("--epochs", "timed epochs, after one to warm up", 5):convert(tonumber)
parser:option("--threads", "default: the library's"):convert(math.tointeger)
local options = parser:parse()

if options.threads then perilune.set_num_threads(options.threads) end
perilune.manual_seed(1)
local train = perilune.datasets.FashionMNIST { split = "train" }
local loader = perilune.data.DataLoader(train, { batch_size = 256, shuffle = true })
local model = networks.autoencoder(8, 14)
local criterion = perilune.nn.MSELoss()
local optimizer = perilune.optim.Adam(model:parameters(), { lr = 1e-3, weight_decay = 1e-5 })

local last_loss
local function epoch()
  for x in loader:iter() do
    local loss = criterion(model(x), x)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    last_loss = loss
  end
end

local function only_load()
  local batches = 0
  for _ in loader:iter() do batches = batches + 1 end
  return batches
end

epoch()
local times = {}
for i = 1, options.epochs do times[i] = timing.once(epoch) end
local median = timing.median(times)
timing.report("epoch", median, "s")
timing.report("step", median / 235 * 1e3, "ms")
timing.report("DataLoader alone", timing.seconds(only_load, 3) / median * 100, "% of an epoch")
timing.report("training MSE of the last batch", last_loss:item())
