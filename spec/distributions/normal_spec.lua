-- perilune.distributions against torch.distributions (spec/reference/distributions.py).
local cjson = require "cjson"
local perilune = require "perilune"
local compare = require "support.close"
local distributions = perilune.distributions
local Normal, kl_divergence = distributions.Normal, distributions.kl_divergence

local file = assert(io.open("spec/reference/distributions.json"))
local reference = cjson.decode(file:read("a"))
file:close()

local function tensor(values) return perilune.tensor(values, { dtype = "float64" }) end

local function assert_close(actual, expected, what, tolerance)
  local wanted = tensor(expected)
  assert.are.same(wanted.shape, actual.shape, what)
  assert.is_nil(compare.differs(what, actual:flatten():totable(), wanted:flatten():totable(), { wanted:numel() },
    tolerance or 1e-12))
end

local function fails(pattern, f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  assert.matches(pattern, message)
end

describe("Normal", function()
  local p = Normal(tensor(reference.loc), tensor(reference.scale))

  it("has PyTorch's density, distribution, entropy and variance", function()
    local x = tensor(reference.x)
    assert_close(p:log_prob(x), reference.log_prob, "log_prob")
    assert_close(p:cdf(x), reference.cdf, "cdf")
    assert_close(p:entropy(), reference.entropy, "entropy")
    assert_close(p.variance, reference.variance, "variance")
    assert_close(p.mean, reference.loc, "mean")
    assert_close(p.stddev, reference.scale, "stddev")
  end)

  it("takes numbers, and broadcasts", function()
    assert.is_true(math.abs(Normal(0, 1):log_prob(0.0):item() + 0.9189385) < 1e-6)
    assert.are.same({ 3 }, Normal(tensor { 1, 2, 3 }, 2):sample().shape)
    assert.are.same({ 2, 3 }, Normal(tensor { { 1 }, { 2 } }, tensor { 1, 2, 3 }):entropy().shape)
    assert.are.equal("float64", Normal(1, tensor { 1, 2 }):sample().dtype)
  end)

  it("draws what it says, and lets gradients pass only through rsample", function()
    perilune.manual_seed(1)
    local loc = perilune.full({ 20000 }, 3.0):requires_grad_()
    local scale = perilune.full({ 20000 }, 2.0):requires_grad_()
    local normal = Normal(loc, scale)
    local drawn = normal:rsample()
    -- Four standard errors.
    assert.is_true(math.abs(drawn:mean():item() - 3) < 4 * 2 / math.sqrt(20000))
    assert.is_true(math.abs(drawn:std():item() - 2) < 4 * 2 / math.sqrt(40000))
    drawn:sum():backward()
    assert.is_true(loc.grad:eq(1):all():item())
    assert.is_true(math.abs(scale.grad:std():item() - 1) < 0.03)
    assert.is_false(normal:sample().requires_grad)
  end)

  it("says what is wrong", function()
    fails("scale must be positive", Normal, 0, 0)
    fails("scale must be positive", Normal, tensor { 0, 0 }, tensor { 1, 0 / 0 })
    fails("loc must be a number or a tensor, got string", Normal, "0", 1)
    fails("two Normals", kl_divergence, Normal(0, 1), {})
  end)
end)

describe("kl_divergence", function()
  local function distributions_of(requires_grad)
    local values = {}
    for i, name in ipairs { "loc", "scale", "other_loc", "other_scale" } do
      values[i] = tensor(reference[name]):requires_grad_(requires_grad)
    end
    return Normal(values[1], values[2]), Normal(values[3], values[4]), values
  end

  it("is PyTorch's, and so are its gradients", function()
    local p, q, values = distributions_of(true)
    local kl = kl_divergence(p, q)
    assert_close(kl, reference.kl, "kl")
    kl:sum():backward()
    for i, value in ipairs(values) do assert_close(value.grad, reference.kl_gradients[i], "gradient " .. i, 1e-10) end
  end)

  it("is what Monte Carlo finds", function()
    perilune.manual_seed(2)
    local p = Normal(perilune.full({ 200000 }, 0.5), perilune.full({ 200000 }, 1.5))
    local q = Normal(perilune.full({ 200000 }, -0.2), perilune.full({ 200000 }, 0.8))
    local x = p:sample()
    local difference = p:log_prob(x) - q:log_prob(x)
    local wanted = kl_divergence(p, q)[1]:item()
    local error_of_mean = difference:std():item() / math.sqrt(200000)
    assert.is_true(math.abs(difference:mean():item() - wanted) < 4 * error_of_mean)
    assert.is_true(error_of_mean < 0.01 * wanted)
  end)

  it("has the gradient that differences give", function()
    local q = Normal(tensor { 0.0, 0.4 }, tensor { 1.0, 0.7 })
    for _, at in ipairs { 1, 2 } do
      local mean, log_variance = tensor { 0.7, -1.2 }:requires_grad_(), tensor { -0.5, 0.3 }:requires_grad_()
      local function divergence(m, v) return kl_divergence(Normal(m, (v * 0.5):exp()), q):sum() end
      divergence(mean, log_variance):backward()
      for k, leaf in ipairs { mean, log_variance } do
        local step, low = 1e-5, { mean:detach():clone(), log_variance:detach():clone() }
        local high = { low[1]:clone(), low[2]:clone() }
        low[k][at] = low[k][at]:item() - step
        high[k][at] = high[k][at]:item() + step
        local difference = (divergence(high[1], high[2]):item() - divergence(low[1], low[2]):item()) / (2 * step)
        assert.is_true(math.abs(difference - leaf.grad[at]:item()) < 1e-8)
      end
    end
  end)

  it("of a distribution with itself is zero", function()
    local p = distributions_of(false)
    assert.is_true(kl_divergence(p, p):eq(0):all():item())
  end)
end)
