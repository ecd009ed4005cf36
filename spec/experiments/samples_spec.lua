-- experiments/04_samples.lua in short form; and what it measures, where that is known.
package.path = "experiments/?.lua;" .. package.path
local experiment = require "support.experiment"
local perilune = require "perilune"
local tables = require "support.tables"

local KINDS <const> = { "training", "cae_reconstructed", "vae_reconstructed", "cae_normal", "cae_fitted", "vae_prior" }

describe("the samples experiment", function()
  local root

  local function must_run(name, arguments)
    return experiment.must_run(name, ("--limit 400 --test-limit 100 %s"):format(arguments))
  end

  setup(function()
    root = experiment.new_folder()
    must_run("01_cae", ("--epochs 1 --out %s/cae"):format(root))
    must_run("03_vae", ("--epochs 1 --out %s/vae"):format(root))
    experiment.must_run("05_fine_tune", ("--parts scratch --limit 200 --test-limit 50 --epochs 1 --out %s/classes"):format(root))
  end)
  teardown(function() os.execute("rm -rf " .. root) end)

  it("measures each kind of images and leaves a table and grids", function()
    local arguments = ("--samples 100 --cae %s/cae/cae.safetensors --vae %s/vae/vae.safetensors "
      .. "--classifier %s/classes/scratch/network.safetensors --out %s/"):format(root, root, root, root)
    local output = must_run("04_samples", arguments .. "one --threads 1")
    assert.matches("VAE: codes from the prior +%d+%.%d%d", output)
    local rows = tables.read_csv(root .. "/one/samples.csv")
    assert.are.equal(#KINDS, #rows)
    for i, row in ipairs(rows) do
      assert.are.equal(KINDS[i], row.images)
      assert.is_true(row.top_probability > 0.1 and row.top_probability <= 1)
      assert.is_true(row.class_entropy >= 0 and row.class_entropy <= math.log(10) + 1e-4)
      assert.is_true(i == 1 or row.frechet_distance > rows[1].frechet_distance)   -- real images are nearest
      local picture = perilune.image.load(("%s/one/%s.png"):format(root, row.images))
      assert.are.same({ 1, 10 * 58 + 2, 10 * 58 + 2 }, picture.shape)
    end
    must_run("04_samples", arguments .. "three --threads 3")
    assert.are.equal(experiment.read(root .. "/one/samples.csv"), experiment.read(root .. "/three/samples.csv"))
  end)
end)

describe("sample quality", function()
  local quality = require "support.sample_quality"

  -- Its feature is the image itself, its logits are 50 of the feature.
  local network = { features = perilune.nn.Flatten(), top = function(features) return features * 50 end }

  it("knows images that are the same, and counts classes", function()
    local images = perilune.eye(10):view(10, 1, 2, 5)
    local found = quality.judge_beside(network, images)(images)
    assert.is_true(found.frechet_distance < 1e-9)
    assert.is_true(math.abs(found.top_probability - 1) < 1e-6)
    assert.is_true(math.abs(found.class_entropy - math.log(10)) < 1e-6)
    local two = quality.judge_beside(network, images)(images:narrow(1, 1, 2))
    assert.is_true(math.abs(two.class_entropy - math.log(2)) < 1e-6)
    assert.is_true(two.frechet_distance > 0.1)
    local gray = quality.judge_beside(network, images)(perilune.full({ 4, 1, 2, 5 }, 0.5))
    assert.is_true(math.abs(gray.top_probability - 0.1) < 1e-6)
    assert.is_true(math.abs(gray.class_entropy - math.log(10)) < 1e-6)   -- of the mean: it does not see that none is clear
  end)
end)

describe("a fitted Gaussian", function()
  it("has the mean and the covariance of its points", function()
    perilune.manual_seed(2)
    local points = perilune.randn(500, 3):matmul(perilune.tensor { { 2.0, 1, 0 }, { 0, 1, -1 }, { 0, 0, 0.5 } }) + 4
    local drawn = require("support.gaussian").fit(points)(40000)
    assert.are.equal("float32", drawn.dtype)
    local function moments(x)
      local centred = x - x:mean(1)
      return x:mean(1), centred:t():matmul(centred) / (#x - 1)
    end
    local mean, covariance = moments(points)
    local drawn_mean, drawn_covariance = moments(drawn)
    assert.is_true((mean - drawn_mean):abs():max():item() < 0.05)
    assert.is_true((covariance - drawn_covariance):abs():max():item() < 0.1)
  end)
end)
