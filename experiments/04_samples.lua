--- 04_samples -- does the variational auto-encoder make images that one can name, and the plain one not?
--
-- Draws codes, decodes them, and measures the images with the classifier of 05_fine_tune: Frechet distance to the test
-- images in its penultimate layer, mean probability of the likeliest class, entropy of the classes (what each says
-- stands in support/sample_quality.lua).  Beside them the training images, as the floor, and their reconstructions: as
-- well as a decoder can do.
--
--     lua5.4 experiments/01_cae.lua; lua5.4 experiments/03_vae.lua
--     lua5.4 experiments/05_fine_tune.lua --parts scratch
--     lua5.4 experiments/04_samples.lua
--
--                                            Frechet  probability  class entropy (all ten as often: 2.303)
--     training images                           0.05        0.859          2.302
--     CAE: training images reconstructed        5.61        0.761          2.241
--     VAE: training images reconstructed        7.52        0.775          2.203
--     CAE: codes from N(0, I)                  55.77        0.514          1.622
--     CAE: codes from a fitted Gaussian        10.09        0.539          2.256
--     VAE: codes from the prior                 9.71        0.639          2.224
--
-- (of 10,000 images each.)  Drawn from N(0, I) the auto-encoder makes nothing that one can name: its codes are far from
-- there.  Drawn from where its codes are, its samples are nearly as close to the test images as the variational one's,
-- but each is less clearly one thing.  Both decoders lose more by blur, as reconstructions show, than drawing adds.
--
-- Leaves under --out: samples.csv, and a grid of each kind of images: training.png, cae_reconstructed.png,
-- vae_reconstructed.png, cae_normal.png, cae_fitted.png, vae_prior.png.
-- The same seed gives the same bits, whatever the number of threads.
local argparse = require "argparse"
local perilune = require "perilune"

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path
local classifier = require "support.classifier"
local fashion = require "support.fashion"
local gaussian = require "support.gaussian"
local outputs = require "support.outputs"
local pictures = require "support.pictures"
local run = require "support.run"
local quality = require "support.sample_quality"
local tables = require "support.tables"
local trained = require "support.trained"
local training = require "support.training"

local parser = argparse("04_samples", "Measure the samples of both auto-encoders.")
parser:option("--cae", "what 01_cae saved", "runs/cae/cae.safetensors")
parser:option("--vae", "what 03_vae saved", "runs/vae/vae.safetensors")
parser:option("--classifier", "what 05_fine_tune saved", "runs/fine_tune/scratch/network.safetensors")
parser:option("--samples", "of each kind, and images of each data set (default 10000)", 10000):convert(math.tointeger)
training.add_run_flags(parser, "runs/samples")
local flags = parser:parse()
training.check_counts(parser, flags, { "samples" })

local GRID <const> = 100

-- As many of the images, by chance, in [0, 1].
local function some(images)
  local rows = perilune.randperm(#images):narrow(1, 1, math.min(flags.samples, #images))
  return images:index_select(1, rows):to("float32") / 255
end

--- What is measured: { name, title, images } for each.
local function sources(train)
  local plain, _, d = trained.cae(flags.cae)
  local vae = trained.vae(flags.vae)
  local function decode(codes) return vae:decode(codes) end
  local fitted = gaussian.fit(outputs(plain.encoder, train))
  local shown, n = some(fashion.images(train)), flags.samples
  return {
    { "training", "training images", shown },
    { "cae_reconstructed", "CAE: training images reconstructed", outputs(plain, shown) },
    { "vae_reconstructed", "VAE: training images reconstructed", outputs(vae, shown) },
    { "cae_normal", "CAE: codes from N(0, I)", outputs(plain.decoder, perilune.randn(n, d)) },
    { "cae_fitted", "CAE: codes from a fitted Gaussian", outputs(plain.decoder, fitted(n)) },
    { "vae_prior", "VAE: codes from the prior", outputs(decode, perilune.randn(n, vae.d)) },
  }
end

local function print_table(rows)
  print(("%-36s %10s %12s %14s"):format("against the test images", "Frechet", "probability", "class entropy"))
  for _, row in ipairs(rows) do
    print(("%-36s %10.2f %12.3f %14.3f"):format(row.title, row.frechet_distance, row.top_probability,
      row.class_entropy))
  end
end

local function save_csv(rows)
  local cells = {}
  for i, row in ipairs(rows) do
    cells[i] = { row.name, ("%.4f"):format(row.frechet_distance), ("%.4f"):format(row.top_probability),
      ("%.4f"):format(row.class_entropy) }
  end
  tables.write_csv(flags.out .. "/samples.csv", { "images", "frechet_distance", "top_probability", "class_entropy" },
    cells)
end

local function main()
  local train, test = training.prepare(flags)
  local judge = quality.judge_beside(classifier.load(flags.classifier), some(fashion.images(test)))
  local rows = {}
  for i, source in ipairs(sources(train)) do
    local name, title, images = table.unpack(source)
    rows[i] = judge(images)
    rows[i].name, rows[i].title = name, title
    pictures.save_grid(("%s/%s.png"):format(flags.out, name), images:narrow(1, 1, math.min(GRID, #images)), 10)
  end
  print_table(rows)
  save_csv(rows)
end

run(main)
