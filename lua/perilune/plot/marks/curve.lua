-- curve.lua -- a line through points, with a band around it and markers on it.  Values that are not finite break it.
local color = require "perilune.plot.color"
local data = require "perilune.plot.data"

local Curve = {}
Curve.__index = Curve

local MARKER_RADIUS = 3
local VISIT_EVERY = 8        -- points, along the line

--- given: xs, ys; color, line_width, dash; marker (a shape or nil); step; low, high (lists: the band, or nil),
-- band_alpha
function Curve.new(given) return setmetatable(given, Curve) end

function Curve:range()
  local x_low, x_high = data.range(self.xs)
  return x_low, x_high, data.range(self.ys, self.low or {}, self.high or {})
end

-- Calls each(run) with every unbroken stretch { x1, y1, x2, y2, ... } of the points that the lists give.
local function each_run(map, xs, ys, each)
  local run = {}
  for i = 1, #xs + 1 do
    if i <= #xs and data.is_finite(xs[i]) and data.is_finite(ys[i]) then
      run[#run + 1], run[#run + 2] = map.x(xs[i]), map.y(ys[i])
    elseif #run > 0 then
      each(run)
      run = {}
    end
  end
end

-- A value holds from its x to the next.
local function stepped(run)
  local steps = { run[1], run[2] }
  for i = 3, #run, 2 do
    local n = #steps
    steps[n + 1], steps[n + 2], steps[n + 3], steps[n + 4] = run[i], run[i - 1], run[i], run[i + 1]
  end
  return steps
end

-- The edge of the band, not a number where either edge is none.
local function edge_of(self, name)
  local edge = {}
  for i = 1, #self.xs do
    edge[i] = data.is_finite(self.low[i] + self.high[i]) and self[name][i] or 0 / 0
  end
  return edge
end

local function draw_band(self, drawing, map)
  local uppers, k = {}, 0
  each_run(map, self.xs, edge_of(self, "high"), function(run)
    uppers[#uppers + 1] = self.step and stepped(run) or run
  end)
  each_run(map, self.xs, edge_of(self, "low"), function(run)
    k = k + 1
    run = self.step and stepped(run) or run
    local outline = table.move(uppers[k], 1, #uppers[k], 1, {})
    for i = #run - 1, 1, -2 do outline[#outline + 1], outline[#outline + 2] = run[i], run[i + 1] end
    drawing:polygon(outline, { fill = color.faded(self.color, self.band_alpha or 0.2) })
  end)
end

function Curve:draw(drawing, map)
  if self.low then draw_band(self, drawing, map) end
  local dots = { x = {}, y = {}, radius = MARKER_RADIUS, shape = self.marker or "circle", colors = self.color }
  each_run(map, self.xs, self.ys, function(run)
    local alone = #run == 2
    if not alone and self.line_width > 0 then
      drawing:line(self.step and stepped(run) or run,
        { stroke = self.color, line_width = self.line_width, dash = self.dash })
    end
    if self.marker or alone then                            -- a point without neighbours has no line to be seen by
      for i = 1, #run, 2 do dots.x[#dots.x + 1], dots.y[#dots.y + 1] = run[i], run[i + 1] end
    end
  end)
  if #dots.x > 0 then drawing:dots(dots) end
end

function Curve:visit(map, visit)
  each_run(map, self.xs, self.ys, function(run)
    visit(run[1], run[2])
    for i = 3, #run, 2 do
      local dx, dy = run[i] - run[i - 2], run[i + 1] - run[i - 1]
      local n = math.ceil(math.max(math.abs(dx), math.abs(dy)) / VISIT_EVERY)
      for k = 1, n do visit(run[i - 2] + dx * k / n, run[i - 1] + dy * k / n) end
    end
  end)
  for _, edge in ipairs { self.low or {}, self.high or {} } do
    for i = 1, #edge do
      if data.is_finite(edge[i]) and data.is_finite(self.xs[i]) then visit(map.x(self.xs[i]), map.y(edge[i])) end
    end
  end
end

return Curve
