-- The ten colours of classes: how far apart the two are that are most alike, in CIE L*a*b* (CIE 76) and in OKLab, to
-- normal eyes and to those without one kind of cone; and that none is too dark or too pale to have a hue as a small
-- point on white.
local color = require "perilune.plot.color"
local palette = require "perilune.plot.palette"

local function product(matrix, v)
  local result = {}
  for i, row in ipairs(matrix) do result[i] = row[1] * v[1] + row[2] * v[2] + row[3] * v[3] end
  return result
end

local function linear(c)
  local parts = { color.parts(c) }
  for i = 1, 3 do
    local share = parts[i] / 255
    parts[i] = share <= 0.04045 and share / 12.92 or ((share + 0.055) / 1.055) ^ 2.4
  end
  return parts
end

local function lab(rgb)
  local xyz = product({ { 0.4124564, 0.3575761, 0.1804375 }, { 0.2126729, 0.7151522, 0.0721750 },
    { 0.0193339, 0.1191920, 0.9503041 } }, rgb)
  local white, f = { 0.95047, 1, 1.08883 }, {}
  for i = 1, 3 do
    local share = xyz[i] / white[i]
    f[i] = share > 216 / 24389 and share ^ (1 / 3) or (24389 / 27 * share + 16) / 116
  end
  return { 116 * f[2] - 16, 500 * (f[1] - f[2]), 200 * (f[2] - f[3]) }
end

local function oklab(rgb)
  local lms = product({ { 0.4122214708, 0.5363325363, 0.0514459929 }, { 0.2119034982, 0.6806995451, 0.1073969566 },
    { 0.0883024619, 0.2817188376, 0.6299787005 } }, rgb)
  for i = 1, 3 do lms[i] = 100 * math.max(lms[i], 0) ^ (1 / 3) end
  return product({ { 0.2104542553, 0.7936177850, -0.0040720468 }, { 1.9779984951, -2.4285922050, 0.4505937099 },
    { 0.0259040371, 0.7827717662, -0.8086757660 } }, lms)
end

-- Machado, Oliveira & Fernandes 2009, severity 1.
local DEUTERANOPE = { { 0.367322, 0.860646, -0.227968 }, { 0.280085, 0.672501, 0.047413 },
  { -0.011820, 0.042940, 0.968881 } }
local PROTANOPE = { { 0.152286, 1.052583, -0.204868 }, { 0.114503, 0.786281, 0.099216 },
  { -0.003882, -0.048116, 1.051998 } }

local function seen_by(matrix)
  return function(rgb)
    local seen = product(matrix, rgb)
    for i = 1, 3 do seen[i] = math.min(math.max(seen[i], 0), 1) end
    return oklab(seen)
  end
end

local function least_distance(colors, space)
  local least = math.huge
  for i = 1, #colors do
    for k = 1, i - 1 do
      local a, b = space(linear(colors[i])), space(linear(colors[k]))
      least = math.min(least, math.sqrt((a[1] - b[1]) ^ 2 + (a[2] - b[2]) ^ 2 + (a[3] - b[3]) ^ 2))
    end
  end
  return least
end

describe("the colours of ten classes", function()
  local ten = palette.classes("spec", 10)

  it("are all far apart, also to the colour-blind", function()
    assert.near(53.24, lab(linear(0xFF0000FF))[1], 0.01)                -- red is (53.24, 80.09, 67.20)
    assert.near(80.09, lab(linear(0xFF0000FF))[2], 0.02)
    assert.is_true(least_distance(ten, lab) > 40)
    assert.is_true(least_distance(ten, oklab) > 20)
    assert.is_true(least_distance(ten, seen_by(DEUTERANOPE)) > 12)
    assert.is_true(least_distance(ten, seen_by(PROTANOPE)) > 12)
  end)

  it("have a hue that can be told on a small point, and stand out from white", function()
    for _, c in ipairs(ten) do
      local lightness = oklab(linear(c))[1]
      assert.is_true(lightness > 44 and lightness < 84, ("#%08X"):format(c))
    end
    local with_white = table.move(ten, 1, 10, 1, { [11] = 0xFFFFFFFF })
    assert.is_true(least_distance(with_white, oklab) > 19)
  end)
end)
