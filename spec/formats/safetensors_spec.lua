-- safetensors: the files of others, our files byte for byte, and hostile headers.
local core = require "perilune.core"
local support = require "formats.support"
local formats, tensor, same = core.formats, support.tensor, support.same

-- As in spec/reference/formats.py.
local function values()
  return {
    float32 = tensor({ { -2.5, -1.5, -0.5 }, { 0.5, 1.5, 2.5 } }, "float32"),
    float64 = tensor({ 0 / 3, 1 / 3, 2 / 3, 3 / 3 }, "float64"),
    int64 = tensor({ { -(2 ^ 53 | 0) - 1 }, { 7 } }, "int64"),
    uint8 = tensor({ { { 250, 251 }, { 252, 253 }, { 254, 255 } } }, "uint8"),
    bool = tensor({ true, false, true }, "bool"),
    scalar = tensor(0.5, "float32"),
    empty = core.create.zeros(0, 3),
  }
end

local METADATA = { ["made by"] = "numpy \"2\"\n\u{fc}\u{20ac}" }

local function lists(by_name)
  local keys, items = {}, {}
  for key, item in pairs(by_name) do keys[#keys + 1], items[#items + 1] = key, item end
  return keys, items
end

local function dumps(tensors, metadata)
  local names, items = lists(tensors)
  return formats.dumps_safetensors(names, items, lists(metadata or {}))
end

local function by_name(tensors, names, metadata)
  assert(tensors, names)
  local found = {}
  for i, name in ipairs(names) do found[name] = tensors[i] end
  return found, metadata
end

local function same_set(expected, actual)
  for name, value in pairs(expected) do same(value, actual[name], name) end
  for name in pairs(actual) do assert.is_truthy(expected[name], name) end
end

local function file(header, data) return string.pack("<s8", header) .. (data or "") end

describe("safetensors", function()
  it("reads what the reference implementation wrote", function()
    local found, metadata = by_name(formats.load_safetensors(support.reference("numpy.safetensors")))
    same_set(values(), found)
    assert.same(METADATA, metadata)
    assert.same({}, (by_name(formats.load_safetensors(support.reference("nothing.safetensors")))))
  end)

  it("writes the same bytes as the reference implementation", function()
    assert.equal(support.read(support.reference("numpy.safetensors")), dumps(values(), METADATA))
    assert.equal(support.read(support.reference("nothing.safetensors")), dumps {})
  end)

  it("converts the types that are not ours", function()
    local found = by_name(formats.load_safetensors(support.reference("torch.safetensors")))
    same(tensor({ { 0, 1, -2.5 }, { 65504, 2 ^ -24, 0.333251953125 } }, "float32"), found.f16)
    same(tensor({ { 0, 1, -2.5 }, { 65536, 2 ^ -24, 0.333984375 } }, "float32"), found.bf16)
    for name, value in pairs { i8 = -3, i16 = -300, i32 = -70000, u16 = 65535, u32 = 2 ^ 32 - 1 | 0 } do
      same(tensor({ value }, "int64"), found[name], name)
    end
  end)

  it("comes back as it was, strided tensors and odd names too", function()
    local t = values().float32
    local back = by_name(formats.loads_safetensors(dumps { ["a\0\"\\\t\u{1F312}"] = t:transpose(1, 2),
      lanes = t:lanes(), [""] = t }))
    same(tensor({ { -2.5, 0.5 }, { -1.5, 1.5 }, { -0.5, 2.5 } }, "float32"), back["a\0\"\\\t\u{1F312}"])
    same(t, back.lanes)
    same(t, back[""])
  end)

  it("decodes JSON's escapes", function()
    local header = [[ {"\u0061\n\/\ud83c\udf12":{"dtype":"U8","shape":[ 1 ],"data_offsets":[0,1],]]
      .. [["more":[{"x":null},-1.5e+3,true,"\u20ac"]}} ]]
    local found = by_name(formats.loads_safetensors(file(header:sub(2), "\7")))
    assert.equal(7, found["a\n/\u{1F312}"]:item())
  end)

  it("raises on names that are not UTF-8, reserved or there twice", function()
    local t = values().scalar
    assert.error_matches(function() dumps { ["\xff"] = t } end, "not UTF%-8")
    assert.error_matches(function() dumps({ a = t }, { k = "\xc0\x80" }) end, "not UTF%-8")
    assert.error_matches(function() dumps { __metadata__ = t } end, "__metadata__")
    assert.error_matches(function() formats.dumps_safetensors({ "a", "a" }, { t, t }, {}, {}) end, "two tensors")
    assert.error_matches(function() formats.dumps_safetensors({ 1 }, { t }, {}, {}) end, "not a string")
    assert.error_matches(function() formats.dumps_safetensors({ "a" }, { 1 }, {}, {}) end, "tensor")
  end)

  it("refuses hostile headers before it allocates", function()
    local function one(shape, offsets, kind)
      return ('{"a":{"dtype":"%s","shape":%s,"data_offsets":%s}}'):format(kind or "F32", shape, offsets)
    end
    local function two(first, second)
      local entry = '"dtype":"U8","shape":[4],"data_offsets":'
      return ('{"a":{%s%s},"b":{%s%s}}'):format(entry, first, entry, second)
    end
    local deep = string.rep("[", 100000)
    local cases = {
      { one("[1152921504606846976]", "[0,8]"), "F32 (1152921504606846976), but has 8 bytes" },
      { one("[1152921504606846976,1152921504606846976]", "[0,8]"), "but has 8 bytes" },
      { one("[1152921504606846976]", "[0,4611686018427387904]"), "the data at 8" },
      { one("[99999999999999999999]", "[0,8]"), "not an integer" },
      { one("[-2]", "[0,8]"), "not an integer" },
      { one("[2.0]", "[0,8]"), "not an integer" },
      { one("[02]", "[0,8]"), "not an integer" },
      { one("[2]", "[8,0]"), "but the one before it ends at 0" },
      { one("[2]", "[0,8,9]"), "']'" },
      { one("[2]", "[0]"), "','" },
      { one("[1]", "[0,4]"), "tells of 4 bytes of data, but 8 follow" },
      { one("[1]", "[4,8]"), "but the one before it ends at 0" },
      { one("[3]", "[0,12]"), "the data at 8" },
      { one("[3]", "[0,8]"), "but has 8 bytes" },
      { one("[1,1,1,1,1,1,1,1,2]", "[0,8]"), "more than 8" },
      { one("[2]", "[0,8]", "U64"), "dtype is none of" },
      { one("[2]", "[0,8]", "f32"), "dtype is none of" },
      { two("[0,4]", "[0,4]"), "but the one before it ends at 4" },
      { two("[0,4]", "[3,7]"), "but the one before it ends at 4" },
      { two("[0,4]", "[5,9]"), "but the one before it ends at 4" },
      { two("[4,8]", "[0,4]"):gsub('"b"', '"a"'), "two tensors are called 'a'" },
      { two("[4,8]", "[0,4]"):gsub('"b"', '"\\u0061"'), "two tensors are called 'a'" },
      { '{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}', "twice" },
      { '{"a":{"dtype":"F32","shape":[2]}}', "missing" },
      { '{"a":{}}', "missing" }, { '{"a":3}', "'{'" }, { '{"a"}', "':'" }, { "{", "empty" },
      { "{ ", "string" }, { "{}", "8 follow" },
      { "{} x", "follows" }, { "[]", "does not begin" }, { "{\"a\":{\"x\":" .. deep, "nested too deeply" },
      { "{\"a\":{\"x\":" .. string.rep('{"a":', 100000), "nested too deeply" },
      { '{"__metadata__":{"k":1}}', "in __metadata__: a string is missing" }, { '{"__metadata__":[]}', "'{'" },
      { '{"__metadata__":{"k":"1","k":"2"}}', "twice in its metadata" },
      { '{"__metadata__":{},"__metadata__":{}}', "twice" },
      { '{"\xff":{}}', "UTF-8" }, { '{"\xed\xa0\x80":{}}', "UTF-8" }, { '{"\\ud800":{}}', "surrogate" },
      { '{"\\ud800\\u0041":{}}', "surrogate" }, { '{"\\x41":{}}', "escape" }, { '{"\\u12', "cut off" },
      { '{"\\u12g4":{}}', "hexadecimal" }, { '{"\n":{}}', "control" }, { '{"a', "does not end" }, { '{"a\\', "end" },
    }
    for _, case in ipairs(cases) do
      core.reset_peak_memory()
      local before = core.memory().live_bytes
      local value, message = formats.loads_safetensors(file(case[1], "12345678"))
      local what = case[1]:sub(1, 90)
      assert.is_nil(value, what)
      assert.is_truthy(message:find(case[2], 1, true), what .. ": " .. message)
      assert.is_true(core.memory().peak_bytes - before < 10000 + #case[1], what)
    end
    for _, n in ipairs { 1 << 60, -1, 100000001, 99999999, 3 } do
      assert.matches("not a safetensors file", select(2, formats.loads_safetensors(string.pack("<i8", n) .. "{}")), 1,
        true)
    end
    assert.matches("empty", select(2, formats.loads_safetensors(string.pack("<i8", 0))), 1, true)
    assert.matches("truncated", select(2, formats.loads_safetensors("1234567")), 1, true)
    assert.matches("truncated", select(2, formats.loads_safetensors("")), 1, true)
  end)

  it("survives cuts and damage", function()
    for _, name in ipairs { "numpy.safetensors", "torch.safetensors", "state_dict.safetensors" } do
      support.damage(formats.loads_safetensors, support.read(support.reference(name)), 2000, 120000)
    end
  end)
end)
