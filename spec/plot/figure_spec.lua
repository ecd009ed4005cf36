-- Figures: files, pictures, what all kinds share; and a process in which Cairo is missing.
local perilune = require "perilune"
local files = require "formats.support"
local support = require "plot.support"
local plot, image = perilune.plot, perilune.image

local function points(given)
  given.x, given.y = given.x or { 1, 2, 3 }, given.y or { 3, 1, 2 }
  return plot.scatter(given)
end

local function refuses(message, call, ...)
  local fine, text = pcall(call, ...)
  assert.is_false(fine)
  assert.is_truthy(text:find(message, 1, true), text)
  assert.matches("figure_spec.lua:%d+: ", text)
end

describe("a figure", function()
  local directory

  before_each(function() directory = files.directory() end)
  after_each(function() files.remove(directory) end)

  it("is saved as a PNG of scale pixels a point", function()
    local figure = points { width = 300, height = 200 }
    for scale, size in pairs { [1] = { 3, 200, 300 }, [2] = { 3, 400, 600 }, [0.5] = { 3, 100, 150 } } do
      assert.is_true(figure:save(directory .. "a.png", { scale = scale }))
      assert.same(size, image.load(directory .. "a.png").shape)
    end
    assert.is_true(figure:save(directory .. "a.png"))
    assert.same({ 3, 400, 600 }, image.load(directory .. "a.png").shape)
    assert.same({ 3, 200, 300 }, figure:image({ scale = 1 }).shape)
    assert.equal("a.png", files.list(directory))
  end)

  it("shows what is in it: dark ink on white, points in their colour", function()
    local picture = points({ x = { 1 }, y = { 1 }, size = 40, alpha = 1 }):image({ scale = 1 })
    local function share(r, g, b)
      local hit = picture[1]:eq(r):logical_and(picture[2]:eq(g)):logical_and(picture[3]:eq(b))
      return hit:sum():item() / hit:numel()
    end
    assert.is_true(share(255, 255, 255) > 0.9)
    local disc = math.pi * 20 ^ 2 / (640 * 440)
    assert.near(disc, share(0, 0x72, 0xB2), 0.1 * disc)
  end)

  it("is saved as an SVG whose labels are text", function()
    local figure = points { title = "a < b & \"c\"", xlabel = "größe", label = { "one", "two", "one" } }
    assert.is_true(figure:save(directory .. "a.svg"))
    local svg = files.read(directory .. "a.svg")
    assert.is_nil(support.xml_fault(svg))
    for _, text in ipairs { "a &lt; b &amp; &quot;c&quot;", "größe", "one", "two" } do
      assert.is_truthy(svg:find(">" .. text .. "</text>", 1, true), text)
    end
    assert.matches('viewBox="0 0 640 440"', svg, 1, true)
    local _, n = svg:gsub("<circle", "")
    assert.equal(3 + 2, n)                                   -- points and legend
    assert.matches('width="1280"', figure:svg({ scale = 2 }), 1, true)
  end)

  it("replaces a file whole, or says why not", function()
    local figure = points { width = 100, height = 80 }
    files.write(directory .. "a.png", "old")
    assert.is_true(figure:save(directory .. "a.png"))
    for path, message in pairs { ["/nowhere/a.png"] = "its directory does not exist",
      ["/dev/full/a.svg"] = "Not a directory", [directory .. "a\0.png"] = "zero byte" } do
      local ok, text = figure:save(path)
      assert.is_nil(ok)
      assert.is_truthy(text:find(message, 1, true), text)
    end
    files.run("ln -s /dev/full " .. directory .. "full.png")
    local ok, text = figure:save(directory .. "full.png")
    assert.is_nil(ok)
    assert.is_truthy(text:find("No space left on device", 1, true), text)
    assert.equal("a.png full.png", files.list(directory))
    refuses("must end in .png or .svg", figure.save, figure, "a.jpg")
    refuses("must end in .png or .svg", figure.save, figure, nil)
    refuses("option scale", figure.save, figure, directory .. "a.png", { scale = 0 })
    refuses("40000 pixels at scale 4 are too many", function() points({ width = 10000 }):png { scale = 4 } end)
    refuses("unknown option 'size'; known: scale", figure.save, figure, directory .. "a.png", { size = 2 })
  end)

  it("says what it is", function()
    assert.equal("scatter: a figure of 640 x 440 points; :save(path), :show()", tostring(points {}))
  end)

  it("has title and axis labels inside the page, and no two labels touch", function()
    local long = ("a very long label "):rep(20)
    for _, size in ipairs { { 640, 440 }, { 200, 150 }, { 1200, 200 }, { 150, 600 } } do
      local figure = points { title = long, xlabel = "x", ylabel = "y", x = { 1e6, 2e6, 3.5e6 }, width = size[1],
        height = size[2] }
      assert.is_nil(support.clash(figure))
      assert.is_true(support.texts(figure).x)
    end
  end)

  it("draws text that is no UTF-8, and control characters", function()
    local figure = points { title = "a\xffb\n\0c" }
    assert.is_true(support.texts(figure)["a?b  c"])
    assert.is_string(figure:png())
    assert.is_nil(support.xml_fault(figure:svg()))
  end)

  it("shares options with all kinds and refuses what it does not know", function()
    refuses("scatter: unknown option 'colour'; known: x, y, color", points, { colour = "#ff0000" })
    refuses("option xscale must be one of linear, log", points, { xscale = "sqrt" })
    refuses("xlim must be { low, high } with low < high", function() points({ xlim = { 2, 1 } }):drawing() end)
    refuses("option grid must be one of", points, { grid = "yes" })
    refuses("option legend must be one of right, inside, none", points, { legend = "left" })
    refuses("option width must be a number in [50, 10000]", points, { width = 1e6 })
    assert.equal(0, #support.commands(points { grid = "none", x = {}, y = {} }, "dots"))
  end)

  it("takes limits, also on logarithmic axes", function()
    local figure = points { xlim = { 0, 10 }, ylim = { 1, 1000 }, yscale = "log", x = { 5, 20 }, y = { 10, 10 } }
    local inner, dots = support.inner(figure), support.commands(figure, "dots")[1]
    assert.near(inner.x + inner.width / 2, dots.x[1], 1e-6)
    assert.near(inner.y + inner.height * 2 / 3, dots.y[1], 1e-6)
    assert.is_true(dots.x[2] > inner.x + inner.width)         -- cut off by the clip
  end)
end)

describe("perilune.plot", function()
  it("finds its kinds by name, and lists all that there are", function()
    local listed = {}
    for name, kind in pairs(plot) do
      listed[#listed + 1] = name .. ".lua"
      assert.is_function(kind)
    end
    table.sort(listed)
    assert.equal(files.list("lua/perilune/plot/kinds"), table.concat(listed, " "))
    assert.is_nil(plot.nothing)
    assert.is_nil(plot["../init"])
    assert.is_nil(plot[1])
  end)

  it("says what to install where Cairo is missing, and all else works", function()
    local directory = files.directory()
    local build = os.getenv("PERILUNE_BUILD") or "build"
    files.run(("mkdir %sperilune && cp %s/perilune/core.so %sperilune/"):format(directory, build, directory))
    files.write(directory .. "child.lua", [[
      local perilune = require "perilune"
      local fine, message = pcall(function() return perilune.plot end)
      print(fine, message)
      print(select(2, pcall(require, "perilune.plot")):match("libcairo2%-dev"))
      print(select(2, pcall(function() return perilune.study.visualization end)):match("libcairo2%-dev"))
      print(#perilune.help() > 1000, perilune.ones(2):sum():item(), perilune.image.grid(perilune.ones(2, 3, 3)).shape[3])
      print(#perilune.help("TSNE.fit") > 20, select(2, pcall(perilune.help, "Figure.save")))
    ]])
    local output = files.run(("LUA_PATH='lua/?.lua;lua/?/init.lua' LUA_CPATH='%s?.so' lua5.4 %schild.lua 2>&1")
      :format(directory, directory))
    files.remove(directory)
    assert.matches("^false\t%S+child.lua:2: plot: plots are drawn by Cairo, .-apt%-get install libcairo2%-dev", output)
    assert.matches("\nlibcairo2-dev\nlibcairo2-dev\ntrue\t2.0\t12\ntrue\t", output, 1, true)
    assert.matches("nothing is named 'Figure.save'", output, 1, true)
  end)
end)
