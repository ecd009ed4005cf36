-- Where labels go: against another implementation of the paper, and on logarithmic axes by hand.
local cjson = require "cjson"
local number_text = require "perilune.plot.number_text"
local ticks = require "perilune.plot.ticks"

local function cases()
  local file <close> = assert(io.open("spec/reference/ticks.json"))
  return cjson.decode(file:read("a"))
end

local function same(expected, actual, what)
  assert.equal(#expected, #actual, what)
  local span = math.max(math.abs(expected[1]), math.abs(expected[#expected]))
  for i = 1, #expected do assert.near(expected[i], actual[i], 1e-9 * span, what) end
end

describe("ticks of a linear axis", function()
  it("are those of the paper", function()
    for _, case in ipairs(cases()) do
      local low, high, wanted, inside, expected = table.unpack(case)
      local what = ("%g .. %g, %d, inside %s"):format(low, high, wanted, inside)
      same(expected, (ticks.extended(low, high, wanted, inside)), what)
    end
  end)

  it("have the step between them, and an exact zero", function()
    local places, step = ticks.extended(-0.3, 0.3, 5, true)
    assert.near(places[2] - places[1], step, 1e-12)
    local zero = false
    for _, place in ipairs(places) do zero = zero or place == 0 end
    assert.is_true(zero)
  end)

  it("come back from every range that doubles can have", function()
    for _, range in ipairs { { 1e-300, 2e-300 }, { -1e300, 1e300 }, { 1e15, 1e15 + 1 }, { 0, 5e-324 * 1e20 },
      { 0, 5e-324 }, { -1e-310, 2e-310 } } do
      local places = ticks.extended(range[1], range[2], 5, true)
      assert.is_true(#places >= 2 and #places <= 20)
      for i, place in ipairs(places) do
        assert.is_true(place >= range[1] and place <= range[2])
        assert.is_true(i == 1 or place > places[i - 1])
      end
    end
  end)

  it("are whole where only whole numbers have a meaning", function()
    assert.same({ 1, 2, 3 }, ticks.integers(0.8, 3.2, 6))
    for high = 1, 300 do
      for wanted = 2, 10 do
        local places = ticks.integers(0.5, high + 0.5, wanted)
        assert.is_true(#places >= math.min(high, 2) and #places <= 2 * wanted, ("%d, %d wanted"):format(high, wanted))
        for i, place in ipairs(places) do
          assert.equal("integer", math.type(place))
          assert.is_true(place >= 1 and place <= high)
          assert.equal(places[2] and places[2] - places[1], i > 1 and place - places[i - 1] or places[2] and places[2] - places[1])
        end
      end
    end
    assert.same({}, ticks.integers(0.2, 0.8, 5))
  end)
end)

describe("ticks of a logarithmic axis", function()
  it("are powers of ten, every k-th where there are many", function()
    assert.same({ 0.01, 0.1, 1, 10, 100 }, (ticks.logarithmic(0.009, 110, 6)))
    assert.same({ 1e-4, 1e4 }, (ticks.logarithmic(1e-4, 1e4, 2)))
    local places = ticks.logarithmic(1e-20, 1e20, 8)
    assert.is_true(#places >= 4 and #places <= 9)
    for i = 3, #places do assert.near(places[2] / places[1], places[i] / places[i - 1], 1e-6 * places[2] / places[1]) end
  end)

  it("have 2 and 5 times them where there are few, and linear ones in a narrow range", function()
    assert.same({ 1, 2, 5, 10, 20, 50 }, (ticks.logarithmic(0.9, 60, 8)))
    assert.same({ 0.002, 0.005, 0.01 }, (ticks.logarithmic(0.002, 0.01, 8)))
    local places = ticks.logarithmic(0.0118, 0.0149, 5)
    assert.is_true(#places >= 3)
    for _, place in ipairs(places) do assert.is_true(place >= 0.0118 and place <= 0.0149) end
  end)

  it("leave no room for fine lines where these would be a grey area", function()
    local _, minor = ticks.logarithmic(1e-10, 1e10, 6)
    assert.equal(21, #minor)
    _, minor = ticks.logarithmic(1e-100, 1e100, 6)
    assert.same({}, minor)
  end)
end)

describe("numbers as labels", function()
  it("begin and end an axis that is widened to them", function()
    assert.same({ 10, 20, 30, 40, 50, 60, 70 }, (ticks.around(16, 64, 6, true)))
    assert.same({ 0, 1, 2, 3 }, (ticks.around(0, 3, 6, true)))
    assert.same({ 4, 5, 6 }, (ticks.around(4.75, 5.25, 6, true)))
    assert.same({ 1e-4, 1e-3, 1e-2, 1e-1 }, ticks.around_logarithmic(1.1e-4, 0.09, 6))
    assert.same({ 1e-3, 1e-2, 1e-1 }, ticks.around_logarithmic(1e-3, 1e-1, 6))
    assert.same({ 2, 5, 10, 20, 50, 100, 200 }, ticks.around_logarithmic(4, 116, 6))
    assert.same({ 2, 5 }, ticks.around_logarithmic(2, 5, 6))
    assert.same({ 0.5, 1, 2 }, ticks.around_logarithmic(0.501, 1.995, 6, true))      -- around a single 1
    assert.same({ 2, 3, 4 }, ticks.around_logarithmic(2, 4, 6, true))
    assert.same({ 6, 7, 8 }, ticks.around_logarithmic(6, 8, 6, true))
    assert.same({ nil, nil }, { ticks.around(-1e300, 1e300, 6), (ticks.around_logarithmic(1e-305, 1, 6)) })
    for k = -280, 280, 7 do
      for _, share in ipairs { 1.001, 1.3, 2, 7, 90, 1e3, 1e20 } do
        local low = 1.7 * 10.0 ^ k
        local high = math.min(low * share, 1e289)
        for _, places in ipairs { (ticks.around(low, high, 6)), (ticks.around_logarithmic(low, high, 6)) } do
          assert.is_true(places[1] <= low * (1 + 1e-9) and places[#places] >= high * (1 - 1e-9))
          assert.is_true(#places >= 2 and #places <= 10, #places)
        end
      end
    end
  end)

  it("have as many digits as tell them apart", function()
    assert.same({ "0.0", "0.5", "1.0" }, number_text.of_list({ 0, 0.5, 1 }, 0.5))
    assert.same({ "−2", "0", "2" }, number_text.of_list({ -2, 0, 2 }, 2))
    assert.same({ "0", "20,000" }, number_text.of_list({ 0, 20000 }, 20000))
    assert.same({ "−125,000.5" }, number_text.of_list({ -125000.5 }, 1))
    assert.same({ "1000", "1500" }, number_text.of_list({ 1000, 1500 }, 500))
    assert.same({ "0.0013", "0.0014" }, number_text.of_list({ 0.0013, 0.0014 }, 0.0001))
  end)

  it("raise powers of ten", function()
    assert.same({ "0", "5×10⁻⁵" }, number_text.of_list({ 0, 5e-5 }, 5e-5))
    assert.same({ "2×10⁶", "4×10⁶" }, number_text.of_list({ 2e6, 4e6 }, 2e6))
    -- Unless the plain number is the shorter one.
    assert.same({ "1,000,000,000", "1,000,000,003" }, number_text.of_list({ 1e9, 1e9 + 3 }, 3))
    assert.same({ "1.0005×10⁻⁵", "1.0010×10⁻⁵" }, number_text.of_list({ 1.0005e-5, 1.001e-5 }, 5e-9))
    assert.same({ "10⁻⁵", "10⁰", "10⁵" }, number_text.of_powers { 1e-5, 1, 1e5 })
    assert.same({ "0.01", "0.1", "1" }, number_text.of_powers { 0.01, 0.1, 1 })
    assert.same({ "2×10⁻⁵", "10⁻⁴" }, number_text.of_powers { 2e-5, 1e-4 })
  end)

  it("are short alone", function()
    for value, expected in pairs { [0.61] = "0.61", [0.123456] = "0.123", [1234.6] = "1235", [-2.5] = "−2.5",
      [0] = "0", [1.5e-7] = "1.5×10⁻⁷", [3e8] = "3×10⁸", [math.huge] = "∞" } do
      assert.equal(expected, number_text.short(value))
    end
    assert.equal("nan", number_text.short(0 / 0))
  end)
end)
