-- The pictures of studies: what stands in them, and which studies cannot be shown.
local perilune = require "perilune"
local support = require "plot.support"
local study = perilune.study
local visualization = study.visualization

local STATES <const> = { "COMPLETE", "COMPLETE", "PRUNED", "COMPLETE", "FAIL", "COMPLETE" }

-- Six trials of four parameters, of which one is asked for only sometimes.
local function search()
  local found = study.create { study_name = "six trials", sampler = study.samplers.Random { seed = 3 } }
  for number = 0, 5 do
    local trial = found:ask()
    local x, lr = trial:suggest_float("x", -1, 1), trial:suggest_float("lr", 1e-5, 1e-1, { log = true })
    local kind = trial:suggest_categorical("kind", { "Adam", "SGD" })
    if kind == "SGD" then trial:suggest_float("momentum", 0, 1) end
    for step = 1, 3 do trial:report(x * x / step + lr, step) end
    local state = STATES[number + 1]
    found:tell(trial, state == "COMPLETE" and x * x + lr or nil, { state = state })
  end
  return found
end

-- Five trials of n parameters.
local function grown(n)
  local found = study.create { sampler = study.samplers.Random { seed = 1 } }
  for number = 1, 5 do
    local trial = found:ask()
    for i = 1, n do trial:suggest_float("p" .. i, 0, 1) end
    found:tell(trial, number)
  end
  return found
end

local function contains(figure, ...)
  local svg = figure:svg()
  for _, text in ipairs { ... } do
    assert.is_truthy(svg:find(text, 1, true), ("no %q in %s"):format(text, tostring(figure)))
  end
  return svg
end

local function count(svg, pattern) return select(2, svg:gsub(pattern, "")) end

