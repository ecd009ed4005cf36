-- experiments/support/{html,report}.lua: what is in the page.
package.path = "experiments/?.lua;" .. package.path
local experiment = require "support.experiment"
local html = require "support.html"
local report = require "support.report"

describe("the report", function()
  it("is what reproduce leaves, with every stage in it", function()
    local root = experiment.new_folder()
    experiment.must_run("reproduce", "--quick --out " .. root)
    local page = experiment.read(root .. "/report.html")
    os.execute("rm -r " .. root)
    for _, name in ipairs { "cae", "vae", "classifier", "fine_tune", "samples" } do
      assert.is_truthy(page:find('id="' .. name .. '"', 1, true), name)
    end
    assert.matches("<td>test MSE</td><td>0%.%d+</td><td>0.0166</td>", page)
    assert.are.equal(13, select(2, page:gsub("data:image/png;base64,iVBOR", "")))
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
      name = "cae", title = "The code", question = "How well?", command = "lua5.4 x.lua", seconds = 61.5,
      numbers = { { what = "test MSE", ours = "0.0131", published = "0.0166" }, { what = "other", ours = "7" } },
      figures = { { path = picture, caption = "\"Two\" rows" }, { path = picture .. ".none.png", caption = "gone" } } } } }
    os.remove(picture)
    assert.is_truthy(page:find("A &lt;study&gt;", 1, true))
    assert.is_truthy(page:find("Lead &amp; more.", 1, true))
    assert.is_truthy(page:find("<tr><td>test MSE</td><td>0.0131</td><td>0.0166</td><td></td></tr>", 1, true))
    assert.is_truthy(page:find('alt="&quot;Two&quot; rows" src="data:image/png;base64,Zm9vYmFy"', 1, true))
    assert.is_truthy(page:find("No such file", 1, true))
    assert.is_truthy(page:find("1 min 01 s", 1, true))
    assert.is_truthy(page:find("prefers-color-scheme: dark", 1, true))
    assert.is_nil(page:find("https?://"))
    -- The row without a published number stands in its section only.
    assert.are.equal(2, select(2, page:gsub("<td>test MSE</td>", "")))
    assert.are.equal(1, select(2, page:gsub("<td>other</td>", "")))
  end)
end)
