-- IDX files, plain and gzip.
local core = require "perilune.core"
local support = require "formats.support"
local formats, tensor, same = core.formats, support.tensor, support.same

local function images()
  local all, n = {}, 0
  for i = 1, 2 do
    all[i] = {}
    for j = 1, 3 do
      all[i][j] = {}
      for k = 1, 4 do all[i][j][k], n = n, n + 1 end
    end
  end
  return tensor(all, "uint8")
end

local function idx(code, shape, data)
  local header = string.char(0, 0, code, #shape)
  for _, size in ipairs(shape) do header = header .. string.pack(">I4", size) end
  return header .. data
end

describe("IDX", function()
  it("reads gzip, also of several members, and plain files", function()
    same(images(), assert(formats.load_idx(support.reference("images.idx.gz"))))
    same(images(), assert(formats.load_idx(support.reference("two_members.idx.gz"))))
    local bytes = {}
    for i = 0, 23 do bytes[#bytes + 1] = string.char(i) end
    same(images(), assert(formats.loads_idx(idx(8, { 2, 3, 4 }, table.concat(bytes)))))
  end)

  it("reads every type of the format", function()
    local expected = { { 1, -2 }, { 3, -40 } }
    for name, kind in pairs { i1 = "int64", i2 = "int64", i4 = "int64", f4 = "float32", f8 = "float64" } do
      same(tensor(expected, kind), assert(formats.load_idx(support.reference(name .. ".idx"))), name)
    end
  end)

  it("reads empty and 0-dim data", function()
    assert.same({ 0, 28, 28 }, formats.loads_idx(idx(8, { 0, 28, 28 }, "")).shape)
    assert.equal(7, formats.loads_idx(idx(8, {}, "\7")):item())
  end)

  it("refuses headers that do not fit the file, before it allocates", function()
    local cases = {
      { idx(8, { 2, 3 }, "12345"), "6 bytes, but 5 follow" },
      { idx(8, { 2, 3 }, "1234567"), "6 bytes, but 7 follow" },
      { idx(8, { 0xffffffff, 0xffffffff }, "x"), "impossible" },
      { idx(8, { 0xffffffff, 0x10000000 }, "x"), "impossible" }, { idx(8, { 0xffffffff, 0xffff }, "x"), "1 follow" },
      { idx(14, { 0x7fffffff }, "x"), "1 follow" },
      { idx(10, { 1 }, "x"), "not an IDX" },
      { idx(8, { 1, 1, 1, 1, 1, 1, 1, 1, 1 }, "x"), "9 dimensions" },
      { "\0\0\8\255", "255 dimensions" },
      { "\1\0\8\1\0\0\0\1x", "not an IDX" },
      { "\0\0\8", "truncated" }, { "", "truncated" },
    }
    for _, case in ipairs(cases) do
      core.reset_peak_memory()
      local before = core.memory().live_bytes
      local value, message = formats.loads_idx(case[1])
      assert.is_nil(value)
      assert.matches(case[2], message, 1, true)
      assert.is_true(core.memory().peak_bytes - before < 4096)
    end
  end)

  -- gzip of header + zeros; `claimed` may be more than there is.
  local function zipped(claimed, real)
    local directory = support.directory()
    support.write(directory .. "a.idx", idx(8, { claimed }, string.rep("\0", real)))
    local bytes = support.run("gzip -9nc " .. directory .. "a.idx")
    support.remove(directory)
    return bytes
  end

  it("counts before it believes a small gzip file that claims much", function()
    local claims = zipped(0x7fffffff, 100)
    core.reset_peak_memory()
    local before = core.memory().live_bytes
    local value, message = formats.loads_idx(claims)
    assert.is_nil(value)
    assert.matches("2147483647 bytes, but 100 follow", message, 1, true)
    assert.is_true(core.memory().peak_bytes - before < 300000)

    local honest = assert(formats.loads_idx(zipped(3000000, 3000000)))      -- a thousand times its length
    assert.same({ 3000000 }, honest.shape)
    assert.matches("more bytes than", select(2, formats.loads_idx(zipped(1000000, 3000000))), 1, true)
    assert.matches("at least 2000001 follow", select(2, formats.loads_idx(zipped(2000000, 3000000))), 1, true)
  end)

  it("notices wrong checksums and trailing bytes", function()
    local bytes = support.read(support.reference("images.idx.gz"))
    assert.matches("follow the end of the gzip", select(2, formats.loads_idx(bytes .. "garbage")), 1, true)
    local crc = bytes:byte(-8)
    local value, message = formats.loads_idx(bytes:sub(1, -9) .. string.char(crc ~ 1) .. bytes:sub(-7))
    assert.is_nil(value)
    assert.matches("incorrect data check", message, 1, true)
    value, message = formats.loads_idx(bytes:sub(1, -2) .. "\1")
    assert.is_nil(value)
    assert.matches("incorrect length check", message, 1, true)
  end)

  it("survives cuts and damage", function()
    for _, name in ipairs { "images.idx.gz", "two_members.idx.gz", "i4.idx", "f8.idx" } do
      support.damage(formats.loads_idx, support.read(support.reference(name)), 1500, 8 << 20)
    end
  end)

  it("reads the real Fashion-MNIST", function()
    local path = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"
    local file = io.open(path)
    if not file then return pending("the package dataset-fashion-mnist is not installed") end
    file:close()
    local start = os.clock()
    local train = assert(formats.load_idx(path))
    assert.is_true(os.clock() - start < 10)
    assert.same({ 60000, 28, 28 }, train.shape)
    assert.equal("uint8", train.dtype)
  end)
end)
