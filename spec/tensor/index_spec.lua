local behaviour = require "support.behaviour"
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

  it("says what a value must be", function()
    local t, file <close> = perilune.ones(2), assert(io.open("/dev/null"))
    assert.matches("index_spec.lua:%d+: index: the value must be a number, a boolean or a tensor, not string",
      message_of(function() t[1] = "x" end))
    assert.matches("not userdata", message_of(function() t[1] = file end))
    assert.matches("add: b must be a tensor, not userdata", message_of(t.add, t, file))
    assert.matches("add: a must be a tensor, not userdata", message_of(perilune.add, file, 1))
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
    assert.matches("copy: the target %(4, 3%) repeats elements %(expand%); clone it first", message_of(t.copy_, t, more))
    assert.matches("add_: the tensor %(4, 3%) repeats elements %(expand%); clone it first", message_of(t.add_, t, more))
    assert.matches("ceil_: the tensor %(4, 3%) repeats elements", message_of(t.ceil_, t))
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
    assert.matches("(ipairs? use t:iter())", message_of(function() for _ in ipairs(t) do end end), 1, true)
    for _, i in ipairs { 5, -4, 0 } do assert.is_nil(message_of(function() return t[i] end):find("ipairs", 1, true)) end
    assert.is_nil(message_of(function() return t[{ 4 }] end):find("ipairs", 1, true))
    for _, dim in ipairs { 0, 3, -3 } do
      assert.matches(("size: dim is %d; it must be in -2..-1 or 1..2"):format(dim),
        message_of(function() return t:size(dim) end), 1, true)
    end
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

describe("index tensors and masks", function()
  local T = perilune.tensor

  -- cjson makes floats of all numbers.
  local function integers(value)
    if type(value) ~= "table" then return math.tointeger(value) or value end
    local list = {}
    for i, item in ipairs(value) do list[i] = integers(item) end
    return list
  end

  local function key_of(told)
    local key = {}
    for i, part in ipairs(told) do
      local kind, value = part[1], integers(part[2])
      if kind == "index" then value = T(value, { dtype = "int64" }) elseif kind == "mask" then value = T(value) end
      key[i] = value
    end
    return #key == 1 and perilune.is_tensor(key[1]) and key[1] or key
  end

  local function values_of(t) return t:reshape(-1):totable() end

  it("read, differentiate and write as PyTorch", function()
    for i, case in ipairs(behaviour.indices) do
      local shape, key, name = integers(case.shape), key_of(case.key), "case " .. i
      local n = 1
      for _, size in ipairs(shape) do n = n * size end
      local x = perilune.arange(1, n):to("float64"):reshape(shape)
      local leaf = x:clone():requires_grad_()
      local picked = leaf[key]
      assert.are.same(integers(case.picked_shape), integers(picked.shape), name)
      assert.are.same(integers(case.picked), integers(values_of(picked)), name)
      local weights = perilune.arange(1, math.max(1, picked:numel())):to("float64")
      weights = weights:narrow(1, 1, picked:numel()):reshape(picked.shape)
      local loss = picked * weights
      loss:sum():backward()
      assert.are.same(integers(case.gradient), integers(values_of(leaf.grad)), name)
      local written, row = x:clone(), x:transpose(1, -1):contiguous():transpose(1, -1)
      written[key] = -weights
      assert.are.same(integers(case.written), integers(values_of(written)), name)
      row[key] = T(case.row, { dtype = "float64" })
      assert.are.same(integers(case.row_written), integers(values_of(row)), name)
    end
  end)

  it("write a few rows of a large tensor", function()
    local x = perilune.zeros(2, 3000, 2)
    x[{ {}, T { 7, -1 } }] = T { { 1, 2 }, { 3, 4 } }
    assert.are.equal(20, x:sum():item())
    assert.are.same({ { 1, 2 }, { 3, 4 } }, x[{ 2, T { 7, 3000 } }]:totable())
    local y = perilune.arange(1, 3000)
    y[T { 1, 2 }] = y[{ { 2, 3 } }]        -- the value as it was
    assert.are.same({ 2, 3, 3 }, y[{ { 1, 3 } }]:totable())
    y[y:gt(2999)] = 0
    assert.are.equal(0, y[3000]:item())
  end)

  it("are checked before anything is written", function()
    local function refuses(pattern, x, key, value)
      local before = x:totable()
      local message = message_of(function() x[key] = value end)
      assert.matches("index_spec.lua:%d+: ", message)
      assert.matches(pattern, message)
      assert.are.same(before, x:totable())
    end
    local a, m = perilune.zeros(3), perilune.zeros(3, 2)
    refuses("the index tensor has 7, which is not in 1%.%.3", a, T { 1, 7 }, 5)
    refuses("the index tensor has 0, which is not in 1%.%.3", a, T { 1, 0 }, 5)
    refuses("the index tensor has %-4, which is not", a, T { 1, -4 }, 5)
    refuses("a value %(3, 2%) cannot be written into %(2, 2%)", m, T { 1, 2 }, perilune.ones(3, 2))
    refuses("a value %(2%) cannot be written into %(3%)", a, T { true, true, true }, perilune.ones(2))
    refuses("the mask is %(2%), which does not fit dim 1 of %(3, 2%)", m, T { true, false }, 1)
    refuses("must be bool or int64, not float32", a, T { 1.0 }, 1)
    refuses("too many indices", a, { T { 1 }, 1 }, 1)
    refuses("too many indices", a, { 1, T { 1 } }, 1)
    refuses("the index tensors are %(2%) and %(3%), which do not broadcast", m, { T { 1, 2 }, T { 1, 2, 1 } }, 1)
    refuses("the value must be a number, a boolean or a tensor, not string", a, T { 1 }, "x")
    refuses("index: 300 does not fit into uint8", perilune.zeros({ 3 }, { dtype = "uint8" }), T { 1 }, 300)
    refuses("repeats elements", perilune.zeros(1, 3):expand(4, 3), T { true, true, false, false }, 1)
    refuses("cannot be recorded", perilune.zeros(3, { requires_grad = true }), T { 1 }, 1)
    refuses("cannot be recorded", a, T { 1 }, perilune.zeros(1, { requires_grad = true }))
    assert.matches("which is not in 1%.%.3", message_of(function() return a[T { 4 }] end))
    m[T { 1, 2 }] = perilune.ones(1, 2)
    assert.are.same({ { 1, 1 }, { 1, 1 }, { 0, 0 } }, m:totable())
    m[T { 1, 2 }] = perilune.ones(1, 1, 1, 2) * 2
    assert.are.same({ { 2, 2 }, { 2, 2 }, { 0, 0 } }, m:totable())
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

  it("functions say that they want a tensor", function()
    for _, name in ipairs { "t", "tile", "split", "chunk", "unbind", "cov", "equal", "allclose" } do
      local pattern = "index_spec.lua:%d+: " .. name .. ": [xa] must be a tensor, not "
      assert.matches(pattern .. "nil", message_of(perilune[name], nil))
      assert.matches(pattern .. "table", message_of(perilune[name], { 1 }, perilune.ones(2)))
    end
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

  it("in-place comparisons keep the dtype", function()
    local x = perilune.tensor { 1.0, 2, 0 }
    assert.are.same({ { 0, 1, 0 }, "float32" }, { x:clone():eq_(2):totable(), x:clone():eq_(2).dtype })
    assert.are.same({ 1, 0, 1 }, x:clone():lt_(perilune.tensor { 2.0, 1, 1 }):totable())
    assert.are.same({ 1, 0, 0 }, x:clone():logical_and_(perilune.tensor { 1.0, 0, 1 }):totable())
    assert.are.same({ 0, 0, 1 }, x:logical_not_():totable())
    assert.matches("cannot be written into", message_of(x.ge_, x, perilune.ones(2, 3)))
  end)

  it("isclose", function()
    local nan, inf = 0 / 0, 1 / 0
    local a, b = perilune.tensor { 1.0, 1, nan, inf, inf, 1 }, perilune.tensor { 1.0001, 1 + 1e-6, nan, inf, -inf, inf }
    assert.are.same({ false, true, false, true, false, false }, perilune.isclose(a, b):totable())
    assert.are.same({ true, true, true, true, false, false },
      perilune.isclose(a, b, { rtol = 1e-3, equal_nan = true }):totable())
    assert.matches("isclose: unknown option 'tol'", message_of(perilune.isclose, a, b, { tol = 1 }))
  end)

  it("name themselves in an error", function()
    local t = perilune.zeros(3)
    for pattern, fn in pairs {
      ["chunk: dim must be an integer, not \"a\""] = function() t:chunk(2, "a") end,
      ["unbind: dim must be an integer, not a table"] = function() t:unbind({}) end,
      ["split: dim must be an integer, not 1.5"] = function() t:split(2, 1.5) end,
      ["expand_as: other must be a tensor, not number"] = function() t:expand_as(5) end,
      ["view_as: other must be a tensor, not nil"] = function() t:view_as() end,
      ["type_as: other must be a tensor, not nil"] = function() t:type_as() end,
      ["equal: b must be a tensor, not number"] = function() perilune.equal(t, 5) end,
      ["allclose: a must be a tensor, not number"] = function() perilune.allclose(5, t) end,
      ["cat: item 2 of tensors must be a tensor, not nil"] = function() perilune.cat({ t, nil, t }, 1) end,
      ["stack: item 2 of tensors is nil"] = function() perilune.stack({ t, [3] = t }) end,
    } do
      local message = message_of(fn)
      assert.matches("index_spec.lua:%d+: ", message)
      assert.matches(pattern, message, 1, true)
    end
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

  it("transpose, permute, flip and index_select take a tensor of 0 dims", function()
    local one = perilune.tensor { 1 }
    for _, move in ipairs { function(x) return x:transpose(1, -1) end, function(x) return x:permute() end,
                            function(x) return x:flip(1) end, function(x) return x:index_select(-1, one) end } do
      local x = perilune.tensor(5.0):requires_grad_(true)
      local y = move(x)
      assert.are.same({}, y.shape)
      y:backward()
      assert.are.same({ 5, 1 }, { y:item(), x.grad:item() })
    end
    local x = perilune.tensor(5.0)
    assert.matches("one item can be taken, not 2", message_of(x.index_select, x, 1, perilune.tensor { 1, 1 }))
    assert.matches("index has 2", message_of(x.index_select, x, 1, perilune.tensor { 2 }))
    assert.matches("transpose: dim 2 does not exist", message_of(x.transpose, x, 1, 2))
  end)

  it("roll and flip take integers or lists", function()
    local x = perilune.arange(1, 4)
    for _, given in ipairs { { 1, 1 }, { 1, { 1 } }, { { 1 }, { 1 } }, { 1 }, { 1, { dims = 1 } } } do
      assert.are.same({ 4, 1, 2, 3 }, x:roll(table.unpack(given)):totable())
    end
    local square = x:reshape(2, 2)
    assert.are.same({ { 4, 3 }, { 2, 1 } }, square:flip(1, 2):totable())
    assert.are.same({ { 4, 3 }, { 2, 1 } }, square:flip({ 1, -1 }):totable())
    assert.are.same({ { 1, 2 }, { 3, 4 } }, square:flip({}):totable())
    assert.matches("flip: dims is missing", message_of(square.flip, square))
  end)

  it("split, chunk and cat take empty tensors as PyTorch does", function()
    local function shapes(list)
      local all = {}
      for i, t in ipairs(list) do all[i] = t.shape end
      return all
    end
    local zeros = perilune.zeros
    assert.are.same({ { 0 } }, shapes(zeros(0):split(3)))
    assert.are.same({ { 2, 0 } }, shapes(zeros(2, 0):split(3, 2)))
    assert.are.same({ { 0 }, { 0 }, { 0 } }, shapes(zeros(0):chunk(3)))
    assert.are.same({ { 2 }, { 2 }, { 1 } }, shapes(zeros(5):chunk(3)))
    local nothing, ones = zeros(0, { requires_grad = true }), perilune.ones(2, 3, { requires_grad = true })
    for _, dim in ipairs { 1, 2, -1, -2 } do
      local y = perilune.cat({ nothing, ones, zeros(0) }, dim)
      assert.are.same(ones:totable(), y:totable())
      y:sum():backward()
    end
    assert.are.same({ 0 }, nothing.grad.shape)
    assert.are.same({ { 4, 4, 4 }, { 4, 4, 4 } }, ones.grad:totable())
    assert.are.same({ 0 }, perilune.cat({ zeros(0), zeros(0) }).shape)
    assert.equal("float64", perilune.cat({ zeros(0, { dtype = "float64" }), ones }).dtype)
    assert.matches("cat: tensor 1 is %(0, 2%) but tensor 2", message_of(perilune.cat, { zeros(0, 2), ones }))
    assert.matches("cat: tensor 2 is %(2, 3%) but tensor 3", message_of(perilune.cat, { zeros(0), ones, zeros(2) }, 2))
  end)
end)
