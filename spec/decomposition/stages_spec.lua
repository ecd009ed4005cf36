-- perilune.core.decomposition, the stages of PCA in C, against what they are defined as, in float64.
local perilune = require "perilune"
local stages = require("perilune.core").decomposition

-- Sizes on both sides of a panel of 16, of a group of three, of 128 and of 2,048 rows.
local SIZES <const> = { { 1, 1 }, { 2, 5 }, { 7, 16 }, { 127, 17 }, { 130, 50 }, { 2049, 33 }, { 4100, 3 }, { 300, 270 } }

local function random(n, d, dtype)
  if dtype == "uint8" then return perilune.randint(0, 255, { n, d }):to("uint8") end
  return perilune.randn(n, d, { dtype = dtype }) + 100
end

local function largest_difference(a, b) return (a:to("float64") - b:to("float64")):abs():max():item() end

local function upper(t) return perilune.triu(t) end

local function centred(x)
  local wide = x:to("float64")
  local mean = wide:mean(1)
  return wide - mean, mean
end

describe("the stages of PCA:", function()
  before_each(function() perilune.manual_seed(5) end)

  -- Squares of numbers on a grid are rounded in one direction more often than in the other.
  for dtype, tolerance in pairs { float32 = 2e-6, uint8 = 1.5e-5, float64 = 1e-12 } do
    it("moments are the mean and the scatter of the rows, " .. dtype, function()
      for _, size in ipairs(SIZES) do
        local n, d = size[1], size[2]
        local x = random(n, d, dtype)
        local c, expected = centred(x)
        local mean, scatter, trace = stages.moments(x, true)
        local products = c:t():matmul(c)
        local scale = math.max(products:abs():max():item(), 1)
        local what = ("%d x %d"):format(n, d)
        assert.is_true(largest_difference(mean, expected) <= tolerance * 255, what)
        assert.is_true(largest_difference(upper(scatter), upper(products)) <= tolerance * scale, what)
        assert.is_true(math.abs(trace - (c * c):sum():item()) <= tolerance * scale * d, what)
        assert.is_true(stages.moments(x, false):eq(mean):all():item(), what)
      end
    end)

    it("project gives coordinates along a basis, " .. dtype, function()
      local working = dtype == "float64" and "float64" or "float32"
      for _, size in ipairs(SIZES) do
        local n, d = size[1], size[2]
        for _, k in ipairs { 1, 16, 50 } do
          local x, basis = random(n, d, dtype), perilune.randn(k, d, { dtype = working })
          local mean = x:to("float64"):mean(1):to(working)
          local expected = (x:to("float64") - mean:to("float64")):matmul(basis:to("float64"):t())
          local scale = math.max(expected:abs():max():item(), 1)
          assert.is_true(largest_difference(stages.project(x, mean, basis), expected) <= tolerance * scale,
            ("%d x %d, %d"):format(n, d, k))
        end
      end
    end)
  end

  for dtype, tolerance in pairs { float32 = 2e-5, uint8 = 2e-5, float64 = 1e-11 } do
    it("triangle is the R of the rows, " .. dtype, function()
      local sizes = { { 9000, 20 }, { 13000, 5 }, { 4097, 4097 // 200 }, { 8192, 2 }, table.unpack(SIZES) }
      for _, size in ipairs(sizes) do
        local x = random(size[1], size[2], dtype)
        local c, mean = centred(x)
        local r = stages.triangle(x, mean:to(dtype == "float64" and dtype or "float32"))
        local what = ("%d x %d"):format(size[1], size[2])
        assert.are.same({ math.min(size[1], size[2]), size[2] }, r.shape, what)
        assert.is_true(r:eq(perilune.triu(r)):all():item(), what)
        local wide, products = r:to("float64"), c:t():matmul(c)
        local scale = math.max(products:abs():max():item(), 1)
        assert.is_true(largest_difference(wide:t():matmul(wide), products) <= tolerance * scale, what)
      end
    end)
  end

  it("views give what their copies give", function()
    local x = random(200, 60, "float32")
    for _, view in ipairs { x:narrow(2, 3, 40), x:t(), x:narrow(1, 5, 100), x:narrow(2, 2, 1) } do
      local mean, scatter = stages.moments(view, true)
      local copy_mean, copy_scatter = stages.moments(view:clone():contiguous(), true)
      assert.is_true(mean:eq(copy_mean):all():item())
      assert.is_true(upper(scatter):eq(upper(copy_scatter)):all():item())
      local basis = perilune.randn(4, view.shape[2])
      local z = stages.project(view, mean:to("float32"), basis)
      local r = stages.triangle(view, mean:to("float32"))
      assert.is_true(r:eq(stages.triangle(view:clone():contiguous(), mean:to("float32"))):all():item())
      assert.is_true(z:eq(stages.project(view:clone():contiguous(), mean:to("float32"), basis)):all():item())
    end
  end)

  it("have the same bits for any number of threads", function()
    local before = perilune.get_num_threads()
    for _, dtype in ipairs { "float32", "float64" } do
      local x, basis, found = random(5000, 70, dtype), perilune.randn(20, 70, { dtype = dtype }), {}
      for i, threads in ipairs { 1, 2, 5 } do
        perilune.set_num_threads(threads)
        local mean, scatter = stages.moments(x, true)
        local values, vectors = stages.largest(scatter:clone(), 9)
        found[i] = { mean, upper(scatter), values, vectors, stages.project(x, mean:to(dtype), basis),
          stages.triangle(x, mean:to(dtype)) }
      end
      perilune.set_num_threads(before)
      for i = 2, 3 do
        for k, t in ipairs(found[1]) do assert.is_true(t:eq(found[i][k]):all():item(), dtype .. k) end
      end
    end
  end)

  it("largest finds the eigenvectors of the largest eigenvalues, a few or all", function()
    for _, d in ipairs { 1, 2, 3, 10, 100 } do
      local root = perilune.randn(d, d, { dtype = "float64" })
      local matrix = root:matmul(root:t())
      local all = perilune.eigvalsh(matrix):flip(1)
      for _, k in ipairs { 1, 7, d // 3, d } do
        if k >= 1 and k <= d then
          local values, vectors = stages.largest(perilune.triu(matrix):contiguous(), k)
          local what = ("%d of %d"):format(k, d)
          assert.is_true(largest_difference(values, all:narrow(1, 1, k)) < 1e-12 * d * all[1]:item(), what)
          assert.is_true(largest_difference(vectors:matmul(matrix), vectors * values:unsqueeze(2)) < 1e-11 * d, what)
          assert.is_true(largest_difference(vectors:matmul(vectors:t()), perilune.eye(k)) < 1e-12 * d, what)
        end
      end
    end
  end)

  it("largest does with equal eigenvalues, and with none but zeros", function()
    for _, matrix in ipairs { perilune.eye(90, { dtype = "float64" }), perilune.zeros(90, 90, { dtype = "float64" }) } do
      local values, vectors = stages.largest(matrix:clone(), 20)
      assert.is_true(largest_difference(values, perilune.full({ 20 }, matrix[1][1]:item())) < 1e-12)
      assert.is_true(largest_difference(vectors:matmul(vectors:t()), perilune.eye(20)) < 1e-12)
    end
  end)

  it("what is not finite shows in the mean and in the trace", function()
    for _, bad in ipairs { 0 / 0, math.huge, -math.huge } do
      for _, row in ipairs { 1, 140 } do
        local x = random(200, 20, "float32")
        x[row][18] = bad
        local mean, _, trace = stages.moments(x, true)
        assert.is_false(mean[18]:isfinite():item())
        assert.is_false(trace < math.huge)
      end
    end
  end)

  it("wrong arguments are refused", function()
    local x = random(5, 3, "float32")
    assert.error_matches(function() stages.moments(perilune.arange(1, 6):view(2, 3), true) end, "uint8, float32 or float64")
    assert.error_matches(function() stages.moments(perilune.rand(3), true) end, "must be a matrix")
    assert.error_matches(function() stages.moments(perilune.rand(0, 3), true) end, "no items")
    assert.error_matches(function() stages.largest(perilune.rand(3, 3), 1) end, "square matrix of float64")
    assert.error_matches(function() stages.largest(perilune.rand(3, 3, { dtype = "float64" }), 4) end, "k")
    assert.error_matches(function() stages.project(x, perilune.rand(4), perilune.rand(2, 3)) end, "rows of 3")
    assert.error_matches(function() stages.project(x, perilune.rand(3), perilune.rand(2, 4)) end, "rows of 3")
    assert.error_matches(function()
      stages.project(x, perilune.rand(3, { dtype = "float64" }), perilune.rand(2, 3, { dtype = "float64" }))
    end, "x is float32")
    assert.error_matches(function() stages.triangle(x, perilune.rand(4)) end, "rows of 3")
    assert.error_matches(function() stages.triangle(x, perilune.rand(3, { dtype = "float64" })) end, "x is float32")
  end)
end)
