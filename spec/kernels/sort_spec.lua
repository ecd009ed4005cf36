-- What the generic spec does not see of sort, argsort and topk: NaN, ties, long lines, dtypes, errors.
local perilune = require "perilune"

local nan = 0 / 0
local function tensor(values, dtype) return perilune.tensor(values, { dtype = dtype }) end

local function message_of(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return message
end

describe("sort", function()
  it("is stable and puts NaN last, or first when descending", function()
    local x = tensor { 2, nan, -1, 2, 0.0, -0.0 }
    local values, indices = x:sort()
    assert.are.same({ 3, 5, 6, 1, 4, 2 }, indices:totable())
    assert.are.equal(-1, values[1]:item())
    assert.are.same({ 2, 1, 4, 5, 6, 3 }, x:argsort(1, true):totable())
    local _, best = x:topk(3)
    assert.are.same({ 2, 1, 4 }, best:totable())
  end)

  it("agrees with table.sort on lines of any length and every dtype", function()
    perilune.manual_seed(3)
    for _, n in ipairs { 1, 2, 23, 24, 25, 300, 20000 } do
      for _, dtype in ipairs { "float32", "float64", "int64", "uint8" } do
        local x = (perilune.rand(n) * 200):to(dtype)
        if dtype ~= "uint8" then x = x - 100 end
        local expected = x:totable()
        table.sort(expected)
        local values, indices = x:sort()
        assert.are.same(expected, values:totable())
        assert.are.same(expected, x:index_select(1, indices):totable())
        local down = x:sort(1, true)
        assert.are.same(expected, down:flip(1):totable())
        local k = math.min(n, 100)
        local few = x:topk(k, 1, false)
        assert.are.same(table.move(expected, 1, k, 1, {}), few:totable())
      end
    end
  end)

  it("takes empty and 0-dim tensors", function()
    assert.are.same({ 0, 3 }, perilune.zeros(0, 3):sort(1).shape)
    assert.are.same({ 2, 0 }, perilune.zeros(2, 3):topk(0).shape)
    assert.are.equal(1, perilune.tensor(5.0):argsort():item())
  end)

  it("refuses a k that is too large", function()
    assert.matches("topk: k is 4 but dim 2 of x, which is %(2, 3%), has 3 elements",
                   message_of(function() return perilune.ones(2, 3):topk(4) end))
  end)
end)
