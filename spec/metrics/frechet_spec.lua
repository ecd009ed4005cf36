-- frechet_distance against NumPy and SciPy (spec/reference/frechet.py), and where it is known by hand.
local cjson = require "cjson"
local perilune = require "perilune"
local distance = perilune.metrics.frechet_distance

local data = assert(perilune.load("spec/reference/frechet.safetensors", { flat = true }))
local file = assert(io.open("spec/reference/frechet.json"))
local reference = cjson.decode(file:read("a"))
file:close()

local function raises(text, ...)
  local fine, message = pcall(distance, ...)
  assert.is_false(fine, "no error")
  assert.matches(text, message, 1, true)
  assert.matches("frechet_spec.lua:%d+: ", message)
end

describe("frechet_distance", function()
  for name, expected in pairs(reference) do
    it("is SciPy's: " .. name, function()
      local x, y = data[name .. ".x"], data[name .. ".y"]
      -- sqrtm, and the roots of eigenvalues that should be 0, keep about half of the digits.
      local tolerance = name == "few" and 1e-6 or 1e-9
      for _, found in ipairs { distance(x, y), distance(y, x) } do
        assert.is_true(math.abs(found - expected) < tolerance * expected, ("%.15g, not %.15g"):format(found, expected))
      end
    end)
  end

  it("is the squared way between the means where the covariances are the same", function()
    local x = data["float64.x"]
    assert.is_true(distance(x, x) < 1e-9)
    assert.is_true(math.abs(distance(x, x + perilune.tensor { 3, 0, 4, 0, 0 }) - 25) < 1e-9)
  end)

  it("compares standard deviations in one dimension, (s - t)^2", function()
    local x = perilune.tensor { { 1 }, { 2 }, { 3 }, { 6 } }:to("float64")
    local s = x:std():item()
    assert.is_true(math.abs(distance(x, (x - 3) * 3 + 3) - (2 * s) ^ 2) < 1e-9)
    assert.is_true(math.abs(distance(x, x * 0 + 3) - s ^ 2) < 1e-9)   -- one without spread
  end)

  it("leaves no tensors and records nothing", function()
    local x = perilune.randn(20, 3):requires_grad_()
    collectgarbage()
    local before = perilune.memory().tensors
    distance(x, x * 2)
    collectgarbage()
    assert.equal(before, perilune.memory().tensors)
  end)

  it("says what is wrong", function()
    local x = perilune.randn(5, 3)
    raises("x must be a float tensor (samples, features)", x:to("int64"), x)
    raises("y must be a float tensor (samples, features)", x, x:select(1, 1))
    raises("x needs 2 or more samples", x:narrow(1, 1, 1), x)
    raises("x has 3 features but y has 2", x, x:narrow(2, 1, 2))
    raises("y has NaN or infinite values", x, x / 0)
    raises("x has no features", perilune.zeros(3, 0), perilune.zeros(3, 0))
  end)
end)
