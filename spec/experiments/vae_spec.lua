-- experiments/03_vae.lua in short form: a subset, two epochs; and the bound of its network.
local perilune = require "perilune"
local experiment = require "support.experiment"
local read = experiment.read

local function must_run(arguments) return experiment.must_run("03_vae", "--test-limit 500 " .. arguments) end

describe("the variational auto-encoder experiment", function()
  local root

  setup(function() root = experiment.new_folder() end)
  teardown(function() os.execute("rm -rf " .. root) end)

  it("learns, and leaves weights, losses and pictures", function()
    local output = must_run(("--limit 1500 --batch-size 32 --epochs 2 -d 2 --threads 1 --out %s/a"):format(root))
    assert.matches("test ELBO %-%d+%.%d+ = %-%(%d+", output)
    local losses = {}
    for epoch, train, reconstruction, divergence in read(root .. "/a/losses.csv")
        :gmatch("(%d+),([%d.]+),([%d.]+),([%d.]+),[%d.]+\n") do
      losses[tonumber(epoch)] = { train = tonumber(train), test = tonumber(reconstruction) + tonumber(divergence),
        divergence = tonumber(divergence) }
    end
    assert.are.equal(2, #losses)
    assert.is_true(losses[2].train < losses[1].train)
    assert.is_true(losses[2].test < losses[1].test)
    assert.is_true(losses[2].divergence > 0.5)   -- the codes say something
    local weights = perilune.load(root .. "/a/vae.safetensors")
    assert.are.same({ 4, 64 }, weights["encoder.12.weight"].shape)
    local sizes = { reconstructions = { 2, 10 }, samples = { 10, 10 }, walk = { 5, 10 }, manifold = { 20, 20 } }
    for name, size in pairs(sizes) do
      local picture = perilune.image.load(root .. "/a/" .. name .. ".png")
      assert.are.same({ 1, size[1] * 58 + 2, size[2] * 58 + 2 }, picture.shape, name)
      assert.is_true(picture:to("float32"):std():item() > 10, name)
    end
  end)

  it("gives the same bits for any number of threads, whatever the kind of reconstruction", function()
    for _, kind in ipairs { "bce", "mse" } do
      local weights = {}
      for i, threads in ipairs { 1, 3 } do
        must_run(("--limit 400 --epochs 1 --reconstruction %s --threads %d --out %s/%d"):format(kind, threads, root,
          threads))
        weights[i] = read(("%s/%d/vae.safetensors"):format(root, threads))
      end
      assert.are.equal(weights[1], weights[2])
    end
  end)

  it("goes on from its checkpoint to the same bits", function()
    must_run(("--limit 400 --epochs 2 --out %s/whole"):format(root))
    must_run(("--limit 400 --epochs 1 --out %s/parts"):format(root))
    local output = must_run(("--limit 400 --epochs 2 --resume --out %s/parts"):format(root))
    assert.matches("epoch 2/2", output)
    assert.is_nil(output:find("epoch 1/2", 1, true))
    for _, name in ipairs { "vae.safetensors", "samples.png" } do
      assert.are.equal(read(root .. "/whole/" .. name), read(root .. "/parts/" .. name), name)
    end
    assert.are.equal(3, select(2, read(root .. "/parts/losses.csv"):gsub("\n", "")))   -- the names and both epochs
  end)
end)
