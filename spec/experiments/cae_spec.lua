-- experiments/01_cae.lua in short form: a subset, two epochs.
local perilune = require "perilune"
local experiment = require "support.experiment"
local read = experiment.read

local function run(arguments) return experiment.run("01_cae", arguments) end
local function must_run(arguments) return experiment.must_run("01_cae", "--test-limit 500 " .. arguments) end

describe("the auto-encoder experiment", function()
  local root

  setup(function() root = experiment.new_folder() end)
  teardown(function() os.execute("rm -rf " .. root) end)

  it("learns, and leaves weights, losses and a picture", function()
    local output = must_run(("--limit 2000 --batch-size 16 --epochs 2 --threads 1 --out %s/a/b"):format(root))
    assert.matches("test MSE 0%.%d+ after 2 epochs", output)
    assert.matches("epoch 2/2", output)
    local losses = {}
    for epoch, train, test in read(root .. "/a/b/losses.csv"):gmatch("(%d+),([%d.]+),([%d.]+),[%d.]+\n") do
      losses[tonumber(epoch)] = { train = tonumber(train), test = tonumber(test) }
    end
    assert.are.equal(2, #losses)
    assert.is_true(losses[2].train < losses[1].train)
    -- The mean image alone leaves 0.087.
    assert.is_true(losses[2].test < 0.087, losses[2].test)
    local weights = perilune.load(root .. "/a/b/cae.safetensors")
    assert.are.same({ 8, 1, 3, 3 }, weights["encoder.0.weight"].shape)
    local picture = perilune.image.load(root .. "/a/b/reconstructions.png")
    -- Two rows of ten pictures, three times enlarged, with two pixels between them.
    assert.are.same({ 1, 2 * 84 + 3 * 2, 10 * 84 + 11 * 2 }, picture.shape)
  end)

  it("gives the same bits for any number of threads", function()
    must_run(("--limit 600 --epochs 1 --threads 1 --out %s/one"):format(root))
    must_run(("--limit 600 --epochs 1 --threads 3 --out %s/three"):format(root))
    assert.are.equal(read(root .. "/one/cae.safetensors"), read(root .. "/three/cae.safetensors"))
    assert.are.equal(read(root .. "/one/reconstructions.png"), read(root .. "/three/reconstructions.png"))
  end)

  it("says in one line that its folder cannot be made", function()
    for _, name in ipairs { "01_cae", "02_search", "03_vae", "04_samples", "05_fine_tune", "gallery", "reproduce" } do
      local output, ok = experiment.run(name, "--out /proc/x")
      assert.is_false(ok, name)
      assert.matches("^experiments/" .. name .. "%.lua: cannot make the folder /proc/x/: [^\n]+\n$",
        output:match("[^\n]*\n$"), name)
      assert.not_matches("traceback", output, 1, true)
    end
  end)

  it("says what is wrong with its flags and its data", function()
    local output, ok = run("--epochs two")
    assert.is_false(ok)
    assert.matches("epochs", output)
    output, ok = run(("--data %s/nowhere --out %s/x"):format(root, root))
    assert.is_false(ok)
    assert.matches("dataset%-fashion%-mnist", output)
  end)
end)
