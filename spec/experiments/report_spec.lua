-- experiments/support/{html,report}.lua: what is in the page.
package.path = "experiments/?.lua;" .. package.path
local perilune = require "perilune"
local experiment = require "support.experiment"
local html = require "support.html"
local report = require "support.report"

describe("the report", function()
  it("is what reproduce leaves, with every stage in it", function()
    local root = experiment.new_folder()
    experiment.must_run("reproduce", "--quick --out " .. root)
    local page = experiment.read(root .. "/report.html")
    os.execute("rm -r " .. root)
    for _, name in ipairs { "cae", "search", "vae", "classifier", "fine_tune", "samples", "latent" } do
      assert.is_truthy(page:find('id="' .. name .. '"', 1, true), name)
    end
    assert.matches("<td>test MSE</td><td>0%.%d+</td><td>0.0166</td>", page)
    assert.matches("the best setting</td><td>n = %d+, d = %d+, %a+, learning rate", page)
    assert.matches("VAE, t%-SNE map: accuracy of 10 nearest neighbours</td><td>%d+%.%d%%</td>", page)
    assert.matches("<td>%d+ labels a class, encoder as it was</td>", page)
    assert.matches("<td>Frechet distance, [%w ,()]+</td><td>%d+%.%d%d</td>", page)
    assert.are.equal(1 + 16 + 3 + 3 + 3 + 3 + 4, select(2, page:gsub("data:image/png;base64,iVBOR", "")))
    assert.is_nil(page:find("unknown", 1, true))
  end)

  it("encodes bytes as RFC 4648 does", function()
    local cases = { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==", fooba = "Zm9vYmE=",
      foobar = "Zm9vYmFy", ["\255\254\0"] = "//4A" }
    for bytes, text in pairs(cases) do assert.are.equal(text, html.base64(bytes)) end
  end)

  it("holds numbers, published ones beside them, and pictures, and nothing from elsewhere", function()
    local picture = os.tmpname() .. ".png"
    local file = assert(io.open(picture, "wb"))
    file:write("foobar")
    file:close()
    local page = report.page { title = "A <study>", lead = "Lead & more.", facts = { { "Lua", "5.4" } }, stages = { {
      name = "cae", title = "The code", question = "How well?", command = "lua5.4 x.lua --seed 1", seconds = 61.5, finished = "then",
      numbers = { { what = "test MSE", ours = "0.0131", published = "0.0166" }, { what = "other", ours = "7" } },
      figures = { { path = picture, caption = "\"Two\" rows" }, { path = picture .. ".none.png", caption = "gone" } } } } }
    os.remove(picture)
    assert.is_truthy(page:find("A &lt;study&gt;", 1, true))
    assert.is_truthy(page:find("Lead &amp; more.", 1, true))
    assert.is_truthy(page:find("<tr><td>test MSE</td><td>0.0131</td><td>0.0166</td><td></td></tr>", 1, true))
    assert.is_truthy(page:find('alt="&quot;Two&quot; rows" src="data:image/png;base64,Zm9vYmFy"', 1, true))
    assert.is_truthy(page:find("No such file", 1, true))
    assert.is_truthy(page:find("1 min 01 s, then", 1, true))
    assert.is_truthy(page:find("prefers-color-scheme: dark", 1, true))
    assert.is_truthy(page:find('<code>lua5.4 x.lua <span class="word">--seed</span> 1</code>', 1, true))
    assert.is_nil(page:find("https?://"))
    -- What was published stands on top, too, and leads to its section.
    assert.is_truthy(page:find('<td><a href="#cae">test MSE</a></td><td>0.0131</td><td>0.0166</td>', 1, true))
    assert.are.equal(1, select(2, page:gsub(">other<", "")))
  end)

  it("shows grids of images at one pixel a point, and plots at two", function()
    local folder = experiment.new_folder()
    os.execute("mkdir " .. folder)
    assert(perilune.image.save(folder .. "/grid.png", perilune.rand(1, 8, 60)))
    assert(perilune.image.save(folder .. "/plot.png", perilune.rand(3, 8, 60)))
    assert.is_truthy(html.figure(folder .. "/grid.png", "x"):find('width="60"', 1, true))
    assert.is_truthy(html.figure(folder .. "/plot.png", "x"):find('width="30"', 1, true))
    os.execute("rm -r " .. folder)
  end)
end)
