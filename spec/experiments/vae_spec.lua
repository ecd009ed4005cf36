-- experiments/03_vae.lua in short form: a subset, two epochs; and the bound of its network.
local perilune = require "perilune"

local build = os.getenv("PERILUNE_BUILD") or "build"

-- Sanitizers' libraries are preloaded for lua5.4 only: the shell would not stand them.
local function run(arguments)
  local command = ("LUA_PATH='./lua/?.lua;./lua/?/init.lua;;' LUA_CPATH='./%s/?.so;;' lua5.4 experiments/03_vae.lua %s 2>&1")
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

describe("the variational auto-encoder experiment", function()
  local root

  setup(function() root = os.tmpname() os.remove(root) end)
  teardown(function() os.execute("rm -rf " .. root) end)

  it("learns, and leaves weights, losses and pictures", function()
    local output, ok = run(("--limit 1500 --batch-size 32 --epochs 2 -d 2 --threads 1 --out %s/a"):format(root))
    assert.is_true(ok, output)
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
        local output, ok = run(("--limit 400 --epochs 1 --reconstruction %s --threads %d --out %s/%d"):format(kind, threads,
          root, threads))
        assert.is_true(ok, output)
        weights[i] = read(("%s/%d/vae.safetensors"):format(root, threads))
      end
      assert.are.equal(weights[1], weights[2])
    end
  end)
end)
