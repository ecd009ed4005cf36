-- The dense layer: memory orders, the fused ReLU, what lies between the lanes, errors.
local perilune = require "perilune"
local core = require "perilune.core"

local linear = core.ops.linear

local function message_of(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return message
end

local function close(a, b, tolerance)
  local x, y = a:reshape(-1):totable(), b:reshape(-1):totable()
  for i = 1, #x do
    local difference = math.abs(x[i] - y[i])
    if difference > tolerance or difference ~= difference then return false end
  end
  return #x == #y
end

--- x (N, K) in the lanes order, what lies between N and P filled with `filler`.
local function lanes(x, filler)
  local n, k = x.shape[1], x.shape[2]
  local padded = n <= 8 and 8 or (n + 15) // 16 * 16
  local store = perilune.full({ k, padded }, filler)
  store:narrow(2, 1, n):copy_(x:transpose(1, 2))
  return store:transpose(1, 2):narrow(1, 1, n)
end

describe("linear", function()
  before_each(function() perilune.manual_seed(5) end)
  after_each(function() perilune.set_num_threads(2) end)

  it("is x W^T + b for any number of leading dims", function()
    local w, b = perilune.randn(4, 5), perilune.randn(4)
    for _, shape in ipairs { { 5 }, { 1, 5 }, { 3, 5 }, { 2, 3, 5 }, { 40, 5 } } do
      local x = perilune.randn(shape)
      local y = linear(x, w, b)
      local expected = x:reshape(-1, 5):matmul(w:transpose(1, 2)):reshape(y.shape)
      assert.is_true(close(linear(x, w, nil), expected, 1e-5))
      for i = 1, 4 do
        local column = y:reshape(-1, 4):select(2, i):totable()
        local without = expected:reshape(-1, 4):select(2, i):totable()
        for r = 1, #column do assert.is_true(math.abs(column[r] - without[r] - b[i]:item()) < 1e-5) end
      end
    end
  end)

  it("multiplies a few rows by dot products: all sizes that fill blocks and vectors or do not", function()
    for _, depth in ipairs { 1, 7, 8, 9, 16, 23, 40 } do
      for _, columns in ipairs { 1, 3, 4, 7, 8, 13 } do
        local w, b = perilune.randn(columns, depth), perilune.randn(columns)
        for _, rows in ipairs { 1, 2, 3, 8, 15 } do
          local x = perilune.randn(rows, depth)
          local expected = (x:reshape(rows, 1, depth) * w):sum(3) + b
          assert.is_true(close(linear(x, w, b), expected, 2e-5))
          assert.is_true(close(linear(x, w, b, { activation = "relu" }), expected:relu(), 2e-5))
        end
      end
    end
  end)

  it("gives a row the same bits among few others, alone, in the lanes order and when it is recorded", function()
    local w, b, x = perilune.randn(9, 21), perilune.randn(9), perilune.randn(13, 21)
    local y = linear(x, w, b)
    for row = 1, 13 do
      assert.are.same(y[row]:totable(), linear(x:narrow(1, row, 1), w, b)[1]:totable())
    end
    assert.are.same(y:totable(), linear(lanes(x, 0 / 0), w, b):totable())
    assert.are.same(y:totable(), linear(x, w:clone():requires_grad_(true), b):totable())
  end)

  it("keeps what lies beyond the depth, and infinities, out of the sums", function()
    local x = perilune.ones(3, 11)
    local w = perilune.zeros(5, 11)
    w:narrow(2, 4, 1):fill_(math.huge)
    assert.are.same({ math.huge, math.huge, math.huge, math.huge, math.huge }, linear(x, w, nil)[2]:totable())
    local inside = perilune.full({ 7, 15 }, 0 / 0)
    inside:narrow(1, 1, 5):narrow(2, 1, 11):fill_(2)
    local y = linear(x, inside:narrow(1, 1, 5):narrow(2, 1, 11), nil)
    assert.are.same({ 22, 22, 22, 22, 22 }, y[3]:totable())
  end)

  it("gives the same in the lanes order, forward and backward, whatever lies in the padding", function()
    for _, n in ipairs { 1, 5, 8, 9, 16, 19, 40 } do
      local x, w, b = perilune.randn(n, 7), perilune.randn(9, 7), perilune.randn(9)
      local g = perilune.randn(n, 9)
      local function run(input)
        local leaf, weight, bias = input:detach():requires_grad_(true), w:clone():requires_grad_(true),
                                   b:clone():requires_grad_(true)
        local y = linear(leaf, weight, bias, { activation = "relu" })
        y:backward(g)
        return y, leaf.grad, weight.grad, bias.grad
      end
      local expected = { run(x) }
      for _, filler in ipairs { 0.0, 0 / 0, math.huge } do
        for i, t in ipairs { run(lanes(x, filler)) } do
          assert.is_true(close(t, expected[i], 1e-5), ("result %d of N = %d"):format(i, n))
        end
      end
    end
  end)

  it("gives the same bits for any number of threads", function()
    local function run(n_threads)
      perilune.set_num_threads(n_threads)
      perilune.manual_seed(9)
      local x, w, b = lanes(perilune.randn(256, 288), 0.0), perilune.randn(64, 288), perilune.randn(64)
      x:requires_grad_(true); w:requires_grad_(true); b:requires_grad_(true)
      local y = linear(x, w, b, { activation = "relu" })
      y:backward(perilune.ones(256, 64))
      return { y, x.grad, w.grad, b.grad }
    end
    local one = run(1)
    for _, n in ipairs { 2, 3 } do
      for i, t in ipairs(run(n)) do assert.is_true(close(t, one[i], 0)) end
    end
  end)

  it("masks a gradient that repeats its elements without writing into it", function()
    local x, w = perilune.randn(6, 3):requires_grad_(true), perilune.randn(4, 3)
    local g = perilune.ones(1, 1):expand(6, 4)
    linear(x, w, nil, { activation = "relu" }):backward(g)
    assert.are.equal(1, g[1][1]:item())
    local kept = perilune.ones(6, 4)
    linear(x, w, nil, { activation = "relu" }):backward(kept)
    assert.are.same(perilune.ones(6, 4):totable(), kept:totable())
  end)

  it("takes empty batches and empty features", function()
    assert.are.same({ 0, 4 }, linear(perilune.zeros(0, 3), perilune.zeros(4, 3), perilune.zeros(4)).shape)
    assert.are.same({ { 1, 2 } }, linear(perilune.zeros(1, 0), perilune.zeros(2, 0), perilune.tensor { 1., 2. }):totable())
    local w = perilune.ones(4, 3):requires_grad_(true)
    local b = perilune.ones(4):requires_grad_(true)
    linear(perilune.zeros(0, 3), w, b):sum():backward()
    assert.are.same({ 0, 0, 0, 0 }, b.grad:totable())
  end)

  it("refuses what does not fit", function()
    assert.matches("linear_spec.lua:%d+: linear: x is %(32, 784%) but weight is %(10, 785%)",
                   message_of(function() return linear(perilune.zeros(32, 784), perilune.zeros(10, 785)) end))
    assert.matches("linear: bias is %(9%) but weight is %(10, 7%)",
                   message_of(linear, perilune.zeros(3, 7), perilune.zeros(10, 7), perilune.zeros(9)))
    assert.matches("linear: x is int64; it must be float32 or float64",
                   message_of(linear, perilune.zeros(3, 7):to("int64"), perilune.zeros(10, 7)))
    assert.matches("linear: x is %(%) but weight", message_of(linear, perilune.tensor(1.0), perilune.zeros(10, 7)))
  end)
end)
