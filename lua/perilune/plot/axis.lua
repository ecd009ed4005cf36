-- axis.lua -- the labels of an axis, chosen so that none touches another, and how they are drawn.
local text = require "perilune.plot.text"
local theme = require "perilune.plot.theme"

local axis = {}

local SIZE, GAP = theme.tick_size, 5
local SLANT = 45
local BEFORE = theme.tick_length + 4        -- between the axis line and its labels

local function line_height()
  local _, ascent, descent = text.measure("0", SIZE)
  return ascent + descent
end

-- Whether labels of these extents along the axis keep their distance.
local function fit(shares, extents, length)
  for i = 2, #shares do
    local distance = math.abs(shares[i] - shares[i - 1]) * length
    if distance < (extents[i] + extents[i - 1]) / 2 + GAP then return false end
  end
  return true
end

local function shares_of(scale, places)
  local shares = {}
  for i, place in ipairs(places) do
    local share = scale:position(place)
    shares[i] = scale.reversed and 1 - share or share
  end
  return shares
end

local function thinned(list, every)
  local kept = {}
  for i = 1, #list, every do kept[#kept + 1] = list[i] end
  return kept
end

local function extents_of(texts, along)
  local extents = {}
  for i, s in ipairs(texts) do extents[i] = along == "x" and text.measure(s, SIZE) or line_height() end
  return extents
end

-- Every second, third ... label, until the rest fit; extents are along the axis.
local function thin(found, extents, length)
  local every = 1
  while not fit(thinned(found.shares, every), thinned(extents, every), length) do every = every + 1 end
  found.shares, found.texts = thinned(found.shares, every), thinned(found.texts, every)
end

-- Numbers: fewer and fewer labels are asked for.
local function fit_numbers(scale, length, along, most)
  local found
  for wanted = most, 2, -1 do
    local places, texts, minor = scale:labels(wanted)
    found = { shares = shares_of(scale, places), texts = texts, minor = shares_of(scale, minor), angle = 0 }
    if fit(found.shares, extents_of(texts, along), length) then return found end
  end
  thin(found, extents_of(found.texts, along), length)
  return found
end

-- Names: slanted where they are too wide, then fewer.
local function fit_names(scale, length, along, room)
  local places, names = scale:labels()
  local found = { shares = shares_of(scale, places), texts = {}, minor = {}, angle = 0 }
  for i, name in ipairs(names) do found.texts[i] = text.shortened(text.clean(name), SIZE, room) end
  local extents = extents_of(found.texts, along)
  if along == "x" and not fit(found.shares, extents, length) then
    found.angle = -SLANT
    for i = 1, #extents do extents[i] = line_height() / math.sin(math.rad(SLANT)) - GAP end
  end
  thin(found, extents, length)
  return found
end

-- How far the labels reach from the axis line, and the outer ones beyond its ends.
local function measure(found, along, length)
  local width, height = text.widest(found.texts, SIZE), line_height()
  local n = #found.texts
  found.low_overhang, found.high_overhang = 0, 0
  if n == 0 then found.depth = BEFORE return end
  if along == "y" then
    found.depth = BEFORE + width
    found.low_overhang, found.high_overhang = height / 2, height / 2
  elseif found.angle ~= 0 then
    local turn = math.rad(SLANT)
    found.depth = BEFORE + width * math.sin(turn) + height * math.cos(turn)
    found.low_overhang = math.max(0, text.measure(found.texts[1], SIZE) * math.cos(turn) - found.shares[1] * length)
  else
    found.depth = BEFORE + height
    for i = 1, n do
      local half = text.measure(found.texts[i], SIZE) / 2
      found.low_overhang = math.max(found.low_overhang, half - found.shares[i] * length)
      found.high_overhang = math.max(found.high_overhang, half - (1 - found.shares[i]) * length)
    end
  end
end

--- The labels of a scale that is drawn `length` points long.
---@param scale table
---@param length number
---@param along string  "x" or "y"
---@param room? number  the most that names may take across the axis (default 160)
---@return table axis  shares 0..1, texts, minor, angle, depth, low_overhang, high_overhang
function axis.fit(scale, length, along, room)
  local found
  if scale.kind == "category" then
    found = fit_names(scale, length, along, room or 160)
  else
    local most = math.floor(length / (along == "x" and 90 or 60)) + 1
    found = fit_numbers(scale, length, along, math.min(math.max(most, 2), 10))
  end
  measure(found, along, length)
  return found
end

--- Grid lines; inner is the box between the axes.
function axis.draw_grid(drawing, found, inner, along)
  local function lines(shares, color)
    for _, share in ipairs(shares) do
      local x, y = inner.x + share * inner.width, inner.y + (1 - share) * inner.height
      local points = { inner.x, y, inner.x + inner.width, y }
      if along == "x" then points = { x, inner.y, x, inner.y + inner.height } end
      drawing:line(points, { stroke = color, line_width = 1 })
    end
  end
  lines(found.minor, theme.minor_grid)
  lines(found.shares, theme.grid)
end

--- Ticks and labels below (x) or to the left (y) of inner.
function axis.draw_labels(drawing, found, inner, along)
  local _, ascent, descent = text.measure("0", SIZE)
  local bottom = inner.y + inner.height
  for i, share in ipairs(found.shares) do
    local x, y = inner.x + share * inner.width, inner.y + (1 - share) * inner.height
    local style = { size = SIZE, color = theme.tick_ink }
    if along == "y" then
      style.anchor = 1
      drawing:text(inner.x - BEFORE, y + (ascent - descent) / 2, found.texts[i], style)
    else
      drawing:line({ x, bottom, x, bottom + theme.tick_length }, { stroke = theme.axis, line_width = 1 })
      style.angle, style.anchor = found.angle, found.angle == 0 and 0.5 or 1
      local shift = found.angle == 0 and 0 or ascent * 0.4
      drawing:text(x + shift, bottom + BEFORE + ascent - shift * 0.6, found.texts[i], style)
    end
  end
end

return axis
