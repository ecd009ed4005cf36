-- perilune.save and load: load(save(x)) is x, for whatever can be saved.
local perilune = require "perilune"
local support = require "formats.support"
local serialize = require "perilune.serialize"
local same = support.same

local function weights(n) return perilune.tensor({ n, n + 0.5 }, { dtype = "float32" }) end

-- The same tables with the same tensors in them.
local function same_tree(expected, actual, where)
  if perilune.is_tensor(expected) then return same(expected, actual, where) end
  assert.equal("table", type(actual), where)
  for key, item in pairs(expected) do same_tree(item, actual[key], where .. "." .. tostring(key)) end
  for key in pairs(actual) do assert.is_not_nil(expected[key], where .. "." .. tostring(key)) end
end

local function metadata_of(bytes)
  local length = string.unpack("<I8", bytes)
  return bytes:sub(9, 8 + length):match('"__metadata__":(%b{})')
end

describe("save and load", function()
  local path

  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  for name, value in pairs {
    ["a lone tensor"] = weights(1),
    ["a 0-dim tensor"] = perilune.tensor(3),
    ["an empty table"] = {},
    ["a state_dict"] = { ["0.weight"] = weights(1), ["0.bias"] = weights(2), ["encoder.0.weight"] = weights(3) },
    ["a list"] = { weights(1), weights(2) },
    ["nested tables"] = { model = { ["encoder.0.weight"] = weights(1), [1] = weights(2) }, ["a.b"] = { c = weights(3) },
      [-7] = { [math.mininteger] = weights(4) }, [""] = { [""] = weights(5) }, ["1"] = weights(6) },
    ["integers and strings"] = { ["1"] = { weights(1) }, ["2"] = { ["1"] = weights(2) } },
    ["odd names"] = { ["tensor"] = weights(1), ["\0\n\"\\ \u{1F312}"] = weights(2), [" s1 i1"] = weights(3) },
  } do
    it("brings back " .. name, function()
      assert.is_true(perilune.save(path, value))
      local back, metadata = perilune.load(path)
      same_tree(value, back, name)
      assert.same({}, metadata)
      same_tree(value, (serialize.loads(serialize.dumps(value))), name)
    end)
  end

  it("brings back metadata", function()
    local metadata = { epoch = "3", ["\u{fc}"] = "a\"b\n" }
    assert.is_true(perilune.save(path, weights(1), { metadata = metadata }))
    assert.same(metadata, select(2, perilune.load(path)))
  end)

  it("writes nothing into a flat table's file that others do not", function()
    local bytes = support.read(support.reference("state_dict.safetensors"))
    local state, metadata = assert(serialize.loads(bytes))
    assert.same({ format = "pt" }, metadata)
    assert.is_truthy(state["0.weight"] and state["0.bias"] and state["1.0.weight"] and state["1.0.bias"])
    assert.equal(bytes, serialize.dumps(state, { metadata = metadata }))
    assert.is_nil(metadata_of(serialize.dumps(state)))
  end)

  it("loads by name when asked to", function()
    local bytes = serialize.dumps { encoder = { weights(1), weights(2) } }
    local flat, metadata = serialize.loads(bytes, { flat = true })
    same(weights(1), flat["encoder.1"])
    same(weights(2), flat["encoder.2"])
    assert.same({}, metadata)
    same(weights(1), serialize.loads(serialize.dumps(weights(1)), { flat = true }).tensor)
  end)

  it("writes tensors of every order, and those that require gradients", function()
    local t = perilune.tensor { { 1.5, 2.5, 3.5 }, { 4.5, 5.5, 6.5 } }
    local tracked = perilune.tensor({ 1.5 }, { requires_grad = true })
    local back = serialize.loads(serialize.dumps { turned = t:transpose(1, 2), lanes = t:lanes(), tracked = tracked,
      every = t:transpose(1, 2):narrow(1, 2, 2), spread = t:narrow(1, 1, 1):expand(2, 3) })
    assert.same({ { 1.5, 4.5 }, { 2.5, 5.5 }, { 3.5, 6.5 } }, back.turned:totable())
    same(t, back.lanes)
    assert.same({ { 2.5, 5.5 }, { 3.5, 6.5 } }, back.every:totable())
    assert.same({ { 1.5, 2.5, 3.5 }, { 1.5, 2.5, 3.5 } }, back.spread:totable())
    assert.is_false(back.tracked.requires_grad)
  end)

  it("writes large strided tensors piece by piece", function()
    local t = perilune.arange(1, 60000):reshape(200, 300)
    local back = serialize.loads(serialize.dumps(t:transpose(1, 2)))
    same(t:transpose(1, 2):contiguous(), back)
  end)

  it("raises at the user's line on what cannot be saved", function()
    local t, loop = weights(1), {}
    loop.a = loop
    local cases = {
      { { a = 3 }, "'a' is 3, not a tensor" }, { 3, "the value is 3" }, { { a = { b = "x" } }, "'a.b' is \"x\"" },
      { { [1.5] = t }, "a key in the table is 1.5" }, { { a = { [true] = t } }, "a key in 'a' is true" },
      { { a = {} }, "'a' is an empty table" }, { loop, "contains itself" },
      { { a = { b = t }, ["a.b"] = t }, "two tensors would be called 'a.b'" },
      { { __metadata__ = t }, "__metadata__" }, { { ["\xff"] = t }, "not UTF-8" },
    }
    for _, case in ipairs(cases) do
      local ok, message = pcall(function() perilune.save(path, case[1]) end)
      assert.is_false(ok)
      assert.is_truthy(message:find(case[2], 1, true), message)
      assert.is_truthy(message:find("serialize_spec.lua:", 1, true), message)
    end
    assert.error_matches(function() perilune.save(path, t, { meta = {} }) end, "unknown option 'meta'")
    assert.error_matches(function() perilune.save(path, t, { metadata = { a = 1 } }) end, "strings by strings")
    assert.error_matches(function() perilune.save(path, t, { metadata = { ["perilune.layout"] = "" } }) end, "is taken")
    assert.error_matches(function() perilune.save(nil, t) end, "the path must be a string")
    assert.error_matches(function() perilune.load(3) end, "the path must be a string")
    assert.error_matches(function() perilune.save_npy(path, { t }) end, "expected a tensor")
    assert.error_matches(function() perilune.load(path, { flat = 1 }) end, "flat must be true or false")
  end)

  it("returns nil and a message for files", function()
    local value, message = perilune.load("/nowhere/at all")
    assert.is_nil(value)
    assert.equal("cannot open '/nowhere/at all': No such file or directory", message)
    value, message = perilune.save("/nowhere/at all", weights(1))
    assert.is_nil(value)
    assert.equal("cannot write '/nowhere/at all': its directory does not exist", message)
    value, message = perilune.load_npy(support.reference("rgb8.png"))
    assert.is_nil(value)
    assert.matches("rgb8.png is not a .npy file", message, 1, true)
  end)

  it("does not trust the layout in a file", function()
    local formats = require("perilune.core").formats
    local t = weights(1)
    for _, layout in ipairs { "", "s1", "s1 s3 s1", "s1 s2", "s1 s4", "s1 s3.s1", "s1 i3", "i1 s3",
      "s1 s99999999999999999999", "s1 s-1", "tensor", "x", "s1.s1 s3", "s1 s1", "s1 s0.s3" } do
      local bytes = formats.dumps_safetensors({ "a", "a.b" }, { t, t }, { "perilune.layout" }, { layout })
      local value, message = serialize.loads(bytes)
      assert.is_nil(value, layout)
      assert.matches("does not fit its tensors", message, 1, true)
      same(t, serialize.loads(bytes, { flat = true }).a)
    end
    for _, layout in ipairs { "s1 s1.s1", "s1.s1 s1" } do      -- "a" cannot be a tensor and a table
      local bytes = formats.dumps_safetensors({ "a", "a.b" }, { t, t }, { "perilune.layout" }, { layout })
      assert.is_nil((serialize.loads(bytes)))
    end
  end)

  it("saves and loads .npy", function()
    local t = perilune.tensor { { 1, 2 }, { 3, 4 } }
    assert.is_true(perilune.save_npy(path, t))
    same(t, assert(perilune.load_npy(path)))
  end)
end)
