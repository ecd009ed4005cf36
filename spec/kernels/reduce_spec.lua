-- What the generic spec does not see of the reductions: empty tensors, NaN, ties, dtypes, long sums, errors.
local perilune = require "perilune"

local nan, inf = 0 / 0, math.huge
local function tensor(values, dtype) return perilune.tensor(values, { dtype = dtype }) end

local function message_of(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return message
end

local function is_nan(x) return x ~= x end

describe("reductions", function()
  it("of nothing are the neutral element, or an error", function()
    local none = perilune.zeros(0, 3)
    assert.are.equal(0, none:sum():item())
    assert.are.equal(1, none:prod():item())
    assert.are.same({ 0, 0, 0 }, none:sum(1):totable())
    assert.are.same({ 0 }, none:sum(2).shape)
    assert.is_true(is_nan(none:mean():item()))
    assert.is_false(none:any():item())
    assert.is_true(none:all():item())
    assert.are.equal(0, none:count_nonzero():item())
    assert.matches("amax: x is %(0, 3%)", message_of(function() return none:amax() end))
    assert.matches("max: x is %(0, 3%)", message_of(function() return none:max(1) end))
    assert.matches("argmax: x is %(0, 3%)", message_of(function() return none:argmax() end))
  end)

  it("let NaN win", function()
    local x = tensor { { 1, nan, 3 }, { 4, 5, 6 } }
    for _, y in ipairs { x:amax(), x:amin(), x:max(), x:min(), x:sum(), x:mean(), x:logsumexp() } do
      assert.is_true(is_nan(y:item()))
    end
    assert.are.equal(2, x:argmax():item())
    local values, indices = x:max(2)
    assert.is_true(is_nan(values[1]:item()))
    assert.are.same({ 2, 3 }, indices:totable())
    local long = perilune.zeros(1000)
    long[777] = nan
    assert.is_true(is_nan(long:amin():item()))
    assert.are.equal(777, long:argmin():item())
  end)

  it("follow PyTorch's dtypes", function()
    assert.are.equal("int64", tensor({ 200, 100 }, "uint8"):sum().dtype)
    assert.are.equal(300, tensor({ 200, 100 }, "uint8"):sum():item())
    assert.are.equal(2, tensor({ true, true, false }, "bool"):sum():item())
    assert.are.equal("uint8", tensor({ 200, 100 }, "uint8"):amax().dtype)
    assert.matches("mean: x is int64; it must be float32 or float64",
                   message_of(function() return tensor({ 1 }, "int64"):mean() end))
  end)

  it("share the gradient evenly between equal extremes, but not along a dim", function()
    local x = tensor({ 1.0, 3.0, 3.0 }):requires_grad_(true)
    x:max():backward()
    assert.are.same({ 0, 0.5, 0.5 }, x.grad:totable())
    x.grad = nil
    x:max(1):backward()
    assert.are.same({ 0, 1, 0 }, x.grad:totable())
  end)

  it("add up millions of items without drift, the same along any dim", function()
    local x = perilune.full({ 1000, 3000 }, 0.1)
    local exact = 3e6 * tensor({ 0.1 }):to("float64"):item()
    assert.is_true(math.abs(x:sum():item() / exact - 1) < 1e-6)
    assert.is_true(math.abs(x:sum(1):sum():item() / exact - 1) < 1e-6)
    assert.is_true(math.abs(x:t():sum(1):sum():item() / exact - 1) < 1e-6)
    assert.is_true(math.abs(x:mean():item() - 0.1) < 3e-8)
    assert.is_true(x:var():item() < 1e-15)
  end)

  it("do not lose the variance of numbers far from 0", function()
    local x = tensor({ 1e8 + 1, 1e8 + 2, 1e8 + 3 }, "float64")
    assert.are.equal(1, x:var():item())
    assert.is_true(is_nan(tensor({ 1.0 }):var():item()))
    assert.are.equal(0, tensor({ 1.0 }):var(1, { unbiased = false }):item())
  end)

  it("do not overflow", function()
    assert.is_true(math.abs(tensor({ 1000.0, 1000.0 }):logsumexp():item() - 1000.6931) < 1e-3)
    assert.are.equal(-inf, tensor({ -inf, -inf }):logsumexp():item())
    assert.are.same({ 0.5, 0.5 }, tensor({ 1e4, 1e4 }, "float32"):softmax(1):totable())
  end)

  it("keep dims where they are told to", function()
    local x = perilune.ones(2, 3, 4)
    assert.are.same({ 1, 3, 1 }, x:sum({ 1, 3 }, { keepdim = true }).shape)
    assert.are.same({ 3 }, x:sum({ 1, -1 }).shape)
    assert.are.same({ 1, 1, 1 }, x:argmax({ keepdim = true }).shape)
    assert.are.equal(24, x:norm(1):item())
    assert.are.equal(1, x:norm(inf):item())
  end)

  it("say which dim is wrong", function()
    local x = perilune.ones(2, 3)
    assert.matches("sum: dim 3 does not exist in a tensor of 2 dims", message_of(function() return x:sum(3) end))
    assert.matches("sum: dim 0 does not exist", message_of(function() return x:sum(0) end))
    assert.matches("sum: dim 1 is given twice", message_of(function() return x:sum({ 1, 1 }) end))
    assert.matches("argmax: takes one dim, not 2", message_of(function() return x:argmax({ 1, 2 }) end))
    assert.matches("max: dim 3 does not exist", message_of(function() return x:max({ 1, 3 }) end))
  end)

  it("max and min of several dims are amax and amin", function()
    local x = perilune.randn(2, 3, 4, { requires_grad = true })
    for name, twin in pairs { max = "amax", min = "amin" } do
      local values, indices = x[name](x, { 1, 3 })
      assert.is_nil(indices)
      assert.are.same(x[twin](x, { 1, 3 }):totable(), values:totable())
      values:sum():backward()
      local gradient = x.grad
      x.grad = nil
      x[twin](x, { 1, 3 }):sum():backward()
      assert.are.same(x.grad:totable(), gradient:totable())
      x.grad = nil
    end
    assert.are.same({ 1, 3, 1 }, x:max({ 1, 3 }, { keepdim = true }).shape)
    assert.are.same({ 0 }, perilune.zeros(2, 0, 3):max({ 1, 3 }).shape)
    assert.matches("nothing has no extreme", message_of(function() return perilune.zeros(2, 0, 3):max({ 1, 2 }) end))
  end)

  it("multiply around zeros", function()
    for _, case in ipairs { { { 2, 0, 3 }, { 0, 6, 0 } }, { { 0, 0, 3 }, { 0, 0, 0 } }, { { 2, 1, 3 }, { 3, 6, 2 } } } do
      local x = tensor(case[1], "float32"):requires_grad_(true)
      x:prod():backward()
      assert.are.same(case[2], x.grad:totable())
    end
    local x = tensor({ 2.0, 0.0, 3.0 }):requires_grad_(true)
    x:cumprod(1):sum():backward()
    assert.are.same({ 1, 8, 0 }, x.grad:totable())
  end)

  it("give NaN the gradient that PyTorch 2.13 gives it", function()
    for _, dtype in ipairs { "float32", "float64" } do
      local function gradient(name, values, ...)
        local x = tensor(values, dtype):requires_grad_(true)
        x[name](x, ...):sum():backward()
        return x.grad:totable()
      end
      for _, name in ipairs { "max", "min" } do
        assert.are.same({ 1, 0, 0 }, gradient(name, { nan, 2, 1 }))
        assert.are.same({ 0, 0.5, 0, 0.5 }, gradient(name, { 2, nan, 1, nan }))
        assert.are.same({ { 1, 0 }, { 0, 1 } }, gradient(name, { { nan, 2 }, { 1, nan } }, 2))
      end
      for name, expected in pairs { amax = { 0, 1 }, amin = { 1, 0 } } do
        for _, g in ipairs(gradient(name, { nan, 1 })) do assert.is_true(is_nan(g)) end
        local rows = gradient(name, { { nan, 2 }, { 1, 2 } }, 2)
        assert.is_true(is_nan(rows[1][1]) and is_nan(rows[1][2]))
        assert.are.same(expected, rows[2])
      end
    end
  end)

  it("divide by zero where correction takes all degrees of freedom, as PyTorch", function()
    local function known(list)                      -- a NaN equals nothing
      for i, value in ipairs(list) do list[i] = value ~= value and "nan" or value end
      return list
    end
    for _, name in ipairs { "var", "std" } do
      for _, dtype in ipairs { "float32", "float64" } do
        local x = perilune.tensor({ { 1, 2, 4 }, { 2, 2, 2 } }, { dtype = dtype })
        assert.are.same({ 1 / 0, "nan" }, known(x[name](x, 2, { correction = 3 }):totable()))
        assert.are.same({ 1 / 0, "nan" }, known(x[name](x, 2, { correction = 5 }):totable()))
      end
    end
    local x = perilune.tensor({ 1, 2, 3 }, { dtype = "float64", requires_grad = true })
    x:var(1, { correction = 5 }):backward()
    assert.are.same({ 1, 0, -1 }, x.grad:totable())
  end)

  it("take a tensor of 0 dims for one of 1 dim", function()
    for _, dim in ipairs { 1, -1 } do
      for name, expected in pairs { sum = 5, mean = 5, prod = 5, amax = 5, amin = 5, logsumexp = 5, any = true, all = true,
                                    count_nonzero = 1, argmax = 1, argmin = 1, cumsum = 5, cumprod = 5, softmax = 1 } do
        local y = tensor(5.0)[name](tensor(5.0), dim)
        assert.are.same({}, y.shape)
        assert.are.equal(expected, y:item())
      end
      assert.are.equal(5, tensor(5.0):norm(2, dim):item())
      assert.are.equal(0, tensor(5.0):var(dim, { correction = 0 }):item())
      assert.is_true(is_nan(tensor(5.0):std(dim):item()))
      for _, name in ipairs { "max", "min", "sort" } do
        local values, places = tensor(5.0)[name](tensor(5.0), dim)
        assert.are.same({ 5, 1, {}, {} }, { values:item(), places:item(), values.shape, places.shape })
      end
    end
    local x = tensor(nan):requires_grad_(true)
    x:max(1):backward()
    assert.are.equal(1, x.grad:item())
    assert.matches("sum: dim 2 does not exist in a tensor of 0 dims", message_of(function() return tensor(5.0):sum(2) end))
    assert.matches("softmax: dim %-2 does not", message_of(function() return tensor(5.0):softmax(-2) end))
    assert.matches("sum: dim 1 is given twice", message_of(function() return tensor(5.0):sum({ 1, -1 }) end))
  end)

  it("of an infinite norm look at the dims that are reduced", function()
    assert.are.same({ 0 }, perilune.zeros(0, 3):norm(inf, 2).shape)
    assert.are.same({ 0, 0, 0 }, perilune.zeros(0, 3):norm(2, 1):totable())
    assert.matches("nothing has no extreme", message_of(function() return perilune.zeros(0, 3):norm(inf, 1) end))
    assert.matches("nothing has no extreme", message_of(function() return perilune.zeros(0, 0):norm(inf, 2) end))
  end)
end)