describe("visualization", function()
  it("shows the history and its best values", function()
    contains(visualization.optimization_history(search()), "six trials", "objective value", "best value", "trial")
    local figure = visualization.optimization_history(search(), { target = function(trial) return trial.params.x end,
      target_name = "x itself" })
    assert.is_nil(contains(figure, "x itself"):find("best value", 1, true))
  end)

  it("tells pruned trials from others by their intermediate values", function()
    local svg = contains(visualization.intermediate_values(search()), "complete (4)", "pruned (1)", "fail (1)")
    assert.is_true(count(svg, "stroke%-dasharray") >= 2)
  end)

  it("has a panel for each parameter in slice, for each two in contour and rank", function()
    contains(visualization.slice(search()), "x", "lr", "kind", "momentum", "Adam", "SGD", "objective value")
    for _, name in ipairs { "contour", "rank" } do
      local figure = visualization[name](search(), { params = { "x", "lr", "kind" } })
      local svg = contains(figure, "x", "lr", "kind", "Adam")
      assert.equal(3, count(svg, '<g stroke="[^"]*" stroke%-width="1">%s*<circle'), name)   -- outlined: some are white
      assert.equal(3, #figure.panel.panels)
    end
  end)

  it("has one colour bar for a grid of panels, which are equally wide in every row", function()
    local page = visualization.contour(grown(4)).panel
    assert.is_truthy(page.colorbar)
    for _, panel in ipairs(page.panels) do assert.is_nil(panel.colorbar) end
    for _, name in ipairs { "slice", "rank" } do
      local figure = visualization[name](grown(4), { title = "t" })
      local lefts, widths = {}, {}
      for _, clip in ipairs(support.commands(figure, "clip")) do
        lefts[math.floor(clip.x)], widths[#widths + 1] = true, clip.width
      end
      local columns = 0
      for _ in pairs(lefts) do columns = columns + 1 end
      assert.equal(3, columns, name)
      assert.is_true(math.max(table.unpack(widths)) < 1.15 * math.min(table.unpack(widths)), name)
      local bars = 0
      for _, image in ipairs(support.commands(figure, "image")) do bars = bars + (image.width == 12 and 1 or 0) end
      assert.equal(1, bars, name)
      assert.is_nil(support.clash(figure), name)
    end
  end)

  it("runs lines across the axes of parallel_coordinate, for trials that have all of them", function()
    local figure = visualization.parallel_coordinate(search(), { params = { "lr", "kind" } })
    contains(figure, "objective value", "lr", "kind", "Adam", "SGD")
    assert.equal(4, #figure.panel.axes[1].values)
    local all = visualization.parallel_coordinate(search())
    assert.is_true(#all.panel.axes[1].values < 4)
  end)

  it("has whole numbers on the axes of whole parameters, and a label at each end across parallel_coordinate", function()
    local found = study.create { sampler = study.samplers.Random { seed = 1 } }
    for number = 1, 2 do
      found:enqueue_trial { depth = number + 9, batch = number * 32 - 16, lr = number == 1 and 2e-4 or 0.05 }
      local trial = found:ask()
      trial:suggest_int("depth", 10, 11)
      trial:suggest_int("batch", 16, 64)
      trial:suggest_float("lr", 1e-4, 1e-1, { log = true })
      found:tell(trial, number)
    end
    for _, name in ipairs { "slice", "contour", "rank", "parallel_coordinate" } do
      local texts = support.texts(visualization[name](found, { params = { "depth", "batch" } }))
      assert.is_true(texts["10"] and texts["11"], name)
      for text in pairs(texts) do assert.is_nil(text:find("^1[01]%."), name .. ": " .. text) end
    end
    local figure = visualization.parallel_coordinate(found)
    local texts = support.texts(figure)
    for _, text in ipairs { "10", "50", "10⁻⁴", "10⁻¹" } do assert.is_true(texts[text], text) end
    for _, one in ipairs(figure.panel.axes) do
      local places = one.scale:labels(6)
      assert.near(0, one.scale:position(places[1]), 1e-9)
      assert.near(1, one.scale:position(places[#places]), 1e-9)
    end
  end)

  it("shows the distribution of the values of several studies", function()
    local svg = contains(visualization.edf({ search(), study.create { study_name = "empty" } }), "six trials", "empty")
    assert.is_truthy(svg)
    assert.error_matches(function() visualization.edf {} end, "edf: the list of studies is empty")
  end)

  it("shows when trials ran and how they ended", function()
    local svg = contains(visualization.timeline(search()), "COMPLETE", "PRUNED", "FAIL", "seconds since")
    assert.is_nil(svg:find("RUNNING", 1, true))
  end)

  it("shows the Pareto front of two objectives", function()
    local two = study.create { directions = { "minimize", "maximize" } }
    for i = 1, 5 do two:tell(two:ask(), { i, i % 3 }) end
    contains(visualization.pareto_front(two, { target_names = { "cost", "gain" } }), "cost", "gain", "best trial")
    assert.error_matches(function() visualization.pareto_front(search()) end,
      "pareto_front: two objectives can be shown, the study has 1")
    assert.error_matches(function() visualization.optimization_history(two) end, "say which one: target = function")
  end)

  it("ranks parameters by their importance", function()
    contains(visualization.param_importances(search(), { params = { "x", "lr" } }), "importance", "x", "lr")
  end)

  it("says so where a study has no trials to show", function()
    local empty = study.create { study_name = "empty" }
    local words = { intermediate_values = "no intermediate values", timeline = "no trials" }
    for name, picture in pairs(visualization) do
      if name ~= "pareto_front" then contains(picture(empty), words[name] or "no completed trials", "empty") end
    end
    contains(visualization.pareto_front(study.create { directions = { "minimize", "minimize" } }), "no completed trials")
    contains(visualization.slice(grown(0)), "no parameters")
    contains(visualization.parallel_coordinate(grown(0)), "no parameters")
    assert.error_matches(function() visualization.contour(grown(1)) end, "contour: it takes two parameters")
  end)

  it("shows values and parameters at the ends of what a float can be", function()
    local extreme = study.create { sampler = study.samplers.Random { seed = 1 } }
    for i = 0, 7 do
      local trial = extreme:ask()
      trial:suggest_float("x", 1e-300, 1e300, { log = true })
      trial:suggest_float("y", -1e308, 1e307)
      extreme:tell(trial, i % 4 == 3 and math.huge or i * 1e305)
    end
    for _, name in ipairs { "optimization_history", "slice", "contour", "rank", "edf", "parallel_coordinate" } do
      assert.is_true(#visualization[name](extreme):svg() > 1000, name)
    end
  end)

  it("says what is wrong", function()
    assert.error_matches(function() visualization.slice(3) end, "slice: the first argument must be a study, got 3")
    assert.error_matches(function() visualization.slice(search(), { params = { "y" } }) end,
      "slice: no trial has the parameter \"?y\"?; there are: kind, lr, momentum, x")
    assert.error_matches(function() visualization.rank(search(), { target = 3 }) end, "target must be a function")
    assert.is_nil(visualization.nothing)
  end)
end)
