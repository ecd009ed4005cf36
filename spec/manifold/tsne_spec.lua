-- perilune.manifold.TSNE and its stages, against the formulas in float64 (spec/reference/tsne.py).
local perilune = require "perilune"
local core = require "perilune.core"
local compare = require "support.close"
local stages, TSNE = core.manifold, perilune.manifold.TSNE

local reference = assert(perilune.load("spec/reference/tsne.safetensors", { flat = true }))

local function assert_close(actual, expected, what, tolerance)
  assert.are.same(expected.shape, actual.shape, what)
  local message = compare.differs(what, actual:flatten():totable(), expected:flatten():totable(), { expected:numel() },
    tolerance)
  assert.is_nil(message)
end

local function fails(pattern, f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  assert.matches(pattern, message)
end

-- The sparse affinities as a full matrix.
local function dense(affinities, n)
  local row, column, value = stages.entries(affinities)
  local p = perilune.zeros(n * n)
  return p:scatter_add(1, (row - 1) * n + column, value):view(n, n)
end

-- The pull of all edges.
local function attraction_of(affinities, y) return (stages.attraction(stages.springs(affinities, 1), y)) end

-- The relative error of a force, and of its sum of q.
local function errors(force, q_sum, exact, exact_sum)
  return ((force - exact):norm() / exact:norm()):item(), math.abs(q_sum / exact_sum - 1)
end

-- Three clouds far from each other, so that a map can be judged.
local function clouds(n, d)
  perilune.manual_seed(7)
  local label = perilune.arange(1, n) % 3 + 1
  local centers = perilune.eye(d):narrow(1, 1, 3) * 12.0
  return perilune.randn(n, d) + centers:index_select(1, label), label
end

-- The part of the points whose nearest neighbour has their label.
local function purity(y, label)
  local index = stages.neighbors(y, y, 1, 1)
  return label:index_select(1, index:flatten()):eq(label):to("float32"):mean():item()
end

describe("the stages of t-SNE", function()
  local x = reference.x

  it("find exact neighbours, the nearest first", function()
    local index, distance = stages.neighbors(x, x, 59, 1)
    assert.is_true(index:eq(reference.order):all():item())
    assert_close(distance, reference.nearest, "distance", 1e-5)
    -- A block of queries, and queries that are no points of x.
    local some, near = stages.neighbors(x, x:narrow(1, 11, 7), 5, 11)
    assert.is_true(some:eq(index:narrow(1, 11, 7):narrow(2, 1, 5)):all():item())
    assert_close(near, distance:narrow(1, 11, 7):narrow(2, 1, 5):contiguous(), "near", 1e-6)
    local own, zero = stages.neighbors(x, x, 1, 0)
    assert.is_true(own:flatten():eq(perilune.arange(1, 60)):all():item())
    assert.is_true(zero:eq(0):all():item())
  end)

  it("find the same neighbours as comparing all pairs, in few and in many dimensions", function()
    perilune.manual_seed(11)
    for _, case in ipairs { { 1, 1, 1 }, { 17, 3, 16 }, { 700, 2, 9 }, { 6000, 2, 3 }, { 700, 16, 90 }, { 700, 17, 5 }, { 700, 70, 30 },
      { 2100, 50, 200 } } do
      local n, d, k = table.unpack(case)
      local points = perilune.randn(n, d) * perilune.arange(1, d):to("float32"):reciprocal()
      local queries = perilune.randn(61, d)
      -- Among many others, so that a block of queries fills a small box and whole blocks of points are left out.
      local index, distance = stages.neighbors(points, perilune.cat { queries, points }, k, 0)
      index, distance = index:narrow(1, 1, 61), distance:narrow(1, 1, 61)
      local all = (queries:unsqueeze(2) - points):square():sum(3)
      local expected, order = all:sort(2)
      assert_close(distance:contiguous(), expected:narrow(2, 1, k):contiguous(), "distance", 1e-5)
      assert.is_true(index:eq(order:narrow(2, 1, k)):to("float32"):mean():item() > 0.995)
    end
    local points = perilune.randn(500, 20)
    local prepared = stages.neighbor_index(points)
    local one, far = stages.search(prepared, points:narrow(1, 100, 50), 7, 100)
    local other, away = stages.neighbors(points, points, 7, 1)
    assert.is_true(one:eq(other:narrow(1, 100, 50)):all():item())
    assert.is_true(far:eq(away:narrow(1, 100, 50)):all():item())
    fails("have 20 features", stages.search, prepared, perilune.zeros(3, 2), 7, 0)
    fails("cannot be found", stages.neighbor_index, perilune.zeros(3, 0))
  end)

  it("prefer the smaller index among equal distances", function()
    local equal = perilune.zeros(40, 3)
    local index = stages.neighbors(equal, equal, 4, 1)
    assert.are.same({ 2, 3, 4, 5 }, index[1]:totable())
    assert.are.same({ 1, 2, 3, 4 }, index[40]:totable())
  end)

  it("find the wanted perplexity", function()
    local p = stages.perplexity(reference.nearest, 10)
    assert_close(p, reference.p_conditional:to("float32"), "p", 2e-4)
    assert_close(p:sum(2), perilune.ones(60), "sum", 1e-5)
    -- Equal distances leave no choice.
    assert_close(stages.perplexity(perilune.ones(2, 8), 3), perilune.full({ 2, 8 }, 0.125), "equal", 1e-6)
    -- Huge and tiny scales, and a nearest neighbour at no distance.
    for _, scale in ipairs { 1e-20, 1e20 } do
      local scaled = stages.perplexity(reference.nearest * scale, 10)
      assert.is_true(scaled:isfinite():all():item())
      assert_close(scaled, p, "scaled", 1e-3)
    end
  end)

  it("make them symmetric", function()
    local affinities = stages.affinities(reference.order, stages.perplexity(reference.nearest, 10))
    local p = dense(affinities, 60)
    assert_close(p, reference.p:to("float32"), "p", 2e-4)
    assert.is_true(p:eq(p:t()):all():item())
    assert_close(p:sum(), perilune.tensor(1.0), "sum", 1e-5)
    fails("a neighbour is 61", stages.affinities, reference.order + 1, reference.nearest)
    fails("index is", stages.affinities, reference.order, reference.nearest:narrow(1, 1, 3))
  end)

  for m = 2, 3 do
    it(("compute both forces and the divergence in %d dimensions; angle 0 is exact"):format(m), function()
      local y = reference["y" .. m]
      local affinities = stages.affinities(reference.order, stages.perplexity(reference.nearest, 10))
      assert_close(attraction_of(affinities, y), reference["attraction" .. m]:to("float32"), "attraction", 1e-3)
      local repulsion, q_sum = stages.repulsion(y, 0)
      assert_close(repulsion, reference["repulsion" .. m]:to("float32"), "repulsion", 1e-5)
      assert.is_true(math.abs(q_sum / reference["q_sum" .. m]:item() - 1) < 1e-6)
      local divergence = stages.divergence(affinities, y, q_sum)
      assert.is_true(math.abs(divergence / reference["divergence" .. m]:item() - 1) < 1e-4)
    end)

    it(("give the gradient of the divergence in %d dimensions"):format(m), function()
      local y = reference["y" .. m]
      local affinities = stages.affinities(reference.order, stages.perplexity(reference.nearest, 10))
      local function divergence_at(map)
        local _, q_sum = stages.repulsion(map, 0)
        return stages.divergence(affinities, map, q_sum)
      end
      local repulsion, q_sum = stages.repulsion(y, 0)
      local gradient = (attraction_of(affinities, y) - repulsion / q_sum) * 4
      for _, at in ipairs { { 1, 1 }, { 17, 2 }, { 60, m } } do
        local step, there, back = 1 / 256, y:clone(), y:clone()
        there[at] = y[at]:item() + step
        back[at] = y[at]:item() - step
        local difference = (divergence_at(there) - divergence_at(back)) / (2 * step)
        local found = gradient[at]:item()
        assert.is_true(math.abs(difference - found) < 2e-4, ("%g %g"):format(difference, found))
      end
    end)

    it(("approach the exact forces as the angle shrinks, in %d dimensions"):format(m), function()
      perilune.manual_seed(3)
      local y = perilune.randn(3000, m) * 10
      local exact, exact_sum = stages.repulsion(y, 0)
      local last = math.huge
      for _, case in ipairs { { 1.0, 0.2 }, { 0.5, 0.03 }, { 0.2, 0.005 } } do
        local near, near_sum = stages.repulsion(y, case[1])
        local off = ((near - exact):norm() / exact:norm()):item()
        assert.is_true(off < case[2] and off < last, ("angle %g: off by %g"):format(case[1], off))
        assert.is_true(math.abs(near_sum / exact_sum - 1) < case[2])
        last = off
      end
    end)
  end

  it("put points that are near each other side by side", function()
    perilune.manual_seed(3)
    local points = perilune.randn(1000, 5)
    local order = stages.order(points)
    assert.is_true(order:sort():eq(perilune.arange(1, 1000)):all():item())
    local function hop(rows) return (rows:narrow(1, 2, 999) - rows:narrow(1, 1, 999)):square():sum(2):mean():item() end
    assert.is_true(hop(points:index_select(1, order)) < 0.6 * hop(points))
    assert.are.same({ 1 }, stages.order(perilune.ones(1, 3)):totable())
    assert.is_true(stages.order(perilune.ones(100, 2)):sort():eq(perilune.arange(1, 100)):all():item())
  end)

  it("part the edges into strong and weak ones that pull as they all do", function()
    local affinities = stages.affinities(reference.order, stages.perplexity(reference.nearest, 10))
    for m = 2, 3 do
      local y = reference["y" .. m]
      for _, share in ipairs { 0, 0.3, 1 } do
        local strong, weak = stages.springs(affinities, share)
        local both = stages.attraction(strong, y, stages.attraction(weak, y))
        assert_close(both, reference["attraction" .. m]:to("float32"), "attraction", 1e-3)
      end
    end
    -- A point at no distance but from those that one row's largest p point at.
    local index = perilune.tensor { { 2, 3, 4, 5 }, { 1, 3, 4, 5 }, { 1, 2, 4, 5 }, { 1, 2, 3, 5 }, { 1, 2, 3, 4 } }
    local p = perilune.tensor { { 0.1, 0.4, 0.2, 0.3 } }:expand(5, 4):contiguous()
    local weights = dense(stages.affinities(index, p), 5)
    local strong = stages.springs(stages.affinities(index, p), 0.5)
    for i = 1, 5 do
      -- Unit distances in turn: the pull of j on i shows whether the edge is there.
      local here = {}
      for j = 1, 5 do
        local y = perilune.zeros(5, 2)
        y[{ j, 1 }] = -1
        here[j] = j ~= i and stages.attraction(strong, y)[{ i, 1 }]:item() or 0.0
      end
      local row = weights[i]:totable()
      local order = { 1, 2, 3, 4, 5 }
      table.sort(order, function(a, b) return row[a] > row[b] or (row[a] == row[b] and a < b) end)
      for rank, j in ipairs(order) do
        local expected = rank <= 2 and row[j] / 2 or 0.0
        assert.is_true(math.abs(here[j] - expected) < 1e-6, ("%d %d: %g %g"):format(i, j, here[j], expected))
      end
    end
    fails("share is 2", stages.springs, affinities, 2)
    fails("rest is", stages.attraction, strong, perilune.zeros(5, 2), perilune.zeros(5, 3))
  end)

  it("keep a tree whose series is far more exact than its cells' means", function()
    perilune.manual_seed(3)
    for _, n in ipairs { 1, 2, 17, 3000 } do
      local y = perilune.randn(n, 2) * 10
      local exact, exact_sum = stages.repulsion(y, 0)
      local zero, zero_sum = stages.field_repulsion(stages.field(n), y, 0, true)
      assert_close(zero, exact, "angle 0", 1e-4)
      assert.is_true(math.abs(zero_sum - exact_sum) <= 1e-5 * exact_sum)
    end
    for _, scale in ipairs { 1e-3, 1, 10, 40 } do
      local y = perilune.randn(3000, 2) * scale
      local exact, exact_sum = stages.repulsion(y, 0)
      local plain = errors(stages.repulsion(y, 0.5), 1, exact, 1)
      for _, case in ipairs { { 0.5, 0.04 }, { 0.3, 0.004 }, { 0.2, 0.001 } } do
        local force, q_sum = stages.field_repulsion(stages.field(3000), y, case[1], true)
        local off, sum_off = errors(force, q_sum, exact, exact_sum)
        assert.is_true(off < case[2] and (case[1] > 0.3 or off < plain or off < 1e-5),
          ("scale %g angle %g: off by %g"):format(scale, case[1], off))
        assert.is_true(sum_off < case[2], ("scale %g angle %g: sum off by %g"):format(scale, case[1], sum_off))
      end
    end
  end)

  it("know how far the points of a cell spread, and in which direction", function()
    perilune.manual_seed(6)
    local along = perilune.cat({ perilune.randn(3000, 1) * 30, perilune.randn(3000, 1) }, 2)
    local turn = math.sqrt(0.5)
    for _, axes in ipairs { { { 1.0, 0 }, { 0, 1 } }, { { turn, turn }, { -turn, turn } }, { { turn, -turn }, { turn, turn } } } do
      local y = along:matmul(perilune.tensor(axes)):contiguous()
      local exact, exact_sum = stages.repulsion(y, 0)
      local off, sum_off = errors(exact, exact_sum, stages.field_repulsion(stages.field(3000), y, 0.4, true))
      assert.is_true(off < 0.01 and sum_off < 0.0008, ("off by %g, %g"):format(off, sum_off))
    end
  end)

  it("stay near when the points move on and the tree is kept", function()
    perilune.manual_seed(4)
    local y = perilune.randn(3000, 2) * 10
    local field = stages.field(3000)
    stages.field_repulsion(field, y, 0.5, true)
    -- A little, so that the lists still hold; and so much that no cell is what it was, and the tree is given up.
    for _, case in ipairs { { 0, 0.06 }, { 0.1, 0.07 }, { 0.3, 0.08 }, { 3, 0.06 }, { 60, 0.01 } } do
      local moved = y + perilune.randn(3000, 2) * case[1]
      local exact, exact_sum = stages.repulsion(moved, 0)
      local force, q_sum = stages.field_repulsion(field, moved, 0.5, false)
      local off, sum_off = errors(force, q_sum, exact, exact_sum)
      assert.is_true(off < case[2] and sum_off < case[2], ("moved by %g: off by %g, %g"):format(case[1], off, sum_off))
    end
    fails("the field is for 3000 points", stages.field_repulsion, field, y:narrow(1, 1, 5), 0.5, true)
  end)

  it("stand equal points, and points far apart", function()
    local none, all = stages.field_repulsion(stages.field(100), perilune.ones(100, 2), 0.5, true)
    assert.is_true(none:eq(0):all():item())
    assert.is_true(math.abs(all / (100 * 99) - 1) < 1e-6)
    local two = perilune.cat { perilune.zeros(50, 2), perilune.full({ 50, 2 }, 1e18) }
    local apart, apart_sum = stages.field_repulsion(stages.field(100), two, 0.5, true)
    assert.is_true(apart:isfinite():all():item())
    assert.is_true(math.abs(apart_sum - 2 * 50 * 49) < 1e-2)
    local repulsion, q_sum = stages.repulsion(perilune.ones(100, 2), 0.5)
    assert.is_true(repulsion:eq(0):all():item())
    assert.are.equal(100 * 99, q_sum)
    local y = perilune.cat { perilune.zeros(50, 2), perilune.full({ 50, 2 }, 1e18) }
    local far, far_sum = stages.repulsion(y, 0.5)
    assert.is_true(far:isfinite():all():item())
    assert.is_true(math.abs(far_sum - 2 * 50 * 49) < 1e-3)
    local one, nothing = stages.repulsion(perilune.ones(1, 2), 0.5)
    assert.are.same({ { 0.0, 0.0 } }, one:totable())
    assert.are.equal(0.0, nothing)
  end)

  it("give the same bits for any number of threads", function()
    perilune.manual_seed(5)
    local points, y, before = perilune.randn(3000, 6), perilune.randn(3000, 2), perilune.get_num_threads()
    local results = {}
    for i, threads in ipairs { 1, 3 } do
      perilune.set_num_threads(threads)
      local index, distance = stages.neighbors(points, points, 30, 1)
      local affinities = stages.affinities(index, stages.perplexity(distance, 10))
      local repulsion, q_sum = stages.repulsion(y, 0.5)
      local field = stages.field(3000)
      stages.field_repulsion(field, y, 0.5, true)
      local kept, kept_sum = stages.field_repulsion(field, y * 1.1, 0.5, false)
      results[i] = { attraction_of(affinities, y), kept, perilune.tensor(kept_sum, { dtype = "float64" }), repulsion,
        perilune.tensor(q_sum, { dtype = "float64" }),
        perilune.tensor(stages.divergence(affinities, y, q_sum), { dtype = "float64" }) }
    end
    perilune.set_num_threads(before)
    for k = 1, #results[1] do assert.is_true(results[1][k]:eq(results[2][k]):all():item(), k) end
  end)

  it("leak nothing when memory runs out", function()
    local y, affinities = perilune.ones(60, 2), nil
    local step_options = { exaggeration = 1, learning_rate = 1, momentum = 0, q_sum = 1 }
    local before = perilune.memory().live_tensors
    local calls = {
      function() return stages.neighbors(x, x, 3, 1) end,
      function() return stages.affinities(reference.order, reference.nearest) end,
      function() return stages.repulsion(reference.y2, 0.5) end,
      function() return stages.search(stages.neighbor_index(x), x, 3, 1) end,
      function() return stages.step(y, y:clone(), y:clone(), y, y, step_options) end,
      function() return stages.field_repulsion(stages.field(60), reference.y2, 0.5, true) end,
      function() return stages.springs(affinities, 0.5) end,
      function() return stages.tree(reference.y2) end,
      function() return stages.order(x) end,
      function() return stages.divergence(affinities, reference.y2, 1.0) end,
      function() return stages.entries(affinities) end,
    }
    affinities = stages.affinities(reference.order, reference.nearest)
    for _, call in ipairs(calls) do
      local nth, fine = 0, false
      while not fine do
        nth = nth + 1
        core.debug.fail_allocation(nth)
        fine = pcall(call)
        core.debug.fail_allocation(0)
        assert.is_true(nth < 30)
      end
      assert.is_true(nth > 1)
    end
    collectgarbage()
    collectgarbage()
    assert.are.equal(before, perilune.memory().live_tensors)
  end)
end)

describe("TSNE", function()
  it("keeps clouds apart, in 2 and 3 dimensions, by tree and exactly, by either metric", function()
    local x, label = clouds(150, 6)
    for _, options in ipairs { {}, { n_components = 3 }, { method = "exact" }, { metric = "cosine" }, { init = "random" } } do
      options.perplexity, options.max_iter, options.early_exaggeration_iter, options.random_state = 10, 300, 100, 1
      local tsne = TSNE(options)
      local y = tsne:fit_transform(x)
      assert.are.same({ 150, options.n_components or 2 }, y.shape)
      assert.is_true(y:isfinite():all():item())
      assert.is_true(purity(y, label) > 0.98)
      assert.is_true(tsne.kl_divergence_ > 0 and tsne.kl_divergence_ < 0.8, tsne.kl_divergence_)
      assert.are.equal(300, tsne.n_iter_)
    end
  end)

  it("loses nothing by its approximations", function()
    local x = clouds(300, 8)
    local function made(options)
      options.perplexity, options.max_iter, options.early_exaggeration_iter = 10, 250, 100
      return TSNE(options):fit(x).kl_divergence_
    end
    local plain = made { expansion = 0, tree_every = 1, weak_every = 1, angle = 0.2 }
    for _, options in ipairs { {}, { tree_every = 1, weak_from = 0 }, { n_components = 3 } } do
      local kl = made(options)
      assert.is_true(kl < 1.2 * plain, ("KL %g, plain %g"):format(kl, plain))
    end
  end)

  it("gives the map in the order of the points", function()
    local x = clouds(150, 6)
    local shuffled = perilune.randperm(150)
    local options = { perplexity = 10, max_iter = 5, learning_rate = 1, init = perilune.randn(150, 2) }
    local y = TSNE(options):fit_transform(x)
    options.init = options.init:index_select(1, shuffled)
    local other = TSNE(options):fit_transform(x:index_select(1, shuffled))
    assert_close(other, y:index_select(1, shuffled), "map", 1e-3)
    local seen
    options.callbacks, options.callbacks_every_iters = function(_, _, map) seen = map:clone() end, 5
    assert.is_true(TSNE(options):fit_transform(x):eq(seen):all():item())
  end)

  it("places new points among their like in a fitted map, each for itself", function()
    local x, label = clouds(330, 6)
    for _, options in ipairs { {}, { n_components = 3 }, { metric = "cosine" } } do
      options.perplexity, options.max_iter, options.early_exaggeration_iter = 10, 250, 100
      local tsne = TSNE(options)
      local map = tsne:fit_transform(x:narrow(1, 1, 300))
      local copy = map:clone()
      local new = tsne:transform(x:narrow(1, 301, 30))
      assert.are.same({ 30, options.n_components or 2 }, new.shape)
      local index = stages.neighbors(map, new, 1, 0)
      assert.is_true(label:index_select(1, index:flatten()):eq(label:narrow(1, 301, 30)):all():item())
      assert.is_true(tsne:transform(x:narrow(1, 310, 3)):eq(new:narrow(1, 10, 3)):all():item())
      assert.is_true(map:eq(copy):all():item())
      -- Points that are in the map already come to lie near themselves.
      local again = tsne:transform(x:narrow(1, 1, 50))
      local off = (again - map:narrow(1, 1, 50)):square():sum(2):sqrt():mean():item()
      assert.is_true(off < 0.25 * map:std():item(), off)
      if not options.metric then fails("some points are too far", function() return tsne:transform(x:narrow(1, 1, 2) * 1e25) end) end
    end
  end)

  it("descends the divergence of each new point", function()
    for m = 2, 3 do
      local fitted, y = reference["y" .. m], reference["y" .. m]:narrow(1, 1, 7) + 0.3
      local index, distance = stages.neighbors(reference.x, reference.x:narrow(1, 1, 7), 20, 0)
      local p = stages.perplexity(distance + 1, 6)
      local tree = stages.tree(fitted)
      local found = stages.placement(tree, fitted, index, p, y:contiguous(), { angle = 0, exaggeration = 3 })
      -- In float64: the formula of placement.h.
      local wide, still = y:to("float64"), fitted:to("float64")
      local apart = wide:unsqueeze(2) - still
      local q = 1 / (apart:square():sum(3) + 1)
      local weights = perilune.zeros(7, 60, { dtype = "float64" }):scatter_add(2, index, p:to("float64"))
      local pull = (apart * (weights * q):unsqueeze(3)):sum(2)
      local push = (apart * (q * q):unsqueeze(3)):sum(2) / q:sum(2, { keepdim = true })
      assert_close(found, (pull * 3 - push):to("float32"), "gradient", 1e-5)
      local near = stages.placement(tree, fitted, index, p, y:contiguous(), { angle = 0.5, exaggeration = 3 })
      assert.is_true(((near - found):norm() / found:norm()):item() < 0.03)
      fails("a neighbour is 61", stages.placement, tree, fitted, index + 60, p, y:contiguous(), {})
    end
  end)

  it("does not mind the scale of the points, however large or small", function()
    local x = clouds(60, 4)
    local function run(scale)
      local tsne = TSNE { perplexity = 5, max_iter = 30 }
      local y = tsne:fit_transform(x * 2.0 ^ (scale // 2) * 2.0 ^ (scale - scale // 2))
      return y, tsne:transform(x:narrow(1, 1, 5) * 2.0 ^ (scale // 2) * 2.0 ^ (scale - scale // 2))
    end
    local map, placed = run(0)
    assert.is_true(placed:isfinite():all():item())
    for _, scale in ipairs { 66, 120, -66, -100 } do   -- 2^66 = 7e19: the square is beyond float32
      local other, there = run(scale)
      assert_close(other, map, "map", 1e-3)
      assert_close(there, placed, "placed", 1e-3)
    end
  end)

  it("repeats itself, and leaves the generator of the state alone", function()
    local x = clouds(60, 4)
    local function run()
      return TSNE({ perplexity = 5, max_iter = 50, init = "random", random_state = 4 }):fit_transform(x)
    end
    local state = perilune.get_rng_state()
    local first = run()
    assert.are.same(state, perilune.get_rng_state())
    assert.is_true(first:eq(run()):all():item())
  end)

  it("starts from a tensor, which it leaves alone", function()
    local x = clouds(60, 4)
    local start = perilune.randn(60, 2)
    local copy = start:clone()
    local y = TSNE({ perplexity = 5, max_iter = 1, learning_rate = 1e-6, init = start }):fit_transform(x)
    assert.is_true(start:eq(copy):all():item())
    assert_close(y, start - start:mean(1), "y", 1e-3)
  end)

  it("exaggerates the attraction in its first step", function()
    local start = reference.y2
    local function first_step(exaggeration)
      return TSNE({ perplexity = 10, max_iter = 1, learning_rate = 2, init = start, early_exaggeration = exaggeration,
        angle = 0 }):fit_transform(reference.x)
    end
    local index, distance = stages.neighbors(reference.x, reference.x, 30, 1)
    local affinities = stages.affinities(index, stages.perplexity(distance, 10))
    local repulsion, q_sum = stages.repulsion(start, 0)
    for _, exaggeration in ipairs { 1, 12 } do
      local gradient = attraction_of(affinities, start) * exaggeration - repulsion / q_sum
      local gain = perilune.where(gradient:gt(0), 1.2, 0.8)
      local moved = start - gradient * gain * 2
      assert_close(first_step(exaggeration), moved - moved:mean(1), "exaggeration " .. exaggeration, 1e-5)
    end
  end)

  it("lets callbacks watch and stop it", function()
    local x, seen = clouds(60, 4), {}
    local tsne = TSNE { perplexity = 5, max_iter = 100, callbacks_every_iters = 10, callbacks = function(i, kl, y)
      seen[#seen + 1] = { i, kl, y.shape[1] }
      return i < 30
    end }
    tsne:fit(x)
    assert.are.equal(30, tsne.n_iter_)
    assert.are.equal(3, #seen)
    assert.are.equal(60, seen[1][3])
    assert.is_true(math.abs(seen[3][2] - tsne.kl_divergence_) < 1e-6)
  end)

  it("has a defined result for duplicates and for points that are all equal", function()
    local x = clouds(60, 4)
    local twice = TSNE({ perplexity = 10, max_iter = 150 }):fit_transform(perilune.cat { x, x })
    assert.is_true(twice:isfinite():all():item())
    local same = TSNE({ perplexity = 10, max_iter = 50 }):fit_transform(perilune.ones(50, 4))
    assert.is_true(same:eq(0):all():item())
  end)

  it("has one for two and three points, so far apart that rounding leaves no sum of q", function()
    for n = 2, 3 do
      for _, options in ipairs { {}, { expansion = 0 }, { n_components = 3 }, { method = "exact" } } do
        options.perplexity = 1
        local tsne = TSNE(options):fit(perilune.eye(n))
        assert.is_true(tsne.embedding_:isfinite():all():item(), n)
        assert.is_true(math.abs(tsne.kl_divergence_) < math.huge, tsne.kl_divergence_)
      end
    end
  end)

  it("says that the map flew apart, and keeps the one before", function()
    local x = clouds(60, 4)
    local tsne = TSNE({ perplexity = 5, max_iter = 5 }):fit(x)
    local before = tsne.embedding_
    tsne.learning_rate, tsne.max_iter = 1e30, 100
    fails("tsne_spec.lua:%d+: TSNE: the map flew apart in iteration %d+; learning_rate 1e%+30 is too large", function()
      tsne:fit(x)
    end)
    assert.are.equal(before, tsne.embedding_)
  end)

  it("says what is wrong", function()
    local function fit(options, x) return function() TSNE(options):fit(x) end end
    fails("n_components must be 2 or 3", TSNE, { n_components = 4 })
    fails("perplexity must be 1 or more", TSNE, { perplexity = 0.5 })
    fails("angle must be", TSNE, { angle = -1 })
    fails("metric must be", TSNE, { metric = "manhattan" })
    fails("method must be", TSNE, { method = "fft" })
    fails("learning_rate must be", TSNE, { learning_rate = 0 })
    fails("expansion must be 0 or 3", TSNE, { expansion = 2 })
    fails("tree_every must be an integer of at least 1", TSNE, { tree_every = 0 })
    fails("n_components must be an integer", TSNE, { n_components = 2.5 })
    fails("max_iter must be an integer of at least 1, got 0", TSNE, { max_iter = 0 })
    fails("learning_rate must be", TSNE, { learning_rate = math.huge })
    fails("early_exaggeration must be", TSNE, { early_exaggeration = math.huge })
    fails("callbacks must be a function or a list of them, but 3", TSNE, { callbacks = { print, 3 } })
    fails("strong_share must be in", TSNE, { strong_share = 2 })
    fails("transform comes after fit", function() TSNE({}):transform(perilune.ones(2, 4)) end)
    local fitted = TSNE({ perplexity = 5, max_iter = 1 }):fit(perilune.rand(20, 4))
    fails("transform needs a tensor %(points, 4%)", function() fitted:transform(perilune.ones(2, 3)) end)
    fails("transform: perplexity must be", function() fitted:transform(perilune.ones(2, 4), { max_iter = -1 }) end)
    fails("NaN or infinite", function() fitted:transform(perilune.ones(2, 4) / 0) end)
    fails("unknown option 'perplex'", TSNE, { perplex = 3 })
    fails("perplexity 30 needs more than 1 points", fit({}, perilune.rand(1, 4)))
    fails("perplexity 30 needs more than 30 points", fit({}, perilune.rand(30, 4)))
    fails("%(points, features%)", fit({}, perilune.rand(30)))
    fails("init must be %(50, 2%)", fit({ init = perilune.rand(50, 3) }, perilune.rand(50, 4)))
    local bad = perilune.rand(50, 4)
    bad[{ 3, 2 }] = 0 / 0
    fails("NaN or infinite", fit({}, bad))
    fails("TSNE: .* beyond float32", fit({}, perilune.rand(50, 4, { dtype = "float64" }) * 1e300))
  end)
end)
