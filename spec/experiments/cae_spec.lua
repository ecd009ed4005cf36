-- experiments/01_cae.lua in short form: a subset, two epochs.
local perilune = require "perilune"

local build = os.getenv("PERILUNE_BUILD") or "build"

-- Sanitizers' libraries are preloaded for lua5.4 only: the shell would not stand them.
local function run(arguments)
  local command = ("LUA_PATH='./lua/?.lua;./lua/?/init.lua;;' LUA_CPATH='./%s/?.so;;' lua5.4 experiments/01_cae.lua %s 2>&1")
    :format(build, arguments)
  local pipe = assert(io.popen(command))
  local output = pipe:read("a")
  return output, pipe:close() == true
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local content = file:read("a")
  file:close()
  return content
end

describe("the auto-encoder experiment", function()
  local root

  setup(function() root = os.tmpname() os.remove(root) end)
  teardown(function() os.execute("rm -rf " .. root) end)

  it("learns, and leaves weights, losses and a picture", function()
    local output, ok = run(("--limit 3000 --batch-size 16 --epochs 2 --threads 1 --out %s/a/b"):format(root))
    assert.is_true(ok, output)
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
    local output, ok = run(("--limit 600 --epochs 1 --threads 1 --out %s/one"):format(root))
    assert.is_true(ok, output)
    output, ok = run(("--limit 600 --epochs 1 --threads 3 --out %s/three"):format(root))
    assert.is_true(ok, output)
    assert.are.equal(read(root .. "/one/cae.safetensors"), read(root .. "/three/cae.safetensors"))
    assert.are.equal(read(root .. "/one/reconstructions.png"), read(root .. "/three/reconstructions.png"))
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
