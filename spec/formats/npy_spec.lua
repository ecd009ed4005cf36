-- .npy files: NumPy's own are read to the value, ours are the same bytes as NumPy's.
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

local function npy(header, data, version)
  version = version or 1
  return "\x93NUMPY" .. string.char(version, 0) .. string.pack(version == 1 and "<s2" or "<s4", header) .. data
end

local function dict(descr, order, shape)
  return ("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n"):format(descr, order, shape)
end

describe(".npy", function()
  it("reads what NumPy wrote", function()
    for name, expected in pairs(values()) do
      same(expected, assert(formats.load_npy(support.reference(name .. ".npy"))), name)
    end
  end)

  it("writes the same bytes as NumPy", function()
    for name, value in pairs(values()) do
      assert.equal(support.read(support.reference(name .. ".npy")), formats.dumps_npy(value), name)
    end
  end)

  it("converts the types that are not ours, of both byte orders", function()
    local expected = { { 0, 1, -2 }, { 3, -4, 100 } }
    local absolute = { { 0, 1, 2 }, { 3, 4, 100 } }
    for name, kind in pairs { i1 = "int64", little_i2 = "int64", big_i2 = "int64", little_i4 = "int64",
      big_i4 = "int64", big_i8 = "int64", little_f2 = "float32", big_f2 = "float32", big_f4 = "float32",
      big_f8 = "float64", little_u2 = "int64", big_u4 = "int64" } do
      local wanted = name:find("u") and absolute or expected
      same(tensor(wanted, kind), assert(formats.load_npy(support.reference("convert_" .. name .. ".npy"))), name)
    end
  end)

  it("reads float16's subnormals, infinities and NaN", function()
    local half = assert(formats.load_npy(support.reference("half.npy")))
    same(tensor({ 0, -0.0, 1, 2 ^ -24, -2 ^ -15, 65504, math.huge, -math.huge, 0 / 0 }, "float32"), half)
    assert.equal(-math.huge, 1 / half:totable()[2])
  end)

  it("reads Fortran order and versions 2 and 3", function()
    local expected, n = {}, 0
    for i = 1, 2 do
      expected[i] = {}
      for j = 1, 3 do
        expected[i][j] = {}
        for k = 1, 4 do expected[i][j][k], n = n, n + 1 end
      end
    end
    local fortran = assert(formats.load_npy(support.reference("fortran.npy")))
    same(tensor(expected, "float32"), fortran)
    assert.is_true(fortran:is_contiguous())
    for _, name in ipairs { "version2.npy", "version3.npy" } do
      same(values().float32, assert(formats.load_npy(support.reference(name))), name)
    end
  end)

  it("accepts the headers that Python would", function()
    local data = string.pack("<ff", 1, 2)
    for _, header in ipairs { dict("<f4", "False", "(2,)"), dict("<f4", "False", "(2L,)"), dict("=f4", "True", "(2,)"),
      "{\"shape\": (2 ,1) , 'fortran_order':False,'descr':'<f4'}", dict("<f4", "False", "(1, 2,)") } do
      assert(formats.loads_npy(npy(header, data)))
    end
    same(tensor({ true, true, false }, "bool"), formats.loads_npy(npy(dict("|b1", "False", "(3,)"), "\1\2\0")))
  end)

  it("writes strided tensors in row-major order", function()
    local t = values().float32
    local turned = t:transpose(1, 2)
    same(tensor({ { -2.5, 0.5 }, { -1.5, 1.5 }, { -0.5, 2.5 } }, "float32"),
      formats.loads_npy(formats.dumps_npy(turned)))
    same(t, formats.loads_npy(formats.dumps_npy(t:lanes())))
  end)

  it("refuses what it cannot hold, and says so", function()
    for name, message in pairs { uint64 = "descr", complex = "descr", object = "descr", struct = "structured" } do
      local value, problem = formats.load_npy(support.reference("refused_" .. name .. ".npy"))
      assert.is_nil(value)
      assert.matches(message, problem, 1, true)
    end
  end)

  it("refuses hostile headers before it allocates", function()
    local data = string.rep("\0", 64)
    local big = 2 ^ 60 | 0
    local cases = {
      { dict("<f4", "False", "(" .. big .. ",)"), "impossible" },
      { dict("<f4", "False", "(" .. (1 << 50) .. ",)"), "64 follow" },
      { dict("<f4", "False", "(" .. big .. ", 16)"), "impossible" },
      { dict("<f4", "False", "(99999999999999999999,)"), "too large" },
      { dict("<f4", "False", "(-16,)"), "tuple of sizes" },
      { dict("<f4", "False", "(16)"), "tuple of sizes" },
      { dict("<f4", "False", "16"), "tuple of sizes" },
      { dict("<f4", "False", "(1,1,1,1,1,1,1,1,16)"), "more than 8" },
      { dict("<f4", "False", "(15,)"), "64 follow" },
      { dict("<f4", "False", "(17,)"), "64 follow" },
      { dict("<f4", "0", "(16,)"), "neither True nor False" },
      { dict("O", "False", "(8,)"), "descr" },
      { dict("<f4", "False", "(16,)") .. "x", "something follows" },
      { "{'descr': '<f4', 'shape': (16,)}", "missing" },
      { "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (16,)}", "twice" },
      { "{'descr': '<f4', 'fortran_order': False, 'shape': (16,), 'more': 1}", "unknown key" },
      { "{'descr': '<f4", "string" }, { "{", "string" }, { "", "dictionary" }, { "{}", "missing" },
      { "[]", "dictionary" }, { "{'descr'", "':'" }, { "__import__('os').abort()", "dictionary" },
    }
    for _, case in ipairs(cases) do
      core.reset_peak_memory()
      local before = core.memory().live_bytes
      local value, message = formats.loads_npy(npy(case[1], data))
      assert.is_nil(value, case[1])
      assert.matches(case[2], message, 1, true)
      assert.is_true(core.memory().peak_bytes - before < 4096)
    end
    assert.matches("claims to be", select(2, formats.loads_npy("\x93NUMPY\2\0\xff\xff\xff\xff{}")), 1, true)
    assert.matches("version", select(2, formats.loads_npy(npy("{}", "", 4))), 1, true)
    assert.matches("not a .npy", select(2, formats.loads_npy("PK\3\4 an .npz file")), 1, true)
  end)

  it("survives cuts and damage", function()
    for _, name in ipairs { "float32.npy", "fortran.npy", "half.npy", "convert_big_i2.npy", "version2.npy" } do
      support.damage(formats.loads_npy, support.read(support.reference(name)), 1500, 80000)
    end
  end)
end)
