local perilune = require "perilune"

local function message_of(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return message
end

describe("making tensors", function()
  it("takes nested tables and finds the dtype", function()
    local t = perilune.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
    assert.are.same({ 2, 3 }, t.shape)
    assert.are.equal("int64", t.dtype)
    assert.are.same({ { 1, 2, 3 }, { 4, 5, 6 } }, t:totable())
    assert.are.equal("float32", perilune.tensor({ 1, 2.5 }).dtype)
    assert.are.equal("bool", perilune.tensor({ true, false }).dtype)
    assert.are.same({ true, false }, perilune.tensor({ true, false }):totable())
    assert.are.equal("float32", perilune.tensor({}).dtype)
    assert.are.same({}, perilune.tensor(3).shape)
  end)

  it("keeps all 64 bits of integers", function()
    assert.are.equal(math.maxinteger, perilune.tensor({ math.maxinteger })[1]:item())
    assert.are.equal(math.mininteger, perilune.full({ 1 }, math.mininteger)[1]:item())
  end)

  it("asks the metamethods of a proxy", function()
    local function proxy(values)
      return setmetatable({}, { __index = function(_, i) return values[i] end, __len = function() return #values end })
    end
    assert.are.same({ 1, 2, 3 }, perilune.tensor(proxy { 1, 2, 3 }):totable())
    assert.are.same({ { 1, 2 }, { 3, 4 } }, perilune.tensor(proxy { proxy { 1, 2 }, { 3, 4 } }):totable())
    assert.matches("ragged", message_of(perilune.tensor, proxy { { 1, 2 }, proxy { 3 } }))
  end)

  it("refuses ragged tables, wrong elements and tensors", function()
    assert.matches("ragged", message_of(perilune.tensor, { { 1, 2 }, { 3 } }))
    assert.matches("ragged", message_of(perilune.tensor, { 1, { 2 } }))
    assert.matches("must be a number or a boolean, not string", message_of(perilune.tensor, { "x" }))
    assert.matches("is a tensor already", message_of(perilune.tensor, perilune.zeros(1)))
  end)

  it("fills with constants", function()
    assert.are.same({ { 0, 0 }, { 0, 0 } }, perilune.zeros(2, 2):totable())
    assert.are.same({ 1, 1 }, perilune.ones({ 2 }, { dtype = "float64" }):totable())
    assert.are.same({ 7, 7 }, perilune.full({ 2 }, 7):totable())
    assert.are.equal("int64", perilune.full({ 2 }, 7).dtype)
    assert.are.equal("float32", perilune.full({ 2 }, 7.5).dtype)
    assert.are.same({ 2, 0, 3 }, perilune.empty(2, 0, 3).shape)
    assert.are.same({ { 1, 0, 0 }, { 0, 1, 0 } }, perilune.eye(2, 3):totable())
    local like = perilune.full_like(perilune.zeros(2, { dtype = "int64" }), 3)
    assert.are.same({ 3, 3 }, like:totable())
    assert.are.equal("int64", like.dtype)
  end)

  it("makes ranges with both ends in them", function()
    assert.are.same({ 1, 2, 3, 4, 5 }, perilune.arange(1, 5):totable())
    assert.are.same({ 1, 2, 3 }, perilune.arange(3):totable())
    assert.are.same({ 5, 3, 1 }, perilune.arange(5, 1, -2):totable())
    assert.are.same({}, perilune.arange(5, 1):totable())
    assert.are.equal(11, #perilune.arange(0, 1, 0.1))
    assert.are.equal("int64", perilune.arange(3).dtype)
    assert.are.equal("float32", perilune.arange(0, 1, 0.5).dtype)
    assert.are.same({ 0, 0.25, 0.5, 0.75, 1 }, perilune.linspace(0, 1, 5):totable())
    assert.are.same({ 2 }, perilune.linspace(2, 9, 1):totable())
  end)

  it("keeps ranges of integers exact", function()
    assert.are.same({ 1 << 53, (1 << 53) + 1, (1 << 53) + 2 }, perilune.arange(1 << 53, (1 << 53) + 2):totable())
    assert.are.same({ math.maxinteger - 1, math.maxinteger }, perilune.arange(math.maxinteger - 1, math.maxinteger):totable())
    assert.are.same({ math.mininteger, math.mininteger + 2 },
      perilune.arange(math.mininteger, math.mininteger + 3, 2):totable())
    assert.matches("too many", message_of(perilune.arange, math.mininteger, math.maxinteger))
    assert.matches("step must not be 0", message_of(perilune.arange, 1, 2, 0))
  end)

  it("takes sizes or a table of sizes, and options in a table of their own", function()
    assert.matches("'dtype' stands among the sizes", message_of(perilune.zeros, { 2, 3, dtype = "int64" }))
    assert.matches("not both", message_of(perilune.zeros, { 2 }, 3))
    -- Which key comes first differs from table to table.
    for _, key in ipairs { true, print, {}, 2.5 } do
      local message = message_of(perilune.zeros, 2, { dtype = "int64", requires_grad = false, [key] = 1 })
      assert.is_true(message:find("given by name, not by position", 1, true) ~= nil
        or message:find("a size must be an integer, not table", 1, true) ~= nil, message)
    end
    assert.matches("zeros: requires_grad must be true or false, not number",
      message_of(perilune.zeros, 2, { requires_grad = 0 }))
    assert.matches("bool, uint8, int64, float32, float64, not 'number'", message_of(perilune.zeros, 2, { dtype = 5 }))
    assert.matches("first, last and step are numbers enough, not 4", message_of(perilune.arange, 1, 2, 3, 4))
    assert.matches("linspace: last must be a number, not no value", message_of(perilune.linspace, 1))
    assert.matches("bernoulli: argument 1 must be a tensor, not number",
      message_of(function() return (perilune.bernoulli(0.5)) end))
    assert.are.equal("(2, 3)", tostring(perilune.zeros({ 2, 3 }).shape))
  end)

  it("refuses impossible shapes and unknown options, and names the caller's line", function()
    assert.matches("zeros: a size cannot be negative", message_of(perilune.zeros, -1))
    assert.matches("zeros: a size must be an integer", message_of(perilune.zeros, 1.5))
    assert.matches("impossible shape", message_of(perilune.zeros, 1 << 40, 1 << 40))
    assert.matches("at most 8 dims", message_of(perilune.zeros, 1, 1, 1, 1, 1, 1, 1, 1, 1))
    assert.matches("unknown option 'dtyp'; known: dtype", message_of(perilune.zeros, 2, { dtyp = "int64" }))
    assert.matches("dtype must be one of", message_of(perilune.zeros, 2, { dtype = "int32" }))
    local line
    local message = message_of(function()
      line = debug.getinfo(1, "l").currentline + 1
      perilune.zeros(-1)
    end)
    assert.matches("create_spec%.lua:" .. line .. ": ", message)
    local thread = coroutine.create(function() perilune.zeros(-1) end)
    local _, inside = coroutine.resume(thread)
    assert.matches("create_spec%.lua:%d+: zeros", inside)
  end)

  it("names the operation that wants more memory than there is", function()
    local functional, one = perilune.nn.functional, perilune.ones(1, 1, 1, 1)
    assert.matches("one_hot: not enough memory", message_of(functional.one_hot, perilune.tensor { 1 << 40 }))
    assert.matches("conv2d: not enough memory", message_of(functional.conv2d, one, one, nil, { padding = 1 << 22 }))
    assert.matches("reshape: not enough memory",
      message_of(function() return perilune.ones(2):expand(1 << 40, 2):reshape(-1) end))
  end)

  it("survives a request that no machine can meet", function()
    assert.matches("not enough memory", message_of(perilune.zeros, 1 << 50))
    assert.are.equal(3, #perilune.zeros(3))
  end)
end)

describe("converting", function()
  it("goes between all dtypes", function()
    local t = perilune.tensor({ -1.7, 0, 300.9, 0 / 0, 1 / 0 }, { dtype = "float64" })
    assert.are.same({ -1, 0, 300, 0, math.maxinteger }, t:to("int64"):totable())
    assert.are.same({ 0, 0, 255, 0, 255 }, t:to("uint8"):totable())
    assert.are.same({ true, false, true, true, true }, t:to("bool"):totable())
    assert.are.same({ 1, 255 }, perilune.tensor({ 257, -1 }):to("uint8"):totable())
    assert.are.same({ 1.0, 0.0 }, perilune.tensor({ true, false }):to("float32"):totable())
    assert.are.equal("float", math.type(perilune.ones(1)[1]:item()))
    assert.are.equal("integer", math.type(perilune.arange(1)[1]:item()))
  end)

  it("gives an item only of one element", function()
    assert.are.equal(3.0, perilune.full({ 1, 1 }, 3.0):item())
    assert.matches("item: the tensor is %(2%)", message_of(function() perilune.zeros(2):item() end))
  end)

  it("refuses a value that the dtype has no place for", function()
    local nan, inf = 0 / 0, math.huge
    local bytes, integers = perilune.zeros(2, { dtype = "uint8" }), perilune.zeros(2, { dtype = "int64" })
    local yes = perilune.tensor { true, true }
    for _, case in ipairs {
      { "full: 1000 does not fit into uint8", perilune.full, { 1 }, 1000, { dtype = "uint8" } },
      { "full: %-1 does not fit into uint8", perilune.full, { 1 }, -1, { dtype = "uint8" } },
      { "full: nan does not fit into int64", perilune.full, { 1 }, nan, { dtype = "int64" } },
      { "full: %-inf does not fit into int64", perilune.full, { 1 }, -inf, { dtype = "int64" } },
      { "full: 9.22337e%+18 does not fit into int64", perilune.full, { 1 }, 2 ^ 63, { dtype = "int64" } },
      { "full_like: 256 does not fit into uint8", perilune.full_like, bytes, 256 },
      { "fill_: 255.5 does not fit into uint8", bytes.fill_, bytes, 255.5 },
      { "fill_: nan does not fit into int64", integers.fill_, integers, nan },
      { "masked_fill: 1000 does not fit into uint8", bytes.masked_fill, bytes, yes, 1000 },
      { "masked_fill: %-1 does not fit into uint8", bytes.masked_fill_, bytes, yes, -1 },
      { "index: 300 does not fit into uint8", function() bytes[1] = 300 end },
      { "index: inf does not fit into int64", function() integers[{ { 1, 2 } }] = inf end },
      { "tensor: nan does not fit into int64", perilune.tensor, { 1, nan }, { dtype = "int64" } },
      { "tensor: 300 does not fit into uint8", perilune.tensor, { 300 }, { dtype = "uint8" } },
      { "arange: 300 does not fit into uint8", perilune.arange, 1, 300, { dtype = "uint8" } },
      { "linspace: %-1 does not fit into uint8", perilune.linspace, 3, -1, 5, { dtype = "uint8" } },
    } do
      assert.matches(case[1], message_of(table.unpack(case, 2)))
    end
    assert.are.same({ { 0, 0 }, { 0, 0 } }, { bytes:totable(), integers:totable() })
    assert.are.same({ 255, 255 }, bytes:fill_(255.0):totable())
    assert.are.same({ 7, 7 }, bytes:masked_fill(yes, 7):totable())
    assert.are.same({ math.mininteger }, perilune.full({ 1 }, -2.0 ^ 63, { dtype = "int64" }):totable())
    assert.are.same({ 250, 255 }, perilune.arange(250, 255, 5, { dtype = "uint8" }):totable())
    assert.are.same({ true }, perilune.full({ 1 }, nan, { dtype = "bool" }):totable())
  end)

  it("gives NaN without a sign", function()
    for _, dtype in ipairs { "float32", "float64" } do
      for _, nan in ipairs { 0 / 0, -(0 / 0) } do
        assert.equal("nan", tostring(perilune.tensor(nan, { dtype = dtype }):item()))
        assert.equal("nan", tostring(perilune.tensor({ nan }, { dtype = dtype }):totable()[1]))
      end
    end
  end)
end)
