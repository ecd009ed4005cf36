-- experiments/gallery.lua: a figure of each kind of plot, as PNG and SVG.
local experiment = require "support.experiment"
local perilune = require "perilune"

describe("the gallery", function()
  it("has every kind", function()
    local root = experiment.new_folder()
    assert.equal(("figures in %s\n"):format(root), experiment.must_run("gallery", "--out " .. root))
    for kind in pairs(perilune.plot) do
      local picture = assert(perilune.image.load(("%s/%s.png"):format(root, kind)))
      assert.is_true(picture:to("float32"):std():item() > 10, kind)
      assert.matches("</svg>\n$", experiment.read(("%s/%s.svg"):format(root, kind)))
    end
    os.execute("rm -rf " .. root)
  end)
end)
