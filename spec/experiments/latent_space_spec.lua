-- experiments/06_latent_space.lua in short form: networks that were not trained, few images.
local perilune = require "perilune"
local experiment = require "support.experiment"
package.path = "./experiments/?.lua;" .. package.path
local cae = require "support.cae"
local VAE = require "support.vae"

describe("the latent-space experiment", function()
  local root

  setup(function()
    root = experiment.new_folder()
    os.execute("mkdir -p " .. root)
    perilune.manual_seed(1)
    local metadata = { channels = "4", code = "5", reconstruction = "bce" }
    assert(perilune.save(root .. "/cae.safetensors", cae.autoencoder(4, 5):state_dict(), { metadata = metadata }))
    assert(perilune.save(root .. "/vae.safetensors", VAE(4, 5, "bce"):state_dict(), { metadata = metadata }))
  end)
  teardown(function() os.execute("rm -rf " .. root) end)

  local function arguments(out, more)
    return ("--cae %s/cae.safetensors --vae %s/vae.safetensors --limit 300 --out %s/%s %s"):format(root, root, root, out,
      more or "")
  end

  it("leaves maps, numbers and figures", function()
    local output = experiment.must_run("06_latent_space", arguments("a"))
    assert.matches("CAE%s+t%-SNE%s+0%.%d+%s+0%.%d+%s+0%.%d+", output)
    local maps = perilune.load(root .. "/a/maps.safetensors")
    for _, name in ipairs { "cae", "vae" } do
      assert.same({ 300, 5 }, maps[name].codes.shape)
      assert.same({ 300, 2 }, maps[name].pca.shape)
      assert.same({ 300, 2 }, maps[name].tsne.shape)
    end
    local rows = {}
    for codes, map, knn in experiment.read(root .. "/a/maps.csv"):gmatch("(%u+),(%l+),([%d.]+),") do
      rows[codes .. map] = tonumber(knn)
    end
    for _, name in ipairs { "CAEcodes", "CAEpca", "CAEtsne", "VAEcodes", "VAEpca", "VAEtsne" } do
      assert.is_true(rows[name] > 0.2 and rows[name] <= 1, name)     -- chance is 0.1; even random networks keep more
    end
    for _, name in ipairs { "pca", "tsne_cae", "tsne_vae", "images" } do
      local picture = perilune.image.load(("%s/a/%s.png"):format(root, name))
      assert.is_true(picture:to("float32"):std():item() > 10, name)
    end
  end)

  it("gives the same maps for any number of threads", function()
    local bytes = {}
    for i, threads in ipairs { 1, 3 } do
      experiment.must_run("06_latent_space", arguments("t" .. i, "--threads " .. threads))
      bytes[i] = experiment.read(("%s/t%d/maps.safetensors"):format(root, i))
    end
    assert.equal(bytes[1], bytes[2])
  end)

  it("says what to make first", function()
    local output, ok = experiment.run("06_latent_space", "--cae /nowhere.safetensors --out " .. root .. "/b")
    assert.is_false(ok)
    assert.matches("/nowhere%.safetensors.*make it first: lua5%.4 experiments/01_cae%.lua", output)
  end)
end)
