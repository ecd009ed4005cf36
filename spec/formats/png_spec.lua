-- PNG: pictures encoded from the definition (spec/reference/formats.py), ours back to themselves, damaged ones.
local core = require "perilune.core"
local support = require "formats.support"
local formats, tensor, same = core.formats, support.tensor, support.same

local function names()
  local found = {}
  for name in support.list(support.REFERENCE):gmatch("(%S+)%.png%f[%s\0]") do found[#found + 1] = name end
  return found
end

local function crc32(bytes)
  local crc = 0xffffffff
  for i = 1, #bytes do
    crc = crc ~ bytes:byte(i)
    for _ = 1, 8 do crc = crc & 1 == 1 and crc >> 1 ~ 0xedb88320 or crc >> 1 end
  end
  return crc ~ 0xffffffff
end

local function chunk(kind, data)
  return string.pack(">I4", #data) .. kind .. data .. string.pack(">I4", crc32(kind .. data))
end

local function header(width, height, depth, color, interlace)
  return "\x89PNG\r\n\x1a\n"
    .. chunk("IHDR", string.pack(">I4I4BBBBB", width, height, depth, color, 0, 0, interlace or 0))
end

local function pattern(channels, height, width, largest, dtype)
  local all, n = {}, 0
  for c = 1, channels do
    all[c] = {}
    for h = 1, height do
      all[c][h] = {}
      for w = 1, width do
        all[c][h][w] = n * 7919 % (largest + 1)
        n = n + 1
      end
    end
  end
  return tensor(all, dtype)
end

describe("PNG", function()
  it("reads every color type, depth, filter and interlacing", function()
    assert.is_true(#names() >= 20)
    for _, name in ipairs(names()) do
      local expected = assert(formats.load_npy(support.reference(name .. ".png.npy")))
      same(expected, assert(formats.load_png(support.reference(name .. ".png"))), name)
    end
  end)

  it("writes 1 to 4 channels of 8 and 16 bits and reads them back", function()
    for channels = 1, 4 do
      local narrow, wide = pattern(channels, 5, 3, 255, "uint8"), pattern(channels, 5, 3, 65535, "int64")
      same(narrow, formats.loads_png(formats.dumps_png(narrow, 8)))
      same(wide, formats.loads_png(formats.dumps_png(wide, 16)))
      same(narrow, formats.loads_png(formats.dumps_png(narrow:to("int64"), 8)))
      local flipped = narrow:transpose(2, 3)
      same(flipped:contiguous(), formats.loads_png(formats.dumps_png(flipped, 8)))
    end
    same(tensor({ { { 0, 257 } } }, "int64"), formats.loads_png(formats.dumps_png(tensor({ { 0, 1 } }, "uint8"), 16)))
    same(tensor({ { { 0, 255 } } }, "uint8"), formats.loads_png(formats.dumps_png(tensor({ { false, true } }), 8)))
  end)

  it("rounds and clamps floats", function()
    for _, kind in ipairs { "float32", "float64" } do
      local t = tensor({ { -1, 0, 0.5, 1, 2, math.huge, -math.huge, 0.1 } }, kind)
      same(tensor({ { { 0, 0, 128, 255, 255, 255, 0, 26 } } }, "uint8"), formats.loads_png(formats.dumps_png(t, 8)))
      same(tensor({ { { 0, 0, 32768, 65535, 65535, 65535, 0, 6554 } } }, "int64"),
        formats.loads_png(formats.dumps_png(t, 16)))
    end
  end)

  it("raises on pictures that are none", function()
    local dumps = formats.dumps_png
    assert.error_matches(function() dumps(tensor({ { 0.5, 0 / 0 } }, "float32"), 8) end, "row 1, column 2 is NaN")
    assert.error_matches(function() dumps(tensor({ { 256 } }, "int64"), 8) end, "range of the bit depth")
    assert.error_matches(function() dumps(tensor({ { -1 } }, "int64"), 16) end, "range of the bit depth")
    assert.error_matches(function() dumps(core.create.zeros(3), 8) end, "%(3%)")
    assert.error_matches(function() dumps(core.create.zeros(5, 4, 4), 8) end, "channels must be 1, 2, 3 or 4")
    assert.error_matches(function() dumps(core.create.zeros(0, 4), 8) end, "height and width")
    assert.error_matches(function() dumps(core.create.zeros(1, 1, 4, 4), 8) end, "%(C, H, W%)")
    assert.error_matches(function() dumps(core.create.zeros(4, 4), 12) end, "bit_depth")
  end)

  it("refuses hostile headers before it allocates", function()
    local idat = chunk("IDAT", "x\x9c\3\0\0\0\0\1")
    local cases = {
      { header(1000000, 1000000, 16, 6) .. idat, "more than a file of" },
      { header(0x7fffffff, 0x7fffffff, 8, 0) .. idat, "IHDR" }, { header(0, 1, 8, 0) .. idat, "IHDR" },
      { header(0xffffffff, 1, 8, 0) .. idat, "PNG" }, { header(1, 1, 3, 0) .. idat, "IHDR" },
      { header(1, 1, 8, 5) .. idat, "IHDR" }, { header(1, 1, 8, 3) .. idat, "PLTE" },
      { header(1, 1, 8, 0) .. chunk("IEND", ""), "IEND" }, { header(1, 1, 8, 0), "truncated" },
      { header(4, 4, 8, 0) .. idat .. chunk("IEND", ""), "PNG" },
      { "GIF89a..", "not a PNG" }, { "\x89PNG\r\n\x1a", "truncated" }, { "", "truncated" },
    }
    for _, case in ipairs(cases) do
      core.reset_peak_memory()
      local before = core.memory().live_bytes
      local value, message = formats.loads_png(case[1])
      assert.is_nil(value)
      assert.is_truthy(message:find(case[2], 1, true), message)
      assert.is_true(core.memory().peak_bytes - before < 200000, message)
    end
  end)

  it("looks for the pixels before it allocates many of them", function()
    -- 1 bit a pixel: 130 kB of zeros in 150 bytes would become 25 MB of RGB.  A twentieth is missing here.
    local whole = support.read(support.reference("palette1.png"))
    local palette = whole:match("(....PLTE.-)....IDAT")
    local directory = support.directory()
    local function compressed(n)
      support.write(directory .. "zeros", string.rep("\0", n))
      local deflated = support.run("gzip -9nc " .. directory .. "zeros"):sub(11, -9)
      -- Adler-32 of n zeros: a = 1, b = n
      return chunk("IDAT", "\x78\xda" .. deflated .. string.pack(">I2I2", n % 65521, 1)) .. chunk("IEND", "")
    end
    local start = header(8000, 1000, 1, 3) .. palette
    core.reset_peak_memory()
    local before = core.memory().live_bytes
    local value, message = formats.loads_png(start .. compressed(950 * 1001))
    assert.is_nil(value)
    assert.matches("bad PNG", message)
    assert.is_true(core.memory().peak_bytes - before < 500000)
    assert.same({ 3, 1000, 8000 }, assert(formats.loads_png(start .. compressed(1000 * 1001))).shape)
    support.remove(directory)
  end)

  it("survives cuts and damage", function()
    for _, name in ipairs { "rgb8", "rgba16_interlaced", "palette_alpha", "gray2_transparent" } do
      support.damage(formats.loads_png, support.read(support.reference(name .. ".png")), 1000, 32 << 20)
    end
  end)

  it("refuses a pixel whose color is not in the palette", function()
    local palette = chunk("PLTE", "\1\2\3\4\5\6")
    -- One row of four pixels, stored: 8 bits, then 2 bits each.
    local function picture(depth, row, transparency)
      local raw = "\0" .. row
      local a, b = 1, 0
      for i = 1, #raw do
        a = (a + raw:byte(i)) % 65521
        b = (b + a) % 65521
      end
      local deflated = "\x78\1\1" .. string.pack("<I2I2", #raw, ~#raw & 0xffff) .. raw .. string.pack(">I2I2", b, a)
      return header(4, 1, depth, 3) .. palette .. (transparency or "") .. chunk("IDAT", deflated) .. chunk("IEND", "")
    end
    local expected = { { { 1, 4, 4, 1 } }, { { 2, 5, 5, 2 } }, { { 3, 6, 6, 3 } } }
    assert.same(expected, assert(formats.loads_png(picture(8, "\0\1\1\0"))):totable())
    assert.same(expected, assert(formats.loads_png(picture(2, "\x14"))):totable())
    expected[4] = { { 7, 255, 255, 7 } }
    assert.same(expected, assert(formats.loads_png(picture(8, "\0\1\1\0", chunk("tRNS", "\7")))):totable())
    for _, bytes in ipairs { picture(8, "\0\1\2\0"), picture(8, "\0\1\xff\0"), picture(2, "\x18") } do
      local value, message = formats.loads_png(bytes)
      assert.is_nil(value)
      assert.matches("bad PNG: a pixel has a color that is not in the palette", message)
    end
  end)
end)
