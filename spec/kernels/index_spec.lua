-- What the generic spec does not see of the index operations: ranges, duplicates, dtypes, empty tensors, errors.
local perilune = require "perilune"

local function index(values) return perilune.tensor(values, { dtype = "int64" }) end

local function message_of(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return message
end

describe("index operations", function()
  local x = perilune.tensor({ { 1, 2, 3 }, { 4, 5, 6 } }, { dtype = "float32" })

  it("check the range of their indices", function()
    assert.matches("index_select: index has 3, which is not in 1%.%.2",
                   message_of(perilune.index_select, x, 1, index { 1, 3 }))
    assert.matches("gather: index has 0, which is not in 1%.%.3",
                   message_of(perilune.gather, x, 2, index { { 0 }, { 1 } }))
    assert.matches("index is float32; it must be int64",
                   message_of(perilune.index_select, x, 1, perilune.ones(1)))
    assert.matches("scatter_add: x is %(2, 3%) but index is %(3%)",
                   message_of(perilune.scatter_add, x, 1, index { 1, 1, 1 }, x))
    assert.matches("gather: x is %(2, 3%) but index is %(3, 1%): it is larger along dim 1",
                   message_of(perilune.gather, x, 2, index { { 1 }, { 1 }, { 1 } }))
    assert.matches("scatter: src is %(1, 1%) but index is",
                   message_of(perilune.scatter, x, 1, index { { 1, 1 } }, perilune.ones(1, 1)))
  end)

  it("add up duplicates", function()
    local y = perilune.zeros(2, 3):scatter_add(1, index { { 1, 1, 2 }, { 1, 2, 2 } }, x)
    assert.are.same({ { 5, 2, 0 }, { 0, 5, 9 } }, y:totable())
    local leaf = perilune.ones(3, 2):requires_grad_(true)
    leaf:index_select(1, index { 2, 2, 3 }):sum():backward()
    assert.are.same({ { 0, 0 }, { 2, 2 }, { 1, 1 } }, leaf.grad:totable())
  end)

  it("take every dtype, nothing, and 0 dims", function()
    for _, dtype in ipairs { "bool", "uint8", "int64", "float64" } do
      local t = perilune.tensor({ 1, 0, 1 }, { dtype = "int64" }):to(dtype)
      assert.are.equal(dtype, t:index_select(1, index { 3, 2 }).dtype)
      assert.are.same({ { 1 }, { 3 } }, t:nonzero():totable())
      assert.are.equal(2, t:masked_select(t:ne(0)):numel())
    end
    assert.are.same({ 0, 3 }, x:index_select(1, perilune.zeros({ 0 }, { dtype = "int64" })).shape)
    assert.are.same({ 0, 2 }, perilune.zeros(2, 2):nonzero().shape)
    assert.are.same({ 0 }, x:masked_select(x:gt(9)).shape)
    assert.are.same({ 1, 0 }, perilune.tensor(3.0):nonzero().shape)
  end)

  it("join tensors of one shape, and say which does not fit", function()
    assert.are.equal("float32", perilune.cat({ index { 1 }, perilune.ones(1) }).dtype)
    assert.are.same({ 2, 2, 3 }, perilune.stack({ x, x }, 2).shape)
    assert.matches("cat: tensor 1 is %(2, 3%) but tensor 2 is %(2, 2%): only dim 1 may differ",
                   message_of(perilune.cat, { x, perilune.ones(2, 2) }))
    assert.matches("stack: tensor 1 is %(2, 3%) but tensor 2 is %(3, 2%)",
                   message_of(perilune.stack, { x, perilune.ones(3, 2) }))
    assert.matches("cat: tensors is an empty list", message_of(perilune.cat, {}))
  end)

  it("make one-hot rows", function()
    assert.are.same({ { 0, 1, 0 }, { 1, 0, 0 } }, perilune.nn.functional.one_hot(index { 2, 1 }, 3):totable())
    assert.matches("one_hot: x has 4, which is not in 1%.%.3", message_of(perilune.nn.functional.one_hot, index { 4 }, 3))
  end)
end)
