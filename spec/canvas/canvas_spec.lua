-- perilune.canvas: what is painted is in the PNG, read back by the library's own reader.
local canvas = require "perilune.canvas"
local core = require "perilune.core"

local FAMILY = "DejaVu Sans"

-- Red, green, blue at a pixel (from 1).
local function pixel(k, x, y)
  local picture = core.formats.loads_png(k:png())
  local found = {}
  for plane = 1, 3 do found[plane] = picture[plane][y][x]:item() end
  return found
end

local function ink(k)
  local picture = core.formats.loads_png(k:png())
  return 255 * picture:numel() - picture:to("float64"):sum():item()
end

describe("a canvas", function()
  it("is white and as large as points times scale", function()
    local k <close> = canvas.open(10, 5.2, 2)
    assert.same({ 3, 11, 20 }, core.formats.loads_png(k:png()).shape)
    assert.same({ 255, 255, 255 }, pixel(k, 20, 11))
  end)

  it("fills, strokes and forgets the path", function()
    local k <close> = canvas.open(20, 20, 1)
    k:rectangle(2, 2, 6, 6)
    k:paint(0xFF0000FF)
    assert.same({ 255, 0, 0 }, pixel(k, 5, 5))
    k:line({ 0, 15, 20, 15 }, false)
    k:paint(0, 0x0000FFFF, 2)
    assert.same({ 0, 0, 255 }, pixel(k, 10, 15))
    k:circle(15, 5, 4)
    k:paint(0x00FF0080)
    assert.same({ 127, 255, 127 }, pixel(k, 15, 5))
    assert.same({ 255, 0, 0 }, pixel(k, 5, 5))
    k:line({ 0, 10, 20, 10 }, false)
    k:paint(nil, 0x000000FF, 1, { 2, 2 })
    k:rectangle(0, 0, 20, 20)
    k:paint(0)
    assert.same({ 255, 0, 0 }, pixel(k, 5, 5))
  end)

  it("draws nothing beyond a clip", function()
    local k <close> = canvas.open(10, 10, 1)
    k:clip(0, 0, 5, 10)
    k:rectangle(0, 0, 10, 10)
    k:paint(0x000000FF)
    k:unclip()
    assert.same({ 0, 0, 0 }, pixel(k, 5, 5))
    assert.same({ 255, 255, 255 }, pixel(k, 6, 5))
  end)

  it("measures text, which is as wide at every scale", function()
    local small <close> = canvas.open(1, 1, 1)
    local large <close> = canvas.open(1, 1, 3)
    local width, ascent, descent = small:measure("Perilune", FAMILY, 12, false)
    assert.is_true(width > 30 and width < 80 and ascent > 8 and descent > 1)
    assert.near(width, large:measure("Perilune", FAMILY, 12, false), 1e-6)
    assert.near(2 * width, small:measure("Perilune", FAMILY, 24, false), 0.01)
    assert.is_true(small:measure("Perilune", FAMILY, 12, true) > width)
  end)

  it("draws text by its anchor and angle", function()
    local function ink_of(anchor, angle)
      local k <close> = canvas.open(100, 100, 1)
      k:text("mmm", 50, 50, anchor, angle, FAMILY, 20, false, 0x000000FF)
      local picture = core.formats.loads_png(k:png()):select(1, 1)
      local function part(rows, columns)
        local piece = picture[{ rows, columns }]
        return 255 * piece:numel() - piece:to("float64"):sum():item()
      end
      return part({ 1, 100 }, { 1, 50 }), part({ 1, 100 }, { 51, 100 }), part({ 1, 50 }, { 1, 100 })
    end
    local left, right = ink_of(0, 0)
    assert.is_true(left == 0 and right > 0)
    left, right = ink_of(1, 0)
    assert.is_true(left > 0 and right == 0)
    left, right = ink_of(0.5, 0)
    assert.near(1, left / right, 0.1)
    local _, _, above = ink_of(0, math.pi / 2)
    assert.equal(0, above)
  end)

  it("stretches pictures with square pixels", function()
    local png = core.formats.dumps_png(core.create.tensor({ { { 0, 255 } } }, { dtype = "uint8" }), 8)
    local k <close> = canvas.open(20, 10, 1)
    k:image(png, 0, 0, 20, 10, false)
    assert.same({ 0, 0, 0 }, pixel(k, 10, 5))
    assert.same({ 255, 255, 255 }, pixel(k, 11, 5))
    local before = ink(k)
    assert.error_matches(function() k:image("no picture", 0, 0, 1, 1) end, "the picture is no PNG")
    assert.error_matches(function() k:image(png:sub(1, -20), 0, 0, 1, 1) end, "the picture is no PNG")
    assert.equal(before, ink(k))
  end)

  it("refuses sizes that Cairo has not, and is over once closed", function()
    assert.error_matches(function() canvas.open(0, 10, 1) end, "1 to 32767 pixels")
    assert.error_matches(function() canvas.open(20000, 10, 2) end, "1 to 32767 pixels")
    assert.error_matches(function() canvas.open(10, 10, 0 / 0) end, "1 to 32767 pixels")
    local k
    do
      local closed <close> = canvas.open(10, 10, 1)
      k = closed
    end
    assert.error_matches(function() k:png() end, "the canvas is closed")
    assert.error_matches(function() k:paint(0) end, "the canvas is closed")
  end)

  it("tells what Cairo could not draw", function()
    local k <close> = canvas.open(10, 10, 1)
    k:text("\xff", 0, 5, 0, 0, FAMILY, 10, false, 0x000000FF)
    assert.error_matches(function() k:png() end, "canvas: .*UTF%-8")
  end)
end)
