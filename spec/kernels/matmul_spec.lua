-- Matrix products: shapes, strides, errors, and the paths between which a product chooses, against a naive twin.
local perilune = require "perilune"

local function message_of(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return message
end

--- a (M, K) times b (K, N) as nested tables.
local function naive(a, b)
  local x, y, out = a:totable(), b:totable(), {}
  for i = 1, #x do
    out[i] = {}
    for j = 1, b.shape[2] do
      local sum = 0.0
      for k = 1, #y do sum = sum + x[i][k] * y[k][j] end
      out[i][j] = sum
    end
  end
  return out
end

local function largest_difference(t, expected)
  local worst = 0
  for i, row in ipairs(t:totable()) do
    for j, value in ipairs(row) do worst = math.max(worst, math.abs(value - expected[i][j])) end
  end
  return worst
end

local function identical(a, b)
  local x, y = a:reshape(-1):totable(), b:reshape(-1):totable()
  for i = 1, #x do
    if x[i] ~= y[i] then return false end
  end
  return #x == #y
end

describe("matmul", function()
  before_each(function() perilune.manual_seed(3) end)
  after_each(function() perilune.set_num_threads(2) end)

  it("equals the naive product at every remainder of the tiles, for every order in memory", function()
    for _, m in ipairs { 1, 2, 5, 6, 7, 13, 20 } do
      for _, n in ipairs { 1, 7, 8, 9, 16, 17, 33 } do
        for _, k in ipairs { 1, 8, 15, 37 } do
          local a, b = perilune.randn(m, k), perilune.randn(k, n)
          local expected = naive(a, b)
          local a_turned = a:transpose(1, 2):contiguous():transpose(1, 2)
          local b_turned = b:transpose(1, 2):contiguous():transpose(1, 2)
          for _, y in ipairs { a:matmul(b), a_turned:matmul(b), a:matmul(b_turned), a_turned:matmul(b_turned) } do
            assert.is_true(largest_difference(y, expected) < 1e-4, ("%d x %d x %d"):format(m, n, k))
          end
        end
      end
    end
  end)

  it("is right where a depth is cut and where BLAS takes over", function()
    for _, size in ipairs { { 7, 900, 19 }, { 200, 3, 20 }, { 330, 330, 330 } } do
      local m, k, n = table.unpack(size)
      local a, b = perilune.randn(m, k), perilune.randn(k, n)
      local wide = a:to("float64"):matmul(b:to("float64"))
      local narrow = a:matmul(b):to("float64")
      for _ = 1, 50 do
        local i, j = math.random(m), math.random(n)
        local difference = math.abs(wide[i][j]:item() - narrow[i][j]:item())
        assert.is_true(difference < 1e-3, ("%d x %d x %d: %g"):format(m, k, n, difference))
      end
    end
  end)

  it("is right at every edge of the panels: of 16, of 48, of the blocks of rows, of columns, of the depth", function()
    local sizes = { { 128, 128, 128 }, { 129, 100, 143 }, { 120, 2100, 94 }, { 2056, 40, 48 }, { 40, 40, 4111 },
      { 33, 3000, 33 }, { 47, 1025, 190 } }
    for _, size in ipairs(sizes) do
      local m, k, n = table.unpack(size)
      local a, b = perilune.randn(m, k), perilune.randn(k, n)
      local column, row, before = perilune.randn(n), perilune.randn(m, 1), perilune.randn(m, n)
      local product = a:to("float64"):matmul(b:to("float64"))
      local function close(y, expected)
        local difference = (y:to("float64") - expected):abs():max():item()
        assert.is_true(difference < 1e-5 * k, ("%d x %d x %d: %g"):format(m, k, n, difference))
      end
      for _, x in ipairs { a, a:t():contiguous():t() } do
        for _, w in ipairs { b, b:t():contiguous():t() } do
          close(x:matmul(w), product)
          close(perilune.addmm(before, x, w, { alpha = 0.5, beta = 2 }), product * 0.5 + before:to("float64") * 2)
          local linear = perilune.nn.functional.linear(x, w:t(), column, { activation = "relu" })
          close(linear, (product + column:to("float64")):clamp(0.0))
        end
      end
      -- The product that is computed as its transpose has its bias along the rows.
      local turned = perilune.addmm(row:expand(m, n):t(), b:t(), a:t())
      close(turned:t(), product + row:to("float64"))
    end
  end)

  it("multiplies batches of large matrices", function()
    local a, b = perilune.randn(3, 130, 120), perilune.randn(1, 120, 140)
    local y, wide = a:matmul(b), a:to("float64"):matmul(b:to("float64"))
    assert.is_true((y:to("float64") - wide):abs():max():item() < 1e-3)
  end)

  it("of depth one is the products themselves, to the bit, whatever the strides", function()
    local rows, columns = perilune.randn(2 * 700):view(700, 2):select(2, 1), perilune.randn(300)
    for _, b in ipairs { columns, columns:flip(1), perilune.randn(600):view(300, 2):select(2, 2), perilune.randn(1):expand(300) } do
      for _, d in ipairs { "float32", "float64" } do
        local x, y = rows:to(d), b:to(d)
        local product = x:unsqueeze(2) * y:unsqueeze(1)
        assert.is_true(identical(product, x:outer(y)))
        assert.is_true(identical(product, x:view(700, 1):matmul(y:view(1, 300))))
        assert.is_true(identical(product:t(), y:reshape(300, 1):matmul(x:view(1, 700))))
        local gradient = perilune.ones(300):to(d):requires_grad_(true)
        gradient:dot(y):backward()
        assert.is_true(identical(y, gradient.grad))
      end
    end
  end)

  it("keeps NaN through the ReLU of a large product", function()
    local x, w = perilune.randn(128, 100), perilune.randn(128, 100)
    x[5][7] = 0 / 0
    local y = perilune.nn.functional.linear(x, w, { activation = "relu" })
    assert.is_true(y[5]:isnan():all():item())
    assert.are.equal(128, y:isnan():sum():item())
  end)

  it("gives the same bits for any number of threads", function()
    for _, size in ipairs { { 256, 288, 64 }, { 330, 330, 330 }, { 300, 1500, 96 }, { 1, 3000, 1000 }, { 14, 60000, 20 } } do
      local a, b = perilune.randn(size[1], size[2]), perilune.randn(size[2], size[3])
      perilune.set_num_threads(1)
      local one, one_wide = a:matmul(b), a:to("float64"):matmul(b:to("float64"))
      for _, n in ipairs { 2, 3 } do
        perilune.set_num_threads(n)
        assert.is_true(identical(one, a:matmul(b)))
        assert.is_true(identical(one_wide, a:to("float64"):matmul(b:to("float64"))))
      end
    end
  end)

  it("broadcasts batches and takes vectors", function()
    assert.are.same({ 5, 4, 3, 3 }, perilune.randn(5, 1, 3, 2):matmul(perilune.randn(4, 2, 3)).shape)
    assert.are.same({}, perilune.randn(7):matmul(perilune.randn(7)).shape)
    assert.are.same({ 2, 3 }, perilune.randn(7):matmul(perilune.randn(2, 7, 3)).shape)
    assert.are.same({ 2, 3 }, perilune.randn(2, 3, 7):matmul(perilune.randn(7)).shape)
    local a, b = perilune.randn(3, 4, 5), perilune.randn(5, 6)
    local y = a:matmul(b)
    for i = 1, 3 do assert.is_true(largest_difference(y[i], naive(a[i], b)) < 1e-5) end
  end)

  it("takes empty tensors: no depth means zeros", function()
    assert.are.same({ 0, 5 }, perilune.zeros(0, 3):matmul(perilune.zeros(3, 5)).shape)
    assert.are.same({ { 0, 0 }, { 0, 0 } }, perilune.zeros(2, 0):matmul(perilune.zeros(0, 2)):totable())
    local wide = { dtype = "float64" }
    assert.are.same({ { 0, 0 } }, perilune.zeros({ 1, 0 }, wide):matmul(perilune.zeros({ 0, 2 }, wide)):totable())
    assert.are.same({ 0, 2, 4 }, perilune.zeros(0, 2, 3):bmm(perilune.zeros(0, 3, 4)).shape)
    assert.are.equal(0, perilune.zeros(0):dot(perilune.zeros(0)):item())
    local x = perilune.zeros(0, 3):requires_grad_(true)
    local w = perilune.ones(3, 2):requires_grad_(true)
    x:matmul(w):sum():backward()
    assert.are.same({ { 0, 0 }, { 0, 0 }, { 0, 0 } }, w.grad:totable())
  end)

  it("reads expanded operands", function()
    local row = perilune.randn(1, 5)
    local y = row:expand(4, 5):matmul(perilune.randn(5, 3))
    assert.are.same(y[1]:totable(), y[4]:totable())
  end)

  it("refuses what does not fit, and says so with both shapes", function()
    local a = perilune.randn(2, 3)
    assert.matches("matmul_spec.lua:%d+: matmul: x is %(2, 3%) but other is %(4, 5%): 3 columns against 4 rows",
                   message_of(function() return a:matmul(perilune.randn(4, 5)) end))
    assert.matches("matmul: x is %(2, 3, 4%) but other is %(3, 4, 5%): the batch dims do not broadcast",
                   message_of(perilune.matmul, perilune.randn(2, 3, 4), perilune.randn(3, 4, 5)))
    assert.matches("bmm: x is %(2, 3, 4%) but other is %(3, 4, 5%): the batches differ",
                   message_of(perilune.bmm, perilune.randn(2, 3, 4), perilune.randn(3, 4, 5)))
    assert.matches("dot: x is %(2%) but other is %(3%): the lengths differ",
                   message_of(perilune.dot, perilune.randn(2), perilune.randn(3)))
    assert.matches("mm: x must have 2 dims, but is %(2%)", message_of(perilune.mm, perilune.randn(2), a))
    assert.matches("addmm: input is %(5%), which does not broadcast to the product's %(2, 2%)",
                   message_of(perilune.addmm, perilune.randn(5), a, perilune.randn(3, 2)))
    assert.matches("matmul: x has no dims", message_of(perilune.matmul, perilune.tensor(2.0), a))
    assert.matches("matmul: .* multiply by a number", message_of(perilune.matmul, a, 2))
  end)

  it("refuses integers and mixed dtypes", function()
    local whole = perilune.ones(2, 2):to("int64")
    assert.matches("matmul: x is int64; it must be float32 or float64", message_of(perilune.matmul, whole, whole))
    assert.matches("matmul: x is float32 but other is float64",
                   message_of(perilune.matmul, perilune.ones(2, 2), perilune.ones(2, 2):to("float64")))
  end)

  it("refuses sizes beyond BLAS's integers before it touches memory", function()
    local huge = perilune.zeros(1, 1):expand(1, 2 ^ 31 | 0)
    assert.matches("a dimension of 2147483648 is more than BLAS can take",
                   message_of(perilune.matmul, huge, huge:transpose(1, 2)))
  end)

  it("does not read addmm's input when beta is 0", function()
    local nan = perilune.full({ 2, 2 }, 0 / 0)
    local y = perilune.addmm(nan, perilune.ones(2, 3), perilune.ones(3, 2), { beta = 0 })
    assert.are.same({ { 3, 3 }, { 3, 3 } }, y:totable())
  end)
end)
