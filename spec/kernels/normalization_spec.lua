-- What the generic spec cannot ask: running statistics, large means, padding of the lanes, dropout's mask.
local core = require "perilune.core"
local perilune = require "perilune"

local ops = core.ops

local function near(expected, actual, tolerance)
  assert.is_true(math.abs(expected - actual) <= tolerance * (1 + math.abs(expected)),
                 ("expected %.9g, got %.9g"):format(expected, actual))
end

describe("batch_norm", function()
  it("moves the running statistics with the unbiased variance", function()
    local x = perilune.tensor { { 1.0, 10.0 }, { 2.0, 30.0 }, { 6.0, 20.0 } }
    local mean, variance = perilune.zeros(2), perilune.ones(2)
    ops.batch_norm(x, nil, nil, mean, variance, { training = true, momentum = 0.25 })
    near(0.25 * 3, mean[1]:item(), 1e-6)
    near(0.25 * 20, mean[2]:item(), 1e-6)
    near(0.75 + 0.25 * 7, variance[1]:item(), 1e-6)
    near(0.75 + 0.25 * 100, variance[2]:item(), 1e-6)
    ops.batch_norm(x, nil, nil, mean, variance)
    near(0.75, mean[1]:item(), 1e-6)
  end)

  it("leaves them alone when the call fails", function()
    local mean, variance = perilune.zeros(2), perilune.ones(3)
    assert.has_error(function() ops.batch_norm(perilune.ones(4, 2), nil, nil, mean, variance, { training = true }) end)
    assert.same({ 0.0, 0.0 }, mean:totable())
    assert.has_error(function() ops.batch_norm(perilune.ones(1, 2), nil, nil, nil, nil, { training = true }) end)
    assert.has_error(function() ops.batch_norm(perilune.ones(4, 2)) end)
  end)

  it("writes over a gradient only where nobody else can see it", function()
    local x = perilune.randn(16, 3, 2, 2):lanes()
    local given = perilune.randn(16, 3, 2, 2):lanes()
    local function gradient(through)
      local leaf = x:detach():requires_grad_()
      local y = ops.batch_norm(leaf, nil, nil, nil, nil, { training = true })
      through(y)
      return leaf.grad
    end
    local before = given:totable()
    local seen = gradient(function(y) y:backward(given) end)
    assert.same(before, given:totable())
    local product = gradient(function(y) (y * given):sum():backward() end)   -- dy is a tensor of the tape's own
    assert.same(seen:totable(), product:totable())
  end)

  it("keeps its digits where the mean is large, also after an unlike first row", function()
    local x = perilune.randn(64, 2, 9, 9)
    local shifted = x + 3000
    shifted:select(3, 1):fill_(0)
    local double = shifted:to("float64")
    for _, order in ipairs { "contiguous", "lanes" } do
      local t = shifted
      if order == "lanes" then t = shifted:permute { 2, 3, 4, 1 }:contiguous():permute { 4, 1, 2, 3 } end
      local y = ops.batch_norm(t, nil, nil, nil, nil, { training = true })
      local expected = ops.batch_norm(double, nil, nil, nil, nil, { training = true })
      for _, at in ipairs { { 1, 1, 1, 1 }, { 64, 2, 9, 9 }, { 7, 1, 5, 2 } } do
        near(expected[at[1]][at[2]][at[3]][at[4]]:item(), y[at[1]][at[2]][at[3]][at[4]]:item(), 1e-4)
      end
    end
  end)
end)

describe("layer_norm", function()
  it("wants the last dims of x", function()
    assert.has_error(function() ops.layer_norm(perilune.ones(2, 3), { 4 }) end)
    assert.has_error(function() ops.layer_norm(perilune.ones(2, 3), {}) end)
  end)
end)

describe("dropout", function()
  local function dropped(threads, x, p)
    perilune.set_num_threads(threads)
    perilune.manual_seed(3)
    return ops.dropout(x, p)
  end

  it("keeps the expectation and has the same bits for any number of threads", function()
    local kept = perilune.get_num_threads()
    local x = perilune.ones(300, 401)
    local one, two = dropped(1, x, 0.25), dropped(2, x, 0.25)
    perilune.set_num_threads(kept)
    assert.is_true(ops.eq(one, two):all():item())
    local share = ops.gt(one, 0):to("float32"):mean():item()
    assert.is_true(math.abs(share - 0.75) < 0.01, tostring(share))
    assert.is_true(ops.ge(ops.eq(one, 0):to("float32") + ops.gt(one, 1.3333):to("float32"), 1):all():item())
  end)

  it("draws its mask from the stream that random numbers come from", function()
    perilune.manual_seed(5)
    local y = ops.dropout(perilune.ones(1003), 0.5)
    perilune.manual_seed(5)
    local u = perilune.rand(1003)
    assert.is_true(ops.eq(ops.ge(u, 0.5), ops.gt(y, 0)):all():item())
  end)

  it("passes gradients where it passed values", function()
    local x = perilune.randn(17, 5):requires_grad_(true)
    local y = ops.dropout(x, 0.5)
    y:backward(perilune.ones(17, 5))
    assert.is_true(ops.eq(ops.ne(y:detach(), 0), ops.eq(x.grad, 2)):all():item())
  end)

  it("refuses what is no probability", function()
    assert.has_error(function() ops.dropout(perilune.ones(3), 1.5) end)
    assert.has_error(function() ops.dropout(perilune.ones(3), 0 / 0) end)
  end)
end)

describe("batch_norm of an empty batch", function()
  it("gives an empty batch, gradients of 0, and leaves the running statistics alone", function()
    for _, shape in ipairs { { 0, 3 }, { 0, 3, 2, 2 }, { 2, 3, 0, 2 } } do
      for _, dtype in ipairs { "float32", "float64" } do
        local x = perilune.zeros(shape, { dtype = dtype, requires_grad = true })
        local weight, bias = perilune.ones(3, { dtype = dtype, requires_grad = true }), perilune.zeros(3, { dtype = dtype })
        local mean, var = perilune.zeros(3, { dtype = dtype }), perilune.ones(3, { dtype = dtype })
        bias.requires_grad = true
        for _, training in ipairs { true, false } do
          local y = ops.batch_norm(x, weight, bias, mean, var, { training = training })
          assert.are.same(shape, y.shape)
          y:sum():backward()
        end
        assert.are.same(shape, x.grad.shape)
        assert.are.same({ { 0, 0, 0 }, { 0, 0, 0 } }, { weight.grad:totable(), bias.grad:totable() })
        assert.are.same({ { 0, 0, 0 }, { 1, 1, 1 } }, { mean:totable(), var:totable() })
      end
    end
    assert.error_matches(function() ops.batch_norm(perilune.ones(1, 3), nil, nil, nil, nil, { training = true }) end,
                         "more than one value a channel")
  end)
end)
