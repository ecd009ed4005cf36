-- Each kind of plot: what it draws of which data, what it leaves out, and what it refuses.
local perilune = require "perilune"
local support = require "plot.support"
local plot = perilune.plot

local nan, inf = 0 / 0, math.huge

local function refuses(message, kind, given)
  local fine, text = pcall(function() return plot[kind](given):drawing() end)
  assert.is_false(fine)
  assert.is_truthy(text:find(message, 1, true), text)
  assert.matches("kinds_spec.lua:%d+: ", text)
end

-- Drawn both ways, with nothing outside and no two labels on top of each other.
local function sound(figure, ...)
  assert.is_nil(support.clash(figure))
  assert.is_nil(support.xml_fault(figure:svg()))
  assert.equal("\x89PNG", figure:png({ scale = 0.5 }):sub(1, 4))
  local texts = support.texts(figure)
  for _, text in ipairs { ... } do assert.is_true(texts[text], text) end
  return figure
end

-- The first mark of that kind.
local function mark(figure, kind)
  for _, command in ipairs(support.marks(figure)) do
    if command.kind == kind then return command end
  end
end

local function count(figure, kind)
  local n = 0
  for _, command in ipairs(support.marks(figure)) do n = n + (command.kind == kind and 1 or 0) end
  return n
end

describe("an axis of whole numbers", function()
  it("has whole numbers as labels, at every length", function()
    for n = 1, 40 do
      local trials = {}
      for i = 1, n do trials[i] = i end
      for _, figure in ipairs { plot.scatter { x = trials, y = trials }, plot.line { x = trials, y = trials },
        plot.line { series = { { y = trials }, { y = trials, low = trials, high = trials } } },
        plot.bar { values = { n } }, plot.bar { values = { 0, n }, horizontal = true } } do
        for text in pairs(support.texts(figure)) do
          assert.is_nil(text:find("%d%.%d*[1-9]"), ("%s of %d: %s"):format(figure.what, n, text))
        end
      end
    end
    local fractions = support.texts(plot.scatter { x = { 1, 2 }, y = { 0.125, 0.5 } })
    assert.is_true(fractions["0.3"] or fractions["0.30"])
    assert.is_true(support.texts(plot.line { y = { 0.5 } })["1"])       -- a single epoch
    local counts = support.texts(plot.histogram { x = { 3 } })
    assert.same({ true, true, nil }, { counts["0"], counts["1"], counts["0.5"] })
  end)
end)

