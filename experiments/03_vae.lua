--- 03_vae -- does a variational auto-encoder learn a space of codes that one can draw from?
--
-- Trains encoder and decoder on the 60,000 training images of Fashion-MNIST, by the evidence lower bound: the error of
-- the reconstruction plus beta times KL(q(z | x) || N(0, I)).  Kingma & Welling, ICLR 2014.
--
--     lua5.4 experiments/03_vae.lua        test ELBO -242.39, -242.75, -242.13 nats an image (seeds 1 to 3)
--     lua5.4 experiments/03_vae.lua -d 2 --out runs/vae2        with the manifold as a grid
--
-- PyTorch with the same layers, batch and epochs (bench/vae_pytorch.py): -242.40, -242.20 (seeds 1, 2), and on another
-- machine -242.55 (seed 1).
--
-- Leaves under --out: vae.safetensors, losses.csv, reconstructions.png, samples.png (of the prior), walk.png (between
-- codes), for -d 2 manifold.png, and last.safetensors (the checkpoint of --resume).
-- The same seed gives the same bits, whatever the number of threads, and with --resume.
local argparse = require "argparse"
local perilune = require "perilune"

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path
local fashion = require "support.fashion"
local pictures = require "support.pictures"
local run = require "support.run"
local training = require "support.training"
local VAE = require "support.vae"

local parser = argparse("03_vae", "Train the variational auto-encoder on Fashion-MNIST.")
training.add_flags(parser, { epochs = 30, batch_size = 128, lr = 1e-3, out = "runs/vae" })
parser:option("-n --channels", "channels of the first layer (default 8)", 8):convert(math.tointeger)
parser:option("-d --code", "numbers in the code (default 14)", 14):convert(math.tointeger)
parser:option("--beta", "weight of the divergence (default 1)", 1.0):convert(tonumber)
parser:option("--reconstruction", "error of the pixels", "bce"):choices { "bce", "mse" }
local flags = parser:parse()
training.check_counts(parser, flags, { "epochs", "batch_size", "channels", "code" })

--- The auto-encoder with its bound and its optimizer, as a Trainer wants it.  All numbers are of an image.
local Bound = perilune.nn.Module:extend("Bound")

function Bound:init(model) self.model = model end

function Bound:training_step(batch)
  local images = batch[1]
  local reconstruction, divergence = self.model:losses(images)
  local loss = (reconstruction + divergence * flags.beta) / #images
  self:log("train_loss", loss, { on_step = false, on_epoch = true })
  return loss
end

function Bound:validation_step(batch)
  local images = batch[1]
  local reconstruction, divergence = self.model:losses(images)
  self:log("test_reconstruction", reconstruction:item() / #images)
  self:log("test_divergence", divergence:item() / #images)
  self:log("test_loss", (reconstruction:item() + flags.beta * divergence:item()) / #images, { prog_bar = true })
end

function Bound:configure_optimizers() return perilune.optim.Adam(self:parameters(), { lr = flags.lr }) end

-- -- pictures -- --

local WALKS <const> = { { 1, 8 }, { 2, 5 }, { 3, 9 }, { 4, 7 }, { 6, 10 } }
local STEPS <const> = 10

--- A row for each pair of classes: straight from the code of one image to that of the other.
local function walks(model, codes)
  local rows = {}
  for i, pair in ipairs(WALKS) do
    local part = perilune.linspace(0, 1, STEPS):view(STEPS, 1)
    rows[i] = codes[pair[1]] * (1 - part) + codes[pair[2]] * part
  end
  return model:decode(perilune.cat(rows))
end

local SIDE <const> = 20

--- Codes at the quantiles of the prior, so that the grid shows equal shares of it.
local function manifold(model)
  local quantiles = (perilune.linspace(1, 2 * SIDE - 1, SIDE) / (2 * SIDE)):totable()
  local at = {}
  for i, q in ipairs(quantiles) do   -- the inverse of the normal distribution function, by bisection
    local low, high = -6.0, 6.0
    for _ = 1, 40 do
      local middle = (low + high) / 2
      if perilune.distributions.Normal(0, 1):cdf(middle):item() < q then low = middle else high = middle end
    end
    at[i] = (low + high) / 2
  end
  local codes = {}
  for i = SIDE, 1, -1 do
    for k = 1, SIDE do codes[#codes + 1] = { at[k], at[i] } end
  end
  return model:decode(perilune.tensor(codes))
end

local function draw_pictures(model, test)
  local function save(name, images, nrow) pictures.save_grid(flags.out .. "/" .. name, images, nrow) end
  model:eval()
  perilune.no_grad(function()
    local originals = fashion.one_of_each(test)
    local codes = model:encode(originals).mean
    save("reconstructions.png", perilune.cat { originals, model:decode(codes):contiguous() }, 10)
    save("samples.png", model:decode(perilune.randn(100, flags.code)), 10)
    save("walk.png", walks(model, codes), STEPS)
    if flags.code == 2 then save("manifold.png", manifold(model), SIDE) end
  end)
end

local function main()
  local data = training.start(flags)
  local model = VAE(flags.channels, flags.code, flags.reconstruction)
  local trainer = training.fit(Bound(model), data, flags,
    { "train_loss", "test_reconstruction", "test_divergence" })
  if not trainer then return end

  assert(perilune.save(flags.out .. "/vae.safetensors", model:state_dict(), { metadata = {
    channels = tostring(flags.channels), code = tostring(flags.code), reconstruction = flags.reconstruction } }))
  draw_pictures(model, data.test)
  local metrics = trainer.callback_metrics
  local reconstruction, divergence = metrics.test_reconstruction, metrics.test_divergence
  print(("test ELBO %.2f = -(%.2f + %.2f) nats an image after %d epochs"):format(-(reconstruction + divergence),
    reconstruction, divergence, flags.epochs))
  print(flags.out .. "/: vae.safetensors, losses.csv, reconstructions.png, samples.png, walk.png")
end

run(main)
