-- What the generic spec does not see of the elementwise operations: promotion, NaN, errors, accuracy, in place.
local perilune = require "perilune"

local nan, inf = 0 / 0, math.huge
local function tensor(values, dtype) return perilune.tensor(values, { dtype = dtype }) end

local function message_of(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return message
end

local function is_nan(x) return x ~= x end

describe("promotion", function()
  local order = { "bool", "uint8", "int64", "float32", "float64" }

  it("gives the larger dtype of two tensors", function()
    for i, a in ipairs(order) do
      for j, b in ipairs(order) do
        local x, y = perilune.ones({ 2 }, { dtype = a }), perilune.ones({ 2 }, { dtype = b })
        assert.are.equal(order[math.max(i, j)], x:mul(y).dtype)
      end
    end
  end)

  it("lets Lua numbers count by their kind only", function()
    local function dtype_of(dtype, number) return (perilune.ones({ 2 }, { dtype = dtype }) + number).dtype end
    assert.are.equal("uint8", dtype_of("uint8", 1))
    assert.are.equal("float32", dtype_of("uint8", 1.5))
    assert.are.equal("int64", dtype_of("bool", 1))
    assert.are.equal("float32", dtype_of("float32", 1.5))
    assert.are.equal("float64", dtype_of("float64", 1))
  end)

  it("lets 0-dim tensors count by their kind beside tensors with dims", function()
    local scalar = perilune.tensor(2.0, { dtype = "float64" })
    assert.are.equal("float32", (perilune.ones(3) * scalar).dtype)
    assert.are.equal("float32", (scalar * perilune.ones(3)).dtype)
    assert.are.equal("float64", (perilune.ones({ 3 }, { dtype = "int64" }) * scalar).dtype)
  end)

  it("divides integers into floats and compares into bools", function()
    local a = tensor({ 1, 2, 3 }, "int64")
    assert.are.equal("float32", (a / 2).dtype)
    assert.are.equal("bool", a:lt(2.5).dtype)
    assert.are.same({ true, true, false }, a:lt(2.5):totable())
    assert.are.equal("float32", a:exp().dtype)
    assert.are.equal("int64", a:floor().dtype)
  end)

  it("wraps integers around", function()
    assert.are.same({ math.mininteger }, (tensor({ math.maxinteger }, "int64") + 1):totable())
    assert.are.same({ 4 }, (tensor({ 250 }, "uint8") + 10):totable())
    assert.are.same({ 3, -4, 1, 2 }, { 7 // 2, -7 // 2, 7 % 2, -7 % 3 })
    assert.are.same({ 3, -4 }, tensor({ 7, -7 }, "int64"):floor_divide(2):totable())
    assert.are.same({ 1, 2 }, tensor({ 7, -7 }, "int64"):remainder(3):totable())
    assert.are.same({ 1, -1 }, tensor({ 7, -7 }, "int64"):fmod(3):totable())
    assert.are.same({ math.mininteger }, tensor({ math.mininteger }, "int64"):floor_divide(-1):totable())
  end)
end)

describe("special values", function()
  it("pass through as NaN", function()
    local x = tensor { nan, 1.0, -1.0 }
    for _, y in ipairs { x:relu(), x:clamp(-2, 2), x:maximum(0), x:minimum(0), x:abs(), x:tanh(), x:exp(), x:log() } do
      assert.is_true(is_nan(y[1]:item()))
    end
    assert.is_true(is_nan(perilune.zeros(1):maximum(x[1])[1]:item()))
    assert.are.same({ true, false, false }, x:isnan():totable())
    assert.are.same({ false, true, true }, tensor({ nan, inf, -inf }):isinf():totable())
    assert.are.same({ true, false, false }, tensor({ 1, nan, inf }):isfinite():totable())
    assert.are.equal(0, tensor({ nan }):sign()[1]:item())
  end)

  it("are those of libm", function()
    for _, x in ipairs { 0.0, -0.0, inf, -inf, 1e-45, -1e-45, 1e-40, 89.0, -104.0, -150.0, 3.4e38, -1.0, 1.0 } do
      local narrow, wide = tensor { x }, tensor({ x }, "float32"):to "float64"
      for _, name in ipairs { "exp", "log", "log1p", "expm1", "tanh", "sigmoid", "erf", "sin", "cos", "sqrt" } do
        local got, want = narrow[name](narrow):item(), wide[name](wide):to("float32"):item()
        local fine = got == want or (is_nan(got) and is_nan(want)) or math.abs(got - want) <= 2e-7 * math.abs(want)
                     or math.abs(got - want) < 2e-38
        assert.is_true(fine, ("%s(%g) is %g, not %g"):format(name, x, got, want))
      end
    end
  end)

  it("raise to powers as float64 does, ordinary runs and others", function()
    local bases = { 1.2e-38, 1e-20, 0.3, 1 - 2 ^ -24, 1, 1 + 2 ^ -23, 3, 1e30, 3.4e38 }
    local exponents = { -1e30, -127, -2.5, -1e-3, 0, 1e-8, 0.5, 1, 2, 3, 88, 1e7, 1e30 }
    for _, extra in ipairs { { {}, {} }, { { 0, -0.0, -2, math.huge, -math.huge }, { math.huge, -math.huge } } } do
      local a, b = { table.unpack(bases) }, { table.unpack(exponents) }
      for _, x in ipairs(extra[1]) do a[#a + 1] = x end
      for _, x in ipairs(extra[2]) do b[#b + 1] = x end
      local x, y = perilune.tensor(a):to("float32"), perilune.tensor(b):to("float32")
      local powers = x:unsqueeze(2):pow(y:unsqueeze(1)):totable()
      local wide = x:to("float64"):unsqueeze(2):pow(y:to("float64"):unsqueeze(1)):to("float32"):totable()
      for i in ipairs(a) do
        for j in ipairs(b) do
          local got, expected = powers[i][j], wide[i][j]
          local same = got == expected or got ~= got and expected ~= expected
          assert.is_true(same or math.abs(got - expected) <= 2 ^ -22 * math.abs(expected) + 2 ^ -149,
                         ("%g ^ %g: %g, not %g"):format(a[i], b[j], got, expected))
        end
      end
    end
  end)

  it("lie within 3 units in the last place of float64", function()
    perilune.manual_seed(1)
    for name, scale in pairs { exp = 15, log = 1e6, log1p = 3, expm1 = 3, tanh = 4, sigmoid = 15, erf = 3, sin = 100,
                               cos = 100 } do
      local x = perilune.randn(20000) * scale
      if name == "log" or name == "log1p" then x = x:abs() end
      local got, want = x[name](x):to "float64", x:to("float64")
      want = want[name](want)
      local worst = ((got - want):abs() / want:abs():clamp(1e-30)):amax():item()
      assert.is_true(worst < 3 * 2 ^ -23, ("%s: %g"):format(name, worst / 2 ^ -23))
    end
  end)
end)

describe("elementwise operations", function()
  it("say what does not fit", function()
    local a, b = perilune.ones(2, 3), perilune.ones(4, 5)
    assert.matches("add: shapes %(2, 3%) and %(4, 5%) do not broadcast", message_of(function() return a + b end))
    assert.matches("where: condition is float32; it must be bool", message_of(perilune.where, a, a, a))
    assert.matches("masked_fill: mask is float32", message_of(perilune.masked_fill, a, a, 0))
    assert.matches("division by zero", message_of(function() return tensor({ 1 }, "int64"):floor_divide(0) end))
    assert.matches("negative integer powers", message_of(function() return tensor({ 2 }, "int64") ^ -1 end))
    assert.matches("sub: a and b are bool", message_of(function() return a:gt(0) - a:gt(0) end))
    assert.matches("neg: x is bool", message_of(function() return -a:gt(0) end))
  end)

  it("take empty and 0-dim tensors", function()
    assert.are.same({ 0, 3 }, (perilune.ones(0, 3) + perilune.ones(1, 3)).shape)
    assert.are.equal(3, (perilune.tensor(1) + 2):item())
    assert.are.equal(0, perilune.tensor(1.5):exp():dim())
  end)

  it("keep the memory order", function()
    local x = perilune.randn(4, 5):t()
    local y = x:exp()
    assert.are.same(x:stride(), y:stride())
    assert.are.same(x:t():exp():totable(), y:t():totable())
  end)

  it("work in place, also on the tape, also without one", function()
    local x = tensor { -2.0, 3.0 }
    assert.are.same({ 2, 3 }, x:abs_():totable())
    assert.are.same({ 2, 2 }, x:clamp_(0, 2):totable())
    local leaf = tensor({ -2.0, 3.0 }):requires_grad_(true)
    local y = leaf * 1
    y:square_()
    y:backward(perilune.ones(2))
    assert.are.same({ -4, 6 }, leaf.grad:totable())
    assert.matches("cannot be kept", message_of(function() return tensor({ 1 }, "int64"):add_(0.5) end))
    assert.matches("the result is %(2, 2%)", message_of(function() return perilune.ones(2):add_(perilune.ones(2, 2)) end))
  end)

  it("share the gradient between equal operands of maximum", function()
    local a = tensor({ 1.0, 2.0 }):requires_grad_(true)
    a:maximum(tensor { 1.0, 3.0 }):sum():backward()
    assert.are.same({ 0.5, 0 }, a.grad:totable())
  end)

  it("give NaN the gradient that PyTorch 2.13 gives it", function()
    local a, b = tensor({ nan, 1, nan, 2, 0 }, "float64"), tensor({ 0, nan, nan, 2, 3 }, "float64")
    for name, expected in pairs { maximum = { { 1, 1, 1, 0.5, 0 }, { 1, 1, 1, 0.5, 1 } },
                                  minimum = { { 1, 1, 1, 0.5, 1 }, { 1, 1, 1, 0.5, 0 } } } do
      for _, dtype in ipairs { "float32", "float64" } do
        local x, y = a:to(dtype):requires_grad_(true), b:to(dtype):requires_grad_(true)
        x[name](x, y):sum():backward()
        assert.are.same(expected, { x.grad:totable(), y.grad:totable() })
      end
    end
    for _, case in ipairs { { 0, 1, { 0, 0, 1, 1, 1, 0 } }, { 0, inf, { 0, 0, 1, 1, 1, 1 } },
                            { nan, 1, { 0, 0, 0, 0, 0, 0 } }, { 0, nan, { 0, 0, 0, 0, 0, 0 } } } do
      for _, dtype in ipairs { "float32", "float64" } do
        local x = tensor({ nan, -1, 0, 0.5, 1, 2 }, dtype):requires_grad_(true)
        x:clamp(case[1], case[2]):sum():backward()
        assert.are.same(case[3], x.grad:totable())
      end
    end
  end)

  it("clamp to NaN where a bound is NaN", function()
    for _, bounds in ipairs { { min = nan }, { max = nan } } do
      for _, x in ipairs { tensor { 1, 2 }, tensor { 1.5, nan }, tensor({ -inf, 3 }, "float64") } do
        for _, y in ipairs(x:clamp(bounds):totable()) do assert.is_true(is_nan(y)) end
      end
    end
  end)
end)
