local perilune = require "perilune"

-- Element by element, in Lua: the naive twin of the tiled transpose.
local function same(a, b)
  a, b = a:flatten():totable(), b:flatten():totable()
  assert.are.equal(#a, #b)
  for i = 1, #a do if a[i] ~= b[i] then return false end end
  return true
end

describe("the lanes order", function()
  it("holds the same values for any sizes, there and back", function()
    for _, shape in ipairs { { 1, 1 }, { 7, 3 }, { 16, 16 }, { 17, 33 }, { 32, 50 }, { 40, 3, 5, 7 }, { 256, 1, 28, 28 } } do
      local t = perilune.arange(1, perilune.zeros(shape):numel()):reshape(shape):to("float32")
      local lanes = t:lanes()
      assert.is_true(lanes:is_lanes())
      assert.is_true(same(t, lanes))
      for i = 1, math.min(3, shape[1]) do assert.is_true(same(t[-i], lanes[-i])) end
      assert.is_true(same(t, lanes:contiguous()))
      assert.is_true(lanes:contiguous():is_contiguous())
    end
  end)

  it("pads eight, then multiples of sixteen", function()
    local function padded(n) return perilune.zeros(n, 3):lanes():stride()[2] end
    assert.are.same({ 8, 8, 16, 16, 32, 64 }, { padded(1), padded(8), padded(9), padded(16), padded(17), padded(50) })
  end)

  it("is kept by clone and to", function()
    local t = perilune.randn(20, 3, 2):lanes()
    assert.is_true(t:clone():is_lanes())
    assert.is_true(t:to("float64"):is_lanes())
    assert.is_true(same(t, t:to("float64"):to("float32")))
    assert.is_false(t[{ { 1, 10 } }]:is_lanes())
    assert.matches("at least 2 dims", select(2, pcall(function() perilune.zeros(3):lanes() end)))
  end)
end)
