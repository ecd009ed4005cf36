--- 03_vae -- does a variational auto-encoder learn a space of codes that one can draw from?
--
-- Trains encoder and decoder on the 60,000 training images of Fashion-MNIST, by the evidence lower bound: the error of
-- the reconstruction plus beta times KL(q(z | x) || N(0, I)).  Kingma & Welling, ICLR 2014.
--
--     lua5.4 experiments/03_vae.lua        test ELBO -242.39, -242.75, -242.13 nats an image (seeds 1 to 3)
--     lua5.4 experiments/03_vae.lua -d 2 --out runs/vae2        with the manifold as a grid
--
-- PyTorch with the same layers, batch and epochs (bench/vae_pytorch.py): -242.55, -242.36
-- (seeds 1, 2 (the second stopped after 28)).
--
-- Leaves under --out: vae.safetensors, losses.csv, reconstructions.png, samples.png (of the prior), walk.png (between
-- codes), and for -d 2 manifold.png.  The same seed gives the same bits, whatever the number of threads.
local argparse = require "argparse"
local perilune = require "perilune"

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path
local folder = require "support.folder"
local VAE = require "support.vae"

local parser = argparse("03_vae", "Train the variational auto-encoder on Fashion-MNIST.")
parser:option("--epochs", "passes over the training images (default 30)", 30):convert(math.tointeger)
parser:option("--batch-size", "images in a training step (default 128)", 128):convert(math.tointeger)
parser:option("-n --channels", "channels of the first layer (default 8)", 8):convert(math.tointeger)
parser:option("-d --code", "numbers in the code (default 14)", 14):convert(math.tointeger)
parser:option("--lr", "learning rate of Adam (default 1e-3)", 1e-3):convert(tonumber)
parser:option("--beta", "weight of the divergence (default 1)", 1.0):convert(tonumber)
parser:option("--reconstruction", "error of the pixels (default bce)", "bce"):choices { "bce", "mse" }
parser:option("--limit", "use only the first training images"):convert(math.tointeger)
parser:option("--seed", "of weights, order and draws (default 1)", 1):convert(math.tointeger)
parser:option("--threads", "0: as many as the machine offers", 0):convert(math.tointeger)
parser:option("--data", "folder of the IDX files, if not where Debian puts them")
parser:option("--out", "folder for the results (default runs/vae)", "runs/vae")
local flags = parser:parse()
for _, name in ipairs { "epochs", "batch_size", "channels", "code" } do
  if flags[name] < 1 then parser:error(("--%s must be 1 or more"):format((name:gsub("_", "-")))) end
end

--- Mean reconstruction error and divergence of an image.
local function evaluate(model, loader)
  local error_sum, divergence_sum, seen = 0.0, 0.0, 0
  model:eval()
  perilune.no_grad(function()
    for images in loader:iter() do
      local scope <close> = perilune.scope() -- luacheck: ignore
      local reconstruction, divergence = model:losses(images)
      error_sum, divergence_sum = error_sum + reconstruction:item(), divergence_sum + divergence:item()
      seen = seen + #images
    end
  end)
  model:train()
  return error_sum / seen, divergence_sum / seen
end

--- One pass over the training images; returns the mean loss of an image.
local function train_epoch(model, loader, optimizer, bar)
  local sum, seen = 0.0, 0
  for images in loader:iter() do
    local scope <close> = perilune.scope() -- luacheck: ignore
    local reconstruction, divergence = model:losses(images)
    local loss = (reconstruction + divergence * flags.beta) / #images
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    sum, seen = sum + loss:item() * #images, seen + #images
    bar:update(#images, ("loss %.2f"):format(sum / seen))
  end
  return sum / seen
end

-- -- pictures -- --

local function save_grid(name, images, nrow)
  local grid = perilune.image.grid(images:contiguous(), { nrow = nrow, padding = 2, pad_value = 1, scale = 2 })
  assert(perilune.image.save(flags.out .. "/" .. name, grid))
end

--- The first test image of each class.
local function one_of_each(dataset)
  local images, labels, rows = dataset:images(), dataset:labels(), {}
  for class = 1, 10 do rows[class] = images[labels:eq(class):nonzero()[1]:item()] end
  return perilune.stack(rows):to("float32") / 255
end

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
  model:eval()
  perilune.no_grad(function()
    local originals = one_of_each(test)
    local codes = model:encode(originals).mean
    save_grid("reconstructions.png", perilune.cat { originals, model:decode(codes):contiguous() }, 10)
    save_grid("samples.png", model:decode(perilune.randn(100, flags.code)), 10)
    save_grid("walk.png", walks(model, codes), STEPS)
    if flags.code == 2 then save_grid("manifold.png", manifold(model), SIDE) end
  end)
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
  local model = VAE(flags.channels, flags.code, flags.reconstruction)
  local optimizer = perilune.optim.Adam(model:parameters(), { lr = flags.lr })
  local losses = assert(io.open(flags.out .. "/losses.csv", "w"))
  losses:write("epoch,train_loss,test_reconstruction,test_divergence,seconds\n")
  local reconstruction, divergence
  for epoch = 1, flags.epochs do
    local bar = perilune.progress { total = #used, title = ("epoch %d/%d"):format(epoch, flags.epochs),
      unit = "images" }
    local loss, seconds = train_epoch(model, loader, optimizer, bar), bar:elapsed()
    reconstruction, divergence = evaluate(model, test_loader)
    bar:finish(("train %.2f  test %.2f"):format(loss, reconstruction + flags.beta * divergence))
    losses:write(("%d,%.4f,%.4f,%.4f,%.2f\n"):format(epoch, loss, reconstruction, divergence, seconds))
    losses:flush()
  end
  losses:close()

  assert(perilune.save(flags.out .. "/vae.safetensors", model:state_dict(), { metadata = {
    channels = tostring(flags.channels), code = tostring(flags.code), reconstruction = flags.reconstruction } }))
  draw_pictures(model, test)
  print(("test ELBO %.2f = -(%.2f + %.2f) nats an image after %d epochs"):format(-(reconstruction + divergence),
    reconstruction, divergence, flags.epochs))
  print(flags.out .. "/: vae.safetensors, losses.csv, reconstructions.png, samples.png, walk.png")
end

main()