describe("scatter", function()
  it("puts points where they are, from tensors and lists alike", function()
    local x, y = perilune.tensor { 0.0, 1.0, 4.0 }, { 0, 2, 1 }
    local figure = sound(plot.scatter { x = x, y = y, xlabel = "x", title = "t" }, "x", "t", "0", "2")
    local inner, dots = support.inner(figure), support.commands(figure, "dots")[1]
    assert.equal(3, #dots.x)
    assert.near(0.25, (dots.x[2] - dots.x[1]) / (dots.x[3] - dots.x[1]), 1e-9)
    assert.near(0.5, (dots.y[3] - dots.y[1]) / (dots.y[2] - dots.y[1]), 1e-9)
    assert.is_true(dots.y[2] < dots.y[1])
    for i = 1, 3 do assert.is_true(dots.x[i] > inner.x and dots.x[i] < inner.x + inner.width) end
  end)

  it("colours classes, in the order of the points, with a legend", function()
    local figure = sound(plot.scatter { x = { 1, 2, 3, 4 }, y = { 1, 2, 3, 4 }, label = perilune.tensor { 2, 1, 2, 3 },
      names = { "one", "two", "three", "none" } }, "one", "two", "three", "none")
    local colors = mark(figure, "dots").colors
    assert.equal(colors[1], colors[3])
    assert.is_true(colors[1] ~= colors[2] and colors[2] ~= colors[4] and colors[1] ~= colors[4])
    local swatches = {}
    for _, dots in ipairs(support.commands(figure, "dots")) do
      if #dots.x == 1 then swatches[#swatches + 1] = dots.colors end
    end
    assert.equal(4, #swatches)
    assert.equal(swatches[2] >> 8, colors[1] >> 8)
    local function legend_of(label)
      local found = {}
      for _, text in ipairs(support.commands(sound(plot.scatter { x = { 1, 2, 3 }, y = { 1, 2, 3 }, label = label,
        title = "t", xlim = { 0.6, 3.4 }, ylim = { 0.6, 3.4 } }), "text")) do
        if text.x > 560 then found[#found + 1] = text.text end
      end
      return found
    end
    assert.same({ "b", "a", "c" }, legend_of { "b", "a", "c" })
    assert.same({ "7", "8", "9" }, legend_of { 9, 7, 8 })
  end)

  it("tells more than ten classes apart by shapes too", function()
    local x, label = {}, {}
    for i = 1, 23 do x[i], label[i] = i, i end
    local figure = sound(plot.scatter { x = x, y = x, label = label })
    local seen, shapes = {}, {}
    for _, dots in ipairs(support.marks(figure)) do
      shapes[dots.shape] = true
      for _, color in ipairs(dots.colors) do seen[dots.shape .. color] = true end
    end
    local n = 0
    for _ in pairs(seen) do n = n + 1 end
    assert.equal(23, n)
    assert.same({ circle = true, square = true, diamond = true }, shapes)
  end)

  it("colours a quantity, with a colour bar", function()
    local figure = sound(plot.scatter { x = { 1, 2, 3, 4 }, y = { 1, 2, 3, 4 }, color = { 0, 5, 10, nan },
      color_label = "height", alpha = 1 }, "height", "0", "10")
    local colors = mark(figure, "dots").colors
    assert.equal(0x440154FF, colors[1])
    assert.equal(0xFDE725FF, colors[3])
    assert.equal(0xE4E7EBFF, colors[4])
    assert.equal(1, #support.commands(figure, "image"))
    sound(plot.scatter { x = { 1, 2 }, y = { 1, 2 }, color = { 1e-5, 1 }, color_scale = "log" }, "10⁻⁴")
  end)

  it("leaves points out that are not finite", function()
    local dots = mark(plot.scatter { x = { 1, nan, 3, inf, 5 }, y = { 1, 2, -inf, 4, 5 }, label = { 1, 2, 3, 4, 5 } }, "dots")
    assert.equal(2, #dots.x)
    assert.is_true(dots.colors[1] ~= dots.colors[2])
    local figure = plot.scatter { x = { nan }, y = { nan } }
    sound(figure, "no data")
  end)

  it("copes with nothing, one point, equal points and ranges of every size", function()
    sound(plot.scatter { x = {}, y = {} }, "no data")
    sound(plot.scatter { x = perilune.zeros(0), y = {}, label = {} })
    for _, values in ipairs { { 5 }, { 0, 0, 0 }, { 1e-300, 2e-300 }, { -1e299, 1e299 }, { 1e9, 1e9 + 1e-3 }, { 1e9, 1e9 },
      { 123456789, 123456790 }, { -1e-8, 1e-8 }, { 1e20, 1e20 } } do
      local figure = sound(plot.scatter { x = values, y = values })
      local inner, dots = support.inner(figure), mark(figure, "dots")
      for i = 1, #dots.x do
        assert.is_true(dots.x[i] >= inner.x and dots.x[i] <= inner.x + inner.width)
        assert.is_true(dots.y[i] >= inner.y and dots.y[i] <= inner.y + inner.height)
      end
    end
  end)

  it("draws smaller and fainter points where there are more", function()
    local function dots_of(n)
      local x = perilune.linspace(0, 1, n)
      return mark(plot.scatter { x = x, y = x }, "dots")
    end
    local few, many = dots_of(100), dots_of(10000)
    assert.near(3, few.radius, 1e-9)
    assert.near(1.31, many.radius, 0.01)
    assert.is_true((many.colors[1] & 0xFF) < (few.colors[1] & 0xFF))
  end)

  it("makes an axis of names from strings and booleans", function()
    local figure = sound(plot.scatter { x = { "SGD", "Adam", "SGD" }, y = { 1, 2, 3 } }, "Adam", "SGD")
    local dots = mark(figure, "dots")
    assert.equal(dots.x[1], dots.x[3])
    assert.is_true(dots.x[2] < dots.x[1])
    sound(plot.scatter { x = { 1, 2 }, y = { true, false } }, "true", "false")
    refuses("x has the value nan, which is not among its choices", "scatter", { x = { "a", nan }, y = { 1, 2 } })
  end)

  it("draws several series, each with its own size, colour and marker, and a legend", function()
    local figure = sound(plot.scatter { size = 4, series = { { x = { 1, 2 }, y = { 1, 2 }, label = "samples" },
      { x = perilune.tensor { 3 }, y = { 3 }, size = 20, alpha = 1, color = "#ff0000", marker = "diamond", label = "centre" },
      { x = { 9 }, y = { 9 } } } }, "samples", "centre", "9")
    local marks = support.marks(figure)
    assert.same({ 2, 10, 2 }, { marks[1].radius, marks[2].radius, marks[3].radius })
    assert.same({ "circle", "diamond", "circle" }, { marks[1].shape, marks[2].shape, marks[3].shape })
    assert.equal(0xFF0000FF, marks[2].colors[1])
    assert.is_true(marks[1].colors[1] ~= marks[3].colors[1])
    assert.equal(2, #support.commands(figure, "dots") - #marks)
    sound(plot.scatter { series = {} }, "no data")
    refuses("with series, x stands in each of them", "scatter", { x = { 1 }, series = {} })
    refuses("x has 1 values but y has 2", "scatter", { series = { { x = { 1 }, y = { 1, 2 } } } })
    refuses("scatter: series: option y is missing", "scatter", { series = { { x = { 1 } } } })
    refuses("marker must be one of", "scatter", { series = { { x = { 1 }, y = { 1 }, marker = "star" } } })
  end)

  it("keeps a unit as long on x as on y", function()
    local dots = mark(plot.scatter { x = { 0, 1, 1 }, y = { 0, 0, 1 }, equal = true }, "dots")
    assert.near(dots.x[2] - dots.x[1], dots.y[2] - dots.y[3], 1e-6)
  end)

  it("refuses what does not fit together", function()
    refuses("scatter: option y is missing", "scatter", { x = { 1 } })
    refuses("scatter: x has 2 values but y has 1", "scatter", { x = { 1, 2 }, y = { 1 } })
    refuses("scatter: x has 1 values but label has 2", "scatter", { x = { 1 }, y = { 1 }, label = { 1, 2 } })
    refuses("scatter: x[2] must be a number, got \"a\"", "scatter", { x = { 1, "a" }, y = { 1, 2 } })
    refuses("scatter: x must be a tensor (N) or a list of numbers, got a tensor (2, 2)", "scatter",
      { x = perilune.ones(2, 2), y = { 1, 2 } })
    refuses("label has the class 3, but there are 2 names", "scatter",
      { x = { 1 }, y = { 1 }, label = { 3 }, names = { "a", "b" } })
    refuses("label[1] must be an integer or a string, got 1.5", "scatter", { x = { 1 }, y = { 1 }, label = { 1.5 } })
    refuses("not by both", "scatter", { x = { 1 }, y = { 1 }, label = { 1 }, color = { 1 } })
    refuses("a logarithmic x axis needs values above 0, but -1 is among them", "scatter",
      { x = { -1, 1 }, y = { 1, 1 }, xscale = "log" })
    refuses("a logarithmic color axis needs values above 0, but 0 is", "scatter",
      { x = { 1 }, y = { 1 }, color = { 0 }, color_scale = "log" })
    refuses("colormap must be one of viridis", "scatter", { x = { 1 }, y = { 1 }, color = { 1 }, colormap = "jet" })
    refuses("a colour is \"#rrggbb\"", "scatter", { x = { 1 }, y = { 1 }, label = { 1 }, palette = { "mauve" } })
  end)
end)

describe("line", function()
  it("goes through its points, and is broken where one is not finite", function()
    local figure = sound(plot.line { y = perilune.tensor { 1.0, 2.0, nan, 3.0, inf, 5.0, 6.0 }, label = "loss" }, "loss")
    assert.equal(2, count(figure, "line"))
    assert.equal(4, #mark(figure, "line").points)
    assert.equal(1, #mark(figure, "dots").x)                 -- the 3 has no neighbour
  end)

  it("draws several, each with its own style, and a legend", function()
    local figure = sound(plot.line { xlabel = "epoch", series = { { y = { 3, 2, 1 }, label = "training" },
      { y = { 3, 2.5, 2 }, label = "validation", dash = true, marker = "square" },
      { x = { 1, 3 }, y = { 1, 1 }, step = true, color = "#ff0000" } } }, "training", "validation", "epoch")
    local lines = {}
    for _, command in ipairs(support.marks(figure)) do
      if command.kind == "line" then lines[#lines + 1] = command end
    end
    assert.equal(3, #lines)
    assert.is_nil(lines[1].dash)
    assert.same({ 6, 4 }, lines[2].dash)
    assert.equal(0xFF0000FF, lines[3].stroke)
    assert.equal(6, #lines[3].points)                        -- a corner more
    assert.equal("square", mark(figure, "dots").shape)
  end)

  it("has a band, closed and broken like its line", function()
    local figure = plot.line { y = { 1, 2, 3, 4, 5 }, low = { 0, 1, nan, 3, 4 }, high = { 2, 3, 4, 5, 6 } }
    assert.equal(2, count(figure, "polygon"))
    local points = mark(figure, "polygon").points
    assert.equal(8, #points)
    assert.equal(points[1], points[7])
    assert.is_true(points[8] > points[2])                    -- low lies below high
  end)

  it("spaces logarithmic axes by powers", function()
    local figure = sound(plot.line { x = { 1, 10, 100 }, y = { 1e-3, 1e-2, 1 }, xscale = "log", yscale = "log" }, "10", "0.01")
    local points = mark(figure, "line").points
    assert.near(points[3] - points[1], points[5] - points[3], 1e-6)
    assert.near(2 * (points[2] - points[4]), points[4] - points[6], 1e-6)
  end)

  it("counts in whole numbers along x", function()
    local figure = plot.line { y = { 1, 2, 3 } }
    for text in pairs(support.texts(figure)) do
      assert.is_true(text ~= "1.5" or support.texts(figure)["2.5"])
    end
    local below = {}
    local inner = support.inner(figure)
    for _, command in ipairs(support.commands(figure, "text")) do
      if command.y > inner.y + inner.height + 5 then below[#below + 1] = command.text end
    end
    assert.same({ "1", "2", "3" }, below)
  end)

  it("draws markers alone where the line has no width", function()
    local figure = sound(plot.line { y = { 1, 2, 3 }, marker = true, line_width = 0, label = "trials" }, "trials")
    assert.equal(0, count(figure, "line"))
    assert.equal(3, #mark(figure, "dots").x)
    refuses("option line_width must be a number in [0, 100]", "line", { y = { 1 }, line_width = -1 })
  end)

  it("puts the legend into a free corner, or beside", function()
    local function legend_x(y)
      local figure = plot.line { y = y, label = "series" }
      for _, command in ipairs(support.commands(figure, "text")) do
        if command.text == "series" then return command.x, support.inner(figure), command.y end
      end
    end
    local x, inner, y = legend_x { 3, 2, 1, 1, 1 }
    assert.is_true(x > inner.x + inner.width / 2 and x < inner.x + inner.width and y < inner.y + inner.height / 2)
    x, inner = legend_x { 1, 2, 3, 3, 3 }
    assert.is_true(x < inner.x + inner.width / 2)
    local full = {}
    for i = 1, 200 do full[i] = i % 2 end
    x, inner = legend_x(full)
    assert.is_true(x > inner.x + inner.width)
    assert.is_nil(support.texts(plot.line { y = { 1, 2 }, label = "series", legend = false }).series)
  end)

  it("copes with nothing and one point", function()
    sound(plot.line { y = {} }, "no data")
    sound(plot.line { y = { 1 } })
    sound(plot.line { series = {} }, "no data")
    sound(plot.line { y = { 2, 2 }, yscale = "log" })
    sound(plot.line { y = { 1, 2 }, hline = 1.5 })
  end)

  it("refuses what does not fit together", function()
    refuses("line: option y is missing", "line", {})
    refuses("line: x has 1 values but y has 2", "line", { x = { 1 }, y = { 1, 2 } })
    refuses("line: y has 2 values but high has 0", "line", { y = { 1, 2 }, low = { 0, 0 } })
    refuses("line: series: unknown option 'title'; known: x, y", "line", { series = { { y = { 1 }, title = "a" } } })
    refuses("a logarithmic y axis needs values above 0, but 0 is among them", "line", { y = { 1, 0 }, yscale = "log" })
    refuses("marker must be one of circle, square", "line", { y = { 1 }, marker = "star" })
    refuses("dash must be true", "line", { y = { 1 }, dash = "wavy" })
    refuses("dash must be true", "line", { y = { 1 }, dash = { 0, 0 } })
  end)
end)

describe("bar", function()
  it("stands on zero and ends at its value", function()
    local figure = sound(plot.bar { names = { "a", "b", "c" }, values = perilune.tensor { 1.0, 2.0, -1.0 } }, "a", "b", "c")
    local bars = {}
    for _, command in ipairs(support.marks(figure)) do
      if command.kind == "rectangle" then bars[#bars + 1] = command end
    end
    assert.equal(3, #bars)
    assert.near(2 * (bars[1].height + 1), bars[2].height + 1, 1e-6)          -- a point lies between bars
    assert.near(bars[1].y + bars[1].height, bars[2].y + bars[2].height, 1e-6)
    assert.near(bars[1].y + bars[1].height + 1, bars[3].y, 1e-6)
    local inner = support.inner(plot.bar { values = { 1, 2 } })
    local first = mark(plot.bar { values = { 1, 2 } }, "rectangle")
    assert.near(inner.y + inner.height, first.y + first.height, 0.6)
  end)

  it("groups series side by side, with error bars and a legend", function()
    local figure = sound(plot.bar { names = { "a", "b" }, series = { { values = { 1, 2 }, label = "CAE", errors = { 0.1, 0.2 } },
      { values = { 2, nan }, label = "VAE" } } }, "CAE", "VAE")
    assert.equal(3, count(figure, "rectangle"))
    assert.equal(2 * 3 + 1, count(figure, "line"))           -- three strokes for each error bar, and zero
  end)

  it("lies, the first on top, and prints values", function()
    local figure = sound(plot.bar { names = { "long name of the first", "b" }, values = { 0.61, 0.2 }, horizontal = true,
      value_labels = "%.1f%%" }, "long name of the first", "0.6%")
    local bars = support.marks(figure)
    assert.is_true(bars[1].y < bars[2].y and bars[1].width > bars[2].width)
    sound(plot.bar { values = { 12345.6, 2 }, value_labels = true }, "12,346", "2")
    sound(plot.bar { values = { 3 }, value_labels = function(v) return v .. " s" end }, "3 s")
  end)

  it("turns or leaves out names that are too many", function()
    local names, values = {}, {}
    for i = 1, 80 do names[i], values[i] = "a name " .. i, i end
    local figure = sound(plot.bar { names = names, values = values })
    local turned = 0
    for _, command in ipairs(support.commands(figure, "text")) do
      if command.angle == -45 then turned = turned + 1 end
    end
    assert.is_true(turned > 5 and turned < 80)
    sound(plot.bar { names = names, values = values, horizontal = true })
  end)

  it("prints values smaller, or not at all, where they have no room", function()
    local function sizes(n, given)
      given.values, given.value_labels, given.series = {}, "%.3f", given.series
      for i = 1, n do given.values[i] = i end
      local found = {}
      for _, command in ipairs(support.marks(sound(plot.bar(given)))) do
        if command.kind == "text" then found[#found + 1] = command.size end
      end
      return found
    end
    assert.equal(11, sizes(5, {})[1])
    local small = sizes(20, {})
    assert.equal(20, #small)
    assert.is_true(small[1] < 11 and small[1] >= 6)
    assert.equal(0, #sizes(100, {}))
    assert.equal(0, #sizes(100, { horizontal = true }))
    sound(plot.heatmap { values = perilune.rand(12, 30), format = "%.4f" })
  end)

  it("copes with nothing, zeros and logarithms", function()
    sound(plot.bar { values = {} }, "no data")
    sound(plot.bar { values = { 0, 0 } })
    sound(plot.bar { values = { nan } }, "no data")
    sound(plot.bar { values = { 0.001, 100 }, yscale = "log" })
    refuses("a logarithmic y axis needs values above 0", "bar", { values = { 0, 1 }, yscale = "log" })
    refuses("bar: names has 1 entries, but there are 2", "bar", { values = { 1, 2 }, names = { "a" } })
    refuses("series[1] has 2 values but series[2] has 1", "bar", { series = { { values = { 1, 2 } }, { values = { 1 } } } })
    refuses("values has 1 values but errors has 2", "bar", { values = { 1 }, errors = { 1, 2 } })
    refuses("value_labels must be true", "bar", { values = { 1 }, value_labels = "%d %d" })
  end)
end)

describe("histogram", function()
  local function heights(figure)
    local found, inner = {}, support.inner(figure)
    for _, command in ipairs(support.marks(figure)) do
      if command.kind == "rectangle" then found[#found + 1] = command.height end
    end
    return found, inner
  end

  it("counts, both edges included", function()
    local bins = require "perilune.plot.bins"
    assert.same({ 1, 0, 2, 3 }, bins.fill({ 0, 0.5, 0.6, 0.75, 1, 1, 2, -1 }, bins.edges(0, 1, 4)))
    for n = 1, 60 do                                         -- an edge falls into the bin that it begins
      local edges, expected = bins.edges(0.1, 0.9, n), {}
      for i = 1, n do expected[i] = i < n and 1 or 2 end
      assert.same(expected, bins.fill(edges, edges))
    end
    local tall = heights(plot.histogram { x = perilune.tensor { { 0.0, 1.0 }, { 1.0, 1.0 } }, bins = 2 })
    assert.near(3, (tall[2] + 1) / (tall[1] + 1), 0.01)
  end)

  it("chooses as many bins as Freedman and Diaconis", function()
    local bins = require "perilune.plot.bins"
    local values = {}
    for i = 0, 999 do values[i + 1] = i / 999 end            -- IQR 0.5: 1 / (2 * 0.5 / 10) = 10
    assert.equal(10, bins.count(values))
    assert.equal(1, bins.count({ 5, 5, 5 }))
    assert.equal(1, bins.count({}))
    values = { 0 }
    for i = 2, 64 do values[i] = 1 end                       -- equal quartiles: Sturges
    assert.equal(7, bins.count(values))
    assert.equal(10, #(heights(plot.histogram { x = perilune.linspace(0, 1, 1000) })))
  end)

  it("has an area of 1 as a density, and lays several over each other", function()
    local figure = sound(plot.histogram { density = true, series = { { x = { 1, 2, 2, 3 }, label = "a" },
      { x = { 3, 4, nan }, label = "b" } }, bins = 4 }, "a", "b", "density")
    assert.equal(2, count(figure, "polygon"))
    local one = plot.histogram { x = { 0, 0.5, 1, 1 }, bins = 2, density = true, range = { 0, 1 }, ylim = { 0, 2 } }
    local tall, inner = heights(one)
    assert.near(0.25 * 2 / 2 * inner.height, tall[1] + 1, 1e-6)
    assert.near(0.75 * 2 / 2 * inner.height, tall[2] + 1, 1e-6)
  end)

  it("copes with nothing, one value and what is not finite", function()
    sound(plot.histogram { x = {} }, "no data")
    sound(plot.histogram { x = { nan, inf } }, "no data")
    sound(plot.histogram { x = { 3 } }, "count")
    sound(plot.histogram { x = { 3, 3, 3, nan } })
    sound(plot.histogram { x = { 0, 5e-324 } }, "count")
    sound(plot.line { y = { 0, 5e-324 } }, "−0.50")
    sound(plot.histogram { x = perilune.randn(1000), yscale = "log" })
    local log = heights(sound(plot.histogram { x = { 0, 0, 0, 0, 500, 1000 }, bins = 2, yscale = "log", density = true }))
    assert.near(2, (log[1] + 1) / (log[2] + 1), 1e-6)        -- 4 and 2 of them stand on 1
    refuses("histogram: range must be { low, high }", "histogram", { x = { 1 }, range = { 1, 1 } })
    refuses("option bins must be an integer of at least 1", "histogram", { x = { 1 }, bins = 0 })
    refuses("give it the logarithms", "histogram", { x = { 1 }, xscale = "log" })
  end)
end)

describe("heatmap", function()
  it("prints values in an ink that can be read, row 1 on top", function()
    local figure = sound(plot.heatmap { values = perilune.tensor { { 0, 50 }, { 99, 100 } }, rows = { "r1", "r2" },
      columns = { "c1", "c2" }, xlabel = "predicted" }, "r1", "c2", "predicted", "0", "50", "99", "100")
    local ink, at = {}, {}
    for _, command in ipairs(support.marks(figure)) do
      if command.kind == "text" then ink[command.text], at[command.text] = command.color, command end
    end
    assert.equal(0xFFFFFFFF, ink["0"])
    assert.equal(0x1A1A1AFF, ink["100"])
    assert.is_true(at["0"].y < at["99"].y and at["0"].x < at["50"].x)
  end)

  it("chooses the ink with the larger contrast", function()
    local color = require "perilune.plot.color"
    assert.near(21, color.contrast(0xFFFFFFFF, 0x000000FF), 1e-9)
    assert.near(4.54, color.contrast(0xFFFFFFFF, 0x767676FF), 0.01)      -- the gray that WCAG's AA just allows
    for gray = 0, 255 do
      local c = gray << 24 | gray << 16 | gray << 8 | 0xFF
      local ink = color.ink_on(c)
      local other = ink == 0xFFFFFFFF and 0x1A1A1AFF or 0xFFFFFFFF
      assert.is_true(color.contrast(ink, c) >= color.contrast(other, c), gray)
    end
  end)

  it("divides by the sum of rows, columns or all", function()
    local values = { { 1, 3 }, { 0, 0 } }
    sound(plot.heatmap { values = values, normalize = "row" }, "0.25", "0.75", "0.00")
    sound(plot.heatmap { values = values, normalize = "column", format = "%.1f" }, "1.0", "0.0")
    sound(plot.heatmap { values = { { 1, 1 }, { 1, 1 } }, normalize = "all" }, "0.25")
  end)

  it("draws many cells as one picture, and axes that count", function()
    local figure = sound(plot.heatmap { values = perilune.arange(1, 6000):reshape(60, 100) }, "20", "40")
    assert.equal(1, count(figure, "image"))
    assert.equal(0, count(figure, "rectangle"))
    local image = mark(figure, "image")
    local picture = perilune.image.load and assert(require("perilune.core").formats.loads_png(image.png))
    assert.same({ 3, 60, 100 }, picture.shape)
    assert.same({ 0x44, 0x01, 0x54 }, picture:select(2, 1):select(2, 1):totable())
    assert.same({ 0xFD, 0xE7, 0x25 }, picture:select(2, 60):select(2, 100):totable())
  end)

  it("copes with nothing, equal and missing values", function()
    sound(plot.heatmap { values = {} })
    sound(plot.heatmap { values = { { 5, 5 } } }, "5")
    local figure = sound(plot.heatmap { values = { { nan, 1 }, { 2, inf } } }, "1", "2")
    assert.equal(0xE4E7EBFF, mark(figure, "rectangle").fill)
    sound(plot.heatmap { values = { { 1e-4, 1 } }, color_scale = "log", annotate = false, colorbar = true })
    sound(plot.heatmap { values = { { -1, 1 } }, limits = { -2, 2 }, colormap = "coolwarm" }, "−1")
    refuses("values[1] has 2 values but values[2] has 1", "heatmap", { values = { { 1, 2 }, { 1 } } })
    refuses("values must be a tensor (R, C) or a list of rows, got a tensor (3)", "heatmap", { values = perilune.ones(3) })
    refuses("rows has 1 entries, but there are 2", "heatmap", { values = { { 1 }, { 2 } }, rows = { "a" } })
    refuses("heatmap: format", "heatmap", { values = { { 1 } }, format = "%d %d" })
  end)
end)

describe("image_grid", function()
  it("shows each picture with its caption", function()
    local figure = sound(plot.image_grid { images = perilune.rand(5, 1, 4, 3), captions = { "a", "b", "c", "d", "e" },
      columns = 3, title = "five", row_names = { "r1", "r2" }, column_names = { "x", "y", "z" } },
      "a", "e", "five", "r2", "z")
    local images = support.commands(figure, "image")
    assert.equal(5, #images)
    assert.equal(images[1].y, images[3].y)
    assert.equal(images[1].x, images[4].x)
    assert.is_true(images[4].y > images[1].y)
    assert.near(4 / 3, images[1].height / images[1].width, 1e-9)
    assert.is_false(images[1].smooth)
  end)

  it("takes gray and colour, bytes and floats", function()
    for _, images in ipairs { perilune.zeros(2, 3, 4, 4, { dtype = "uint8" }), perilune.rand(2, 4, 4) } do
      sound(plot.image_grid { images = images })
    end
    local figure = plot.image_grid { images = perilune.tensor { { { -1.0, 1.0 } } }, limits = { -1, 1 } }
    local picture = require("perilune.core").formats.loads_png(support.commands(figure, "image")[1].png)
    assert.same({ { { 0, 255 } } }, picture:totable())
    sound(plot.image_grid { images = perilune.zeros(0, 1, 4, 4) })
    sound(plot.image_grid { images = perilune.rand(2, 2, 2), captions = perilune.tensor { 7, 9 } }, "7", "9")
    refuses("images must be a tensor (N, C, H, W) or (N, H, W), got a tensor (4)", "image_grid", { images = perilune.ones(4) })
    refuses("captions has 1 entries, but there are 2", "image_grid", { images = perilune.rand(2, 2, 2), captions = { "a" } })
  end)
end)

describe("subplots", function()
  it("stands figures in a grid, their axes in line", function()
    local a = plot.line { y = { 1, 2 }, title = "first" }
    local b = plot.line { y = { 10000, 20000 }, title = "second" }
    local figure = sound(plot.subplots { a, b, b, columns = 1, title = "both" }, "first", "second", "both", "20,000")
    local clips = support.commands(figure, "clip")
    assert.equal(3, #clips)
    assert.near(clips[1].x, clips[2].x, 1e-9)
    assert.near(clips[1].width, clips[2].width, 1e-9)
    assert.is_true(clips[1].y + clips[1].height < clips[2].y)
    assert.same({ 440, 1020 }, { figure.width, figure.height })
  end)

  it("takes every kind, and itself", function()
    local inner = plot.subplots { plot.bar { values = { 1 } }, plot.histogram { x = { 1, 2 } } }
    sound(plot.subplots { inner, plot.heatmap { values = { { 1 } } }, plot.image_grid { images = perilune.rand(2, 2, 2) },
      plot.scatter { x = { 1 }, y = { 1 }, label = { "a" } }, title = "all", width = 1200 }, "all", "a")
    assert.same({ 880, 680 }, { plot.subplots({ inner, inner, inner, inner }).width,
      plot.subplots({ figures = { inner, inner, inner, inner } }).height })
    refuses("figure 1 is 3, not a figure", "subplots", { 3 })
    refuses("there are no figures", "subplots", {})
    refuses("unknown option 'rows'; known: figures, columns", "subplots", { inner, rows = 2 })
  end)
end)

describe("parallel_coordinates", function()
  local function trials(given)
    given.axes = given.axes or { { name = "lr", values = { 1e-4, 1e-3, 1e-2 }, scale = "log" },
      { name = "optimizer", values = { "SGD", "Adam", "SGD" }, scale = "category" },
      { name = "loss", values = perilune.tensor { 3.0, 1.0, 2.0 } } }
    return plot.parallel_coordinates(given)
  end

  local function across(figure)          -- the lines that cross all axes
    local found = {}
    for _, line in ipairs(support.commands(figure, "line")) do
      if #line.points == 6 then found[#found + 1] = line end
    end
    return found
  end

  it("draws a line across all axes for each sample, the best last", function()
    local figure = sound(trials { color = { 3, 1, 2 }, color_label = "loss", title = "Trials" },
      "lr", "optimizer", "loss", "Adam", "SGD", "10⁻³", "Trials")
    local lines = across(figure)
    assert.equal(3, #lines)
    assert.equal(0x44015400, lines[3].stroke & ~0xFF)        -- loss 1, the low end of viridis
    assert.equal(0xFDE72500, lines[1].stroke & ~0xFF)
    assert.is_true((lines[3].stroke & 0xFF) > (lines[1].stroke & 0xFF))
    local low, middle, high = lines[1].points, lines[3].points, lines[2].points      -- lr 1e-4, 1e-3, 1e-2
    assert.near(low[2] - middle[2], middle[2] - high[2], 1e-6)
    assert.equal(low[4], high[4])
    assert.is_true(middle[4] > low[4])                       -- Adam below SGD
    local last = across(trials { color = { 3, 1, 2 }, best = "high" })[3]
    assert.equal(0xFDE72500, last.stroke & ~0xFF)
  end)

  it("ends a line at a value that is not finite", function()
    local figure = sound(trials { axes = { { values = { 1, 2 } }, { values = { 1, 2 } }, { values = { nan, 3 } } } }, "1", "2", "3")
    assert.equal(1, #across(figure))
    sound(trials { axes = { { values = {} }, { values = {} } } })
    sound(trials { axes = { { values = { 5 } }, { values = { true }, scale = "category" } }, color = { nan } }, "true")
  end)

  it("refuses what does not fit together", function()
    refuses("there must be at least two axes", "parallel_coordinates", { axes = { { values = { 1 } } } })
    refuses("option axes is missing", "parallel_coordinates", {})
    refuses("1 has 1 values but 2 has 2", "parallel_coordinates", { axes = { { values = { 1 } }, { values = { 1, 2 } } } })
    refuses("lr has the value \"b\", which is not among its choices", "parallel_coordinates",
      { axes = { { name = "lr", values = { "b" }, scale = "category", choices = { "a" } }, { values = { 1 } } } })
    refuses("a logarithmic lr axis needs values above 0", "parallel_coordinates",
      { axes = { { name = "lr", values = { 0 }, scale = "log" }, { values = { 1 } } } })
  end)
end)

describe("image_scatter", function()
  it("shows the first of those that would overlap, in the colour of its class", function()
    local images = perilune.zeros(4, 1, 2, 2)
    images[1] = 1
    local figure = sound(plot.image_scatter { x = { 0, 0.001, 1, nan }, y = { 0, 0, 1, 0 }, images = images,
      label = { 2, 2, 1, 1 }, names = { "a", "b" }, size = 30 }, "a", "b")
    local shown = support.commands(figure, "image")
    assert.equal(2, #shown)
    assert.same({ 30, 30 }, { shown[1].width, shown[1].height })
    local picture = require("perilune.core").formats.loads_png(shown[1].png)
    assert.same({ 0xE6, 0x9F, 0x00, 255 }, picture:select(2, 1):select(2, 1):totable())
    picture = require("perilune.core").formats.loads_png(shown[2].png)
    assert.equal(0, picture[4][1][1]:item())                 -- black is paper
    assert.equal(3, #mark(figure, "dots").x)
  end)

  it("keeps all pictures apart, and as close as they may be", function()
    perilune.manual_seed(1)
    local x, y = perilune.rand(400), perilune.rand(400)
    local figure = plot.image_scatter { x = x, y = y, images = perilune.rand(400, 3, 2, 4), size = 40, spacing = 0.5,
      points = false }
    local shown = support.commands(figure, "image")
    assert.is_true(#shown > 50 and #shown < 400)
    assert.near(2, shown[1].width / shown[1].height, 1e-9)
    for i = 1, #shown do
      for k = 1, i - 1 do
        assert.is_true(math.abs(shown[i].x - shown[k].x) >= 20 or math.abs(shown[i].y - shown[k].y) >= 20)
      end
    end
    assert.equal(0, #support.commands(figure, "dots"))
  end)

  it("copes with nothing and refuses what does not fit together", function()
    sound(plot.image_scatter { x = {}, y = {}, images = perilune.zeros(0, 2, 2) }, "no data")
    refuses("x has 1 values but images has 2", "image_scatter", { x = { 1 }, y = { 1 }, images = perilune.ones(2, 2, 2) })
    refuses("images must be a tensor (N, C, H, W)", "image_scatter", { x = { 1 }, y = { 1 }, images = { 1 } })
    refuses("option images is missing", "image_scatter", { x = { 1 }, y = { 1 } })
  end)
end)

describe("contour", function()
  local function contour(given)
    given.width, given.height = 240, 180
    return plot.contour(given)
  end

  it("finds level lines where the surface has that height", function()
    local at = require("perilune.plot.level_lines").at
    local lines = at({ { 0, 0, 0 }, { 0, 4, 0 }, { 0, 0, 0 } }, 1)      -- a diamond, a quarter of the way up
    assert.equal(1, #lines)
    assert.equal(5, #lines[1])
    assert.same(lines[1][1], lines[1][5])
    for _, point in ipairs(lines[1]) do
      assert.near(0.75, math.abs(point[1] - 2) + math.abs(point[2] - 2), 1e-12)
    end
    lines = at({ { 0, 1, 2 }, { 0, 1, 2 }, { 0, 1, 2 } }, 0.5)
    assert.equal(1, #lines)
    assert.same({ 1.5, 1.5, 1.5 }, { lines[1][1][1], lines[1][2][1], lines[1][3][1] })
    assert.equal(2, #at({ { 1, 0 }, { 0, 1 } }, 0.5))        -- a saddle
    assert.equal(0, #at({ { 0, nan }, { 1, 1 } }, 0.5))
    assert.equal(0, #at({ { 0, 0 } }, 0.5))
  end)

  it("fills steps between its levels, the first row at the lowest y", function()
    local figure = sound(contour { x = { 1, 2, 3 }, y = { 10, 20 }, values = { { 0, 0, 0 }, { 4, 4, 4 } }, levels = { 2 },
      points = { x = { 2 }, y = { 15 } }, color_label = "height" }, "height", "10", "20")
    local inner, image = support.inner(figure), mark(figure, "image")
    local picture = require("perilune.core").formats.loads_png(image.png)
    local height = picture.shape[2]
    assert.near(inner.height - 8, image.height, 1e-6)
    local function color(row) return picture:select(2, row):select(2, 1):totable() end
    assert.same(color(1), color(height // 2 - 2))
    assert.same(color(height), color(height // 2 + 3))
    assert.is_true(color(1)[2] > color(height)[2])           -- viridis is greener where it is high
    local line = mark(figure, "line").points
    assert.near(inner.y + inner.height / 2, line[2], 1e-6)
    assert.near(line[2], mark(figure, "dots").y[1], 1e-6)
  end)

  it("takes logarithmic axes, lines alone, missing values and little data", function()
    local rows = perilune.rand(8, 9)
    local x = {}
    for i = 1, 9 do x[i] = 10 ^ (i - 5) end
    sound(contour { x = x, y = perilune.arange(1, 8), values = rows, xscale = "log" }, "10⁻⁴", "10⁴")
    sound(contour { x = x, y = perilune.arange(1, 8), values = rows + 0.1, filled = false, color_scale = "log", levels = 5 })
    local even = contour { x = { 1, 2 }, y = { 1, 2 }, values = { { 1, 1e6 }, { 1, 1e6 } }, color_scale = "log", levels = 5 }
    assert.equal(5, count(even, "line"))
    sound(contour { x = { 1, 2, 3 }, y = { 1, 2 }, values = { { 1, 2, nan }, { 2, 3, 4 } } })
    sound(contour { x = { 1, 2 }, y = { 1, 2 }, values = { { 7, 7 }, { 7, 7 } } })
    sound(contour { x = { 1 }, y = { 1 }, values = { { 7 } } })
    refuses("x must be finite and ascending, but x[2] is 1", "contour", { x = { 1, 1 }, y = { 1 }, values = { { 1, 2 } } })
    refuses("x has 1 values but a row of values has 2", "contour", { x = { 1 }, y = { 1 }, values = { { 1, 2 } } })
    refuses("option values is missing", "contour", { x = { 1 }, y = { 1 } })
    refuses("option levels must be an integer of at least 2", "contour",
      { x = { 1, 2 }, y = { 1, 2 }, values = { { 1, 2 }, { 3, 4 } }, levels = 1 })
  end)
end)

describe("points on a contour", function()
  it("have the colours of their classes, with a legend, and a unit may be as long on both axes", function()
    local figure = sound(plot.contour { x = { 0, 4 }, y = { 0, 2 }, values = { { 1, 2 }, { 3, 4 } }, equal = true,
      points = { x = { 1, 2, 3 }, y = { 1, 1, 1 }, label = { 2, 1, 2 }, names = { "one", "two" } } }, "one", "two")
    local dots = mark(figure, "dots")
    assert.is_true(dots.colors[1] == dots.colors[3] and dots.colors[1] ~= dots.colors[2])
    local image = mark(figure, "image")
    assert.near(2, image.width / image.height, 1e-6)
    refuses("contour: points: x has 1 values but label has 2", "contour", { x = { 1, 2 }, y = { 1, 2 },
      values = { { 1, 2 }, { 3, 4 } }, points = { x = { 1 }, y = { 1 }, label = { 1, 2 } } })
  end)
end)

describe("regions", function()
  local function regions(given)
    given.x, given.y, given.values = { 0, 1, 2 }, { 0, 1 }, given.values or { { 1, 3, 3 }, { 1, 1, 2 } }
    return plot.regions(given)
  end

  it("have the pale colours of classes and none between them; points have the full ones", function()
    local figure = sound(regions { names = { "one", "two", "three" }, equal = true,
      points = { x = { 0, 1 }, y = { 0, 0 }, label = perilune.tensor { 1, 3 } } }, "one", "two", "three")
    local image, dots = mark(figure, "image"), mark(figure, "dots")
    assert.near(2, image.width / image.height, 1e-6)
    local picture = require("perilune.core").formats.loads_png(image.png):to("int64")
    local height, width = picture.shape[2], picture.shape[3]
    local function at(row, column) return table.concat(picture:select(2, row):select(2, column):totable(), " ") end
    assert.same({ at(height, 1), at(height, 1), at(height, width) },
      { at(1, 1), at(1, width // 2), at(height, width // 2) })
    local seen, n = {}, 0
    for row = 1, height, 3 do
      for column = 1, width, 3 do
        if not seen[at(row, column)] then seen[at(row, column)], n = true, n + 1 end
      end
    end
    assert.equal(3, n)
    assert.is_true(dots.colors[1] ~= dots.colors[2])
    assert.equal(0, count(figure, "line"))
  end)

  it("take points without classes and refuse what is no class", function()
    sound(regions { points = { x = { 1 }, y = { 1 } } }, "1", "2", "3")
    refuses("row 1 of values must be classes, integers, but the value at 2 is 1.5", "regions",
      { x = { 0, 1 }, y = { 0 }, values = { { 1, 1.5 } } })
    refuses("points.x has 1 values but points.label has 2", "regions", { x = { 0, 1 }, y = { 0 }, values = { { 1, 1 } },
      points = { x = { 1 }, y = { 1 }, label = { 1, 2 } } })
    refuses("option y is missing", "regions", { x = { 1 }, values = { { 1 } } })
  end)
end)

describe("timeline", function()
  it("draws each span from its start to its end, the first lane on top", function()
    local figure = sound(plot.timeline { start = { 0, 2, 3, nan }, length = { 1, 2, 1, 1 }, xlabel = "seconds",
      lane = { "a", "b", "a", "b" }, label = { "complete", "pruned", "complete", "complete" } },
      "a", "b", "complete", "pruned", "seconds")
    local spans = support.marks(figure)
    assert.equal(3, #spans)
    assert.near(2 * spans[1].width, spans[2].width, 1e-6)
    assert.near(spans[1].x + 2 * spans[1].width, spans[2].x, 1e-6)
    assert.equal(spans[1].y, spans[3].y)
    assert.is_true(spans[1].y < spans[2].y)
    assert.is_true(spans[1].fill == spans[3].fill and spans[1].fill ~= spans[2].fill)
  end)

  it("copes with lanes by number, with nothing and refuses what does not fit together", function()
    sound(plot.timeline { start = perilune.arange(1, 200), length = perilune.ones(200) })
    sound(plot.timeline { start = { 1, 2 }, length = { 1, 1 }, lane = { 1, 2 } }, "1", "2")
    sound(plot.timeline { start = {}, length = {} }, "no data")
    refuses("start has 1 values but length has 2", "timeline", { start = { 1 }, length = { 1, 2 } })
    refuses("start has 1 values but lane has 2", "timeline", { start = { 1 }, length = { 1 }, lane = { 1, 2 } })
  end)
end)
