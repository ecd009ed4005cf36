-- perilune.image: loading, saving, and the grid of torchvision.utils.make_grid.
local perilune = require "perilune"
local support = require "formats.support"
local image, same = perilune.image, support.same

local function batch(n, c, h, w, dtype)
  return perilune.arange(1, n * c * h * w):reshape(n, c, h, w):to(dtype or "float32")
end

describe("image", function()
  local path

  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  it("loads samples, or floats from 0 to 1", function()
    local narrow = assert(image.load(support.reference("rgb8.png")))
    local wide = assert(image.load(support.reference("rgb16.png")))
    assert.equal("uint8", narrow.dtype)
    assert.equal("int64", wide.dtype)
    for picture, largest in pairs { [narrow] = 255, [wide] = 65535 } do
      local floats = assert(image.load(support.reference(largest == 255 and "rgb8.png" or "rgb16.png"),
        { dtype = "float32" }))
      assert.equal("float32", floats.dtype)
      assert.same(picture.shape, floats.shape)
      local expected, actual = picture[1][1]:totable(), floats[1][1]:totable()
      for i = 1, #expected do assert.near(expected[i] / largest, actual[i], 1e-7) end
    end
  end)

  it("saves what it loads", function()
    for _, name in ipairs { "gray8", "gray_alpha16", "rgba8", "rgb16" } do
      local picture = assert(image.load(support.reference(name .. ".png")))
      assert.is_true(image.save(path, picture))
      same(picture, assert(image.load(path)), name)
    end
    local floats = perilune.tensor({ { 0, 0.2, 1 } }, { dtype = "float32" })
    assert.is_true(image.save(path, floats, { bit_depth = 16 }))
    assert.same({ { { 0, 13107, 65535 } } }, image.load(path):totable())
  end)

  it("says what is wrong", function()
    local picture = perilune.zeros(4, 4)
    local ok, message = image.save("/nowhere/a.png", picture)
    assert.is_nil(ok)
    assert.equal("cannot write '/nowhere/a.png': its directory does not exist", message)
    ok, message = image.load("/nowhere/a.png")
    assert.is_nil(ok)
    assert.matches("No such file", message)
    assert.error_matches(function() image.save(path, picture, { depth = 8 }) end, "unknown option 'depth'")
    assert.error_matches(function() image.save(path, picture, { bit_depth = 4 }) end, "8 or 16, got 4")
    assert.error_matches(function() image.save(path, { { 1 } }) end, "expected a tensor")
    assert.matches("image_spec.lua:%d+: image.save: the pixel at row 1, column 1 is NaN",
      select(2, pcall(function() image.save(path, perilune.tensor { { 0 / 0 } }) end)))
    assert.error_matches(function() image.load(path, { dtype = "int64" }) end, "float32, float64")
    assert.error_matches(function() image.load(nil) end, "must be a string")
  end)

  it("lays out a grid row by row", function()
    local grid = image.grid(batch(3, 1, 1, 2), { nrow = 2, padding = 1, pad_value = 9 })
    assert.same({ {
      { 9, 9, 9, 9, 9, 9, 9 },
      { 9, 1, 2, 9, 3, 4, 9 },
      { 9, 9, 9, 9, 9, 9, 9 },
      { 9, 5, 6, 9, 9, 9, 9 },
      { 9, 9, 9, 9, 9, 9, 9 },
    } }, grid:totable())
  end)

  it("has torchvision's sizes and defaults", function()
    assert.same({ 3, 2 * (4 + 2) + 2, 8 * (5 + 2) + 2 }, image.grid(batch(10, 3, 4, 5)).shape)
    assert.same({ 3, 4 + 2 + 2, 5 * (5 + 2) + 2 }, image.grid(batch(5, 3, 4, 5)).shape)
    assert.same({ 1, 3 * 4, 2 * 5 }, image.grid(batch(5, 1, 4, 5), { nrow = 2, padding = 0 }).shape)
    assert.same({ 3, 4, 5 }, image.grid(batch(1, 3, 4, 5)).shape)
    assert.equal("uint8", image.grid(batch(2, 1, 2, 2, "uint8")).dtype)
  end)

  it("takes (N, H, W), lanes and permuted batches", function()
    local b = batch(4, 2, 3, 2)
    local expected = image.grid(b)
    same(expected, image.grid(b:lanes()))
    same(expected, image.grid(b:permute(2, 3, 4, 1):contiguous():permute(4, 1, 2, 3)))
    local gray = batch(4, 1, 3, 2)
    same(image.grid(gray), image.grid(gray:reshape(4, 3, 2)))
  end)

  it("enlarges pixels and stretches values", function()
    local grid = image.grid(batch(2, 1, 1, 2), { padding = 1, scale = 2, normalize = true })
    assert.same({ 1, 4, 11 }, grid.shape)
    local a, b = grid:totable()[1][2], grid:totable()[1][3]
    assert.same(a, b)
    for i, expected in ipairs { 0, 0, 0, 1 / 3, 1 / 3, 0, 2 / 3, 2 / 3, 1, 1, 0 } do
      assert.near(expected, a[i], 1e-6)
    end
    local flat = image.grid(perilune.ones(2, 1, 1, 1), { normalize = true, padding = 0 })
    assert.same({ { { 0, 0 } } }, flat:totable())
  end)

  it("leaves the batch alone and off the tape", function()
    local b = batch(2, 1, 2, 2)
    b.requires_grad = true
    local grid = image.grid(b, { normalize = true })
    assert.is_false(grid.requires_grad)
    same(batch(2, 1, 2, 2), b:detach())
  end)

  it("raises on what is no batch", function()
    assert.error_matches(function() image.grid(perilune.zeros(4)) end, "%(4%)")
    assert.error_matches(function() image.grid(perilune.zeros(0, 1, 2, 2)) end, "something in it")
    assert.error_matches(function() image.grid(3) end, "expected a tensor")
    assert.error_matches(function() image.grid(batch(1, 1, 2, 2), { rows = 3 }) end, "unknown option 'rows'")
    assert.error_matches(function() image.grid(batch(1, 1, 2, 2), { nrow = 0 }) end, "nrow")
    assert.error_matches(function() image.grid(batch(1, 1, 2, 2), { padding = -1 }) end, "padding")
    assert.error_matches(function() image.grid(batch(1, 1, 2, 2), { scale = 1.5 }) end, "scale")
  end)
end)
