local perilune = require "perilune"

local function message_of(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return message
end

local function matrix() return perilune.arange(1, 12):reshape(3, 4) end

describe("indexing", function()
  it("selects, ranges and combines them", function()
    local t = matrix()
    assert.are.same({ 5, 6, 7, 8 }, t[2]:totable())
    assert.are.equal(7, t[2][3]:item())
    assert.are.same({ 9, 10, 11, 12 }, t[-1]:totable())
    assert.are.same({ { 5, 6, 7, 8 }, { 9, 10, 11, 12 } }, t[{ { 2, 3 } }]:totable())
    assert.are.same({ 3, 7 }, t[{ { 1, 2 }, 3 }]:totable())
    assert.are.same({ { 2, 4 }, { 6, 8 }, { 10, 12 } }, t[{ {}, { 2, -1, 2 } }]:totable())
    assert.are.equal(8, t[{ 2, 4 }]:item())
    assert.are.same(t:totable(), t[{}]:totable())
  end)

  it("picks with masks and index tensors", function()
    local t = matrix()
    assert.are.same({ 10, 11, 12 }, t[t:gt(9)]:totable())
    assert.are.same({ { 9, 10, 11, 12 }, { 1, 2, 3, 4 } }, t[perilune.tensor { 3, 1 }]:totable())
  end)

  it("assigns through every kind of index", function()
    local t = perilune.zeros(2, 3)
    t[1] = 5
    t[{ 2, { 2, 3 } }] = perilune.tensor { 7, 8 }
    assert.are.same({ { 5, 5, 5 }, { 0, 7, 8 } }, t:totable())
    t[t:gt(6)] = -1
    assert.are.same({ { 5, 5, 5 }, { 0, -1, -1 } }, t:totable())
    t[perilune.tensor { 2, 1 }] = perilune.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
    assert.are.same({ { 4, 5, 6 }, { 1, 2, 3 } }, t:totable())
    t[{ {}, 1 }] = 0.5
    assert.are.same({ { 0.5, 5, 6 }, { 0.5, 2, 3 } }, t:totable())
  end)

  it("copies overlapping parts as they were", function()
    local t = perilune.arange(1, 5)
    t[{ { 2, 5 } }] = t[{ { 1, 4 } }]
    assert.are.same({ 1, 1, 2, 3, 4 }, t:totable())
  end)

  it("refuses to write into repeated elements", function()
    local base = perilune.zeros(1, 3)
    local t = base:expand(4, 3)
    local more = perilune.ones(4, 3)
    for _, name in ipairs { "add_", "copy_" } do
      assert.matches("copy: the target %(4, 3%) repeats elements %(expand%); clone it first", message_of(t[name], t, more))
    end
    assert.matches("repeats elements", message_of(t.fill_, t, 1))
    assert.matches("repeats elements", message_of(t.normal_, t))
    assert.matches("repeats elements", message_of(function() t[{ { 1, 2 } }] = 1 end))
    assert.are.same({ { 0, 0, 0 } }, base:totable())
    local y = (perilune.zeros(1, { requires_grad = true }) * 1):expand(4)
    assert.is_false(pcall(y.add_, y, 1))
    t[2] = 1 -- one row: nothing in it is repeated
    assert.are.same((more + 1):totable(), t:clone():add_(more):totable())
    base:expand(1, 3):add_(1)
    assert.are.same({ { 2, 2, 2 } }, base:totable())
  end)

  it("refuses what does not exist", function()
    local t = matrix()
    assert.matches("index 4 is not in 1%.%.3", message_of(function() return t[4] end))
    assert.matches("index 0 is not in", message_of(function() return t[0] end))
    assert.matches("index %-4 is not in", message_of(function() return t[-4] end))
    assert.matches("the range 2%.%.9 is not in 1%.%.3", message_of(function() return t[{ { 2, 9 } }] end))
    assert.matches("too many indices", message_of(function() return t[{ 1, 1, 1 }] end))
    assert.matches("step is 0", message_of(function() return t[{ { 1, 2, 0 } }] end))
    assert.matches("no field or method 'nope'", message_of(function() return t.nope end))
    assert.matches("cannot be set", message_of(function() t.nope = 1 end))
    assert.matches("cannot be written into", message_of(function() t[1] = perilune.zeros(3) end))
    assert.matches("not boolean", message_of(function() return t[true] end))
  end)

  it("iterates over rows", function()
    local sums = {}
    for i, row in matrix():iter() do sums[i] = row[1]:item() end
    assert.are.same({ 1, 5, 9 }, sums)
    for i, row in pairs(matrix()) do sums[i] = row[2]:item() end
    assert.are.same({ 2, 6, 10 }, sums)
    assert.are.equal(3, #matrix())
  end)
end)

describe("views", function()
  it("share memory where they can", function()
    local t = matrix()
    t:view(12)[5] = 50
    t:t()[1][3] = 90
    t:narrow(2, 3, 2)[1][2] = 40
    assert.are.same({ { 1, 2, 3, 40 }, { 50, 6, 7, 8 }, { 90, 10, 11, 12 } }, t:totable())
    assert.matches("need a copy", message_of(function() t:t():view(12) end))
    assert.are.same({ 1, 50, 90, 2 }, perilune.tensor(t:t():reshape(12):totable())[{ { 1, 4 } }]:totable())
  end)

  it("reshape, flatten, squeeze, permute, expand", function()
    local t = perilune.arange(1, 24):reshape(2, 3, 4)
    assert.are.same({ 2, 12 }, t:flatten(2).shape)
    assert.are.same({ 24 }, t:flatten().shape)
    assert.are.same({ 2, 3, 2, 2 }, t:unflatten(3, 2, 2).shape)
    assert.are.same({ 2, 3, 2, 2 }, t:unflatten(3, 2, -1).shape)
    assert.are.same({ 1, 2, 3, 4 }, t:unflatten(1, { -1, 2 }).shape)
    assert.matches("unflatten: dim 3 of x %(2, 3, 4%) cannot be split into %(3, %-1%)", message_of(t.unflatten, t, 3, 3, -1))
    assert.matches("unflatten: only one size can be %-1", message_of(t.unflatten, t, 3, -1, -1))
    assert.are.same({ 4, 2, 3 }, t:permute(3, 1, 2).shape)
    assert.are.equal(24, t:permute(3, 1, 2)[{ 4, 2, 3 }]:item())
    assert.are.same({ 2, 1, 3, 4 }, t:unsqueeze(2).shape)
    assert.are.same({ 2, 3, 4 }, t:unsqueeze(-1):squeeze(-1).shape)
    assert.are.same({ { 1, 1 }, { 2, 2 } }, perilune.tensor({ { 1 }, { 2 } }):expand(2, 2):totable())
    assert.are.same({ 3, 8 }, t:reshape(3, -1).shape)
    assert.matches("does not fit", message_of(t.reshape, t, 5, 5))
    assert.matches("only one size can be %-1", message_of(t.reshape, t, -1, -1))
  end)

  it("splits, chunks and unbinds", function()
    local t = perilune.arange(1, 7)
    local sizes = {}
    for i, piece in ipairs(t:split(3)) do sizes[i] = #piece end
    assert.are.same({ 3, 3, 1 }, sizes)
    assert.are.same({ 3, 4 }, t:split({ 2, 5 })[2][{ { 1, 2 } }]:totable())
    assert.are.equal(2, #t:chunk(2))
    assert.are.equal(4, #t:chunk(2)[1])
    assert.are.equal(3, #matrix():unbind())
    assert.are.same({ 2, 6, 10 }, matrix():unbind(2)[2]:totable())
    assert.matches("add up to 3", message_of(t.split, t, { 1, 2 }))
  end)

  it("keeps the lanes order through flatten and back", function()
    local t = perilune.randn(17, 3, 5):lanes()
    assert.is_true(t:is_lanes())
    assert.are.same({ 1, 160, 32 }, t:stride())
    local flat = t:flatten(2)
    assert.are.same({ 1, 32 }, flat:stride())
    assert.are.same(t:contiguous():totable(), flat:unflatten(2, 3, 5):totable())
  end)
end)

describe("shorthands", function()
  it("where as a method, // and comparisons", function()
    local x = perilune.tensor { -7, 0, 7 }
    assert.are.same({ 1, 1, 7 }, x:where(x:gt(0), perilune.ones(3, { dtype = "int64" })):totable())
    assert.are.same({ 0, 0, 7 }, x:where(x:gt(0), 0):totable())
    assert.are.same({ -4, 0, 3 }, (x // 2):totable())
    assert.are.same({ -1, 1 }, (7 // perilune.tensor { -7, 7 }):totable())
    assert.matches("index_spec.lua:%d+: .*use a:lt%(b%) or a:gt%(b%)", message_of(function() return x < 1 end))
    assert.matches("use a:le%(b%) or a:ge%(b%)", message_of(function() return x >= x end))
  end)

  it("tile", function()
    local x = perilune.tensor { { 1, 2 } }
    assert.are.same({ { 1, 2, 1, 2 }, { 1, 2, 1, 2 } }, x:tile(2, 2):totable())
    assert.are.same({ { { 1, 2 } }, { { 1, 2 } } }, x:tile(2, 1, 1):totable())
    assert.are.same({ { 1, 2, 1, 2, 1, 2 } }, x:tile(3):totable())
    assert.are.same({ 0, 2 }, x:tile({ 0, 1 }).shape)
    assert.are.same({ { 1, 2 }, { 3, 4 }, { 1, 2 }, { 3, 4 } }, perilune.tensor { { 1, 2 }, { 3, 4 } }:tile(2, 1):totable())
    assert.are.same({ { { 1, 1 }, { 2, 2 } } }, perilune.tensor { { { 1 }, { 2 } } }:tile(1, 1, 2):totable())
    assert.are.same({ 0, 6 }, perilune.zeros(0, 3):tile(5, 2).shape)
    local leaf = perilune.ones(2):requires_grad_()
    leaf:tile(3, 2):sum():backward()
    assert.are.same({ 6, 6 }, leaf.grad:totable())
    assert.matches("tile: a count must be", message_of(x.tile, x, -1))
    assert.matches("%d", message_of(x.tile, x, 1 << 62))     -- at once, not after filling the memory
  end)

  it("cov", function()
    local x = perilune.tensor { { 1.0, 2, 4 }, { 3.0, 1, -2 } }          -- numpy.cov of the same
    local expected = { { 7 / 3, -23 / 6 }, { -23 / 6, 19 / 3 } }
    for i, row in ipairs(x:cov():totable()) do
      for j, value in ipairs(row) do assert.near(expected[i][j], value, 1e-6) end
    end
    assert.are.same({ 3, 3 }, perilune.cov(x:t()).shape)
    assert.matches("index_spec.lua:%d+: cov: x must be .* got %(2, 1%)", message_of(perilune.cov, perilune.ones(2, 1)))
  end)

  it("dtypes, equal and allclose", function()
    local x = perilune.tensor { 1.5, 0 }
    assert.are.same({ "float64", "int64", "uint8", "bool", "float32" },
      { x:double().dtype, x:long().dtype, x:byte().dtype, x:bool().dtype, x:long():float().dtype })
    assert.is_true(perilune.equal(x, x:clone()))
    assert.is_false(perilune.equal(x, x + 1))
    assert.is_false(perilune.equal(x, x:unsqueeze(1)))
    assert.is_true(perilune.allclose(x, x * (1 + 1e-6)))
    assert.is_false(perilune.allclose(x, x * 1.001))
    assert.is_true(perilune.allclose(x, x * 1.001, { rtol = 1e-2 }))
    assert.is_false(perilune.allclose(perilune.tensor { 0 / 0 }, perilune.tensor { 0 / 0 }))
    assert.is_true(perilune.allclose(perilune.tensor { 1 / 0 }, perilune.tensor { 1 / 0 }))
  end)
end)
