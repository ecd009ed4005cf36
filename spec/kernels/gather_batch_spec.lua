-- csrc/kernels/gather_batch.c against a naive twin in Lua.
local perilune = require "perilune"
local core = require "perilune.core"

local gather, permutation = core.data.gather_batch, core.data.permutation

local function raises(text, f, ...)
  local fine, message = pcall(f, ...)
  assert.is_false(fine, "no error")
  assert.matches(text, message, 1, true)
end

local function naive(source, index, scale)
  local rows, out = source:totable(), {}
  local function scaled(value)
    if type(value) == "table" then
      local list = {}
      for i, entry in ipairs(value) do list[i] = scaled(entry) end
      return list
    end
    if not scale then return value end
    return string.unpack("f", string.pack("f", string.unpack("f", string.pack("f", scale)) * value))
  end
  for b, i in ipairs(index) do out[b] = scaled(rows[i]) end
  return out
end

local function bytes(...)
  return perilune.randint(0, 255, { ... }):to("uint8")
end

describe("gather_batch", function()
  it("lays out, scales and copies as its naive twin does", function()
    perilune.manual_seed(1)
    local sources = { bytes(9, 2, 7, 13), bytes(5, 3, 7), bytes(4, 16), bytes(3, 1), bytes(6, 100),
      perilune.randn(7, 2, 5) }
    for _, source in ipairs(sources) do
      for _, batch in ipairs { 1, 8, 9, 31, 48 } do
        local rows = perilune.randint(1, source.shape[1], { batch })
        local index = rows:totable()
        for _, lanes in ipairs { true, false } do
          local y = gather(source, rows, { scale = 1 / 255, lanes = lanes })
          assert.equal("float32", y.dtype)
          assert.same(naive(source, index, 1 / 255), y:totable())
          assert.is_true(lanes and y:is_lanes() or not lanes and y:is_contiguous())
        end
        local y = gather(source, rows)
        assert.equal(source.dtype, y.dtype)
        assert.same(naive(source, index), y:totable())
      end
    end
  end)

  it("gathers labels and empty batches", function()
    local labels = perilune.arange(10, 20)
    assert.same({ 12, 10, 12 }, gather(labels, perilune.tensor { 3, 1, 3 }):totable())
    local none = gather(bytes(3, 4), perilune.empty({ 0 }, { dtype = "int64" }), { scale = 1, lanes = true })
    assert.same({ 0, 4 }, none.shape)
  end)

  it("has the same bits for any number of threads", function()
    perilune.manual_seed(1)
    local source, rows = bytes(50, 3, 16, 16), perilune.randint(1, 50, { 50 })
    local threads = perilune.get_num_threads()
    perilune.set_num_threads(1)
    local one = gather(source, rows, { scale = 1 / 255, lanes = true })
    perilune.set_num_threads(3)
    local three = gather(source, rows, { scale = 1 / 255, lanes = true })
    perilune.set_num_threads(threads)
    assert.same(one:totable(), three:totable())
  end)

  it("refuses what it cannot do", function()
    local source = bytes(3, 4)
    raises("gather_batch: index 2 is 4 but source has 3 rows", gather, source, perilune.tensor { 1, 4 })
    raises("index 1 is 0 but source has 3 rows", gather, source, perilune.tensor { 0 }, { scale = 1, lanes = true })
    raises("index must be (B) int64 but is (2) float32", gather, source, perilune.ones(2))
    raises("only uint8 and float32 can be scaled, source is int64", gather, perilune.arange(1, 3),
      perilune.tensor { 1 }, { scale = 2 })
    raises("lanes needs a scale and 2 dims", gather, perilune.ones(3), perilune.tensor { 1 },
      { scale = 2, lanes = true })
    raises("source must be contiguous", gather, perilune.ones(3, 4):t(), perilune.tensor { 1 })
    raises("must be a tensor", gather, 3, 4)
  end)
end)

describe("permutation", function()
  it("depends on its arguments alone", function()
    local one = permutation(100, 7, 1):totable()
    perilune.manual_seed(1)
    local first = perilune.rand(3):totable()
    perilune.manual_seed(1)
    assert.same(one, permutation(100, 7, 1):totable())
    assert.same(first, perilune.rand(3):totable())
    assert.not_same(one, permutation(100, 7, 2):totable())
    assert.not_same(one, permutation(100, 8, 1):totable())
    table.sort(one)
    for i = 1, 100 do assert.equal(i, one[i]) end
    assert.same({ 0 }, permutation(0, 1, 1).shape)
  end)
end)
