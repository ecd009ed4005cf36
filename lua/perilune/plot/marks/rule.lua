-- rule.lua -- a straight line across the panel at one value, such as zero or a published result.
local theme = require "perilune.plot.theme"

local Rule = {}
Rule.__index = Rule

--- given: at (a value), along "x" (lies) or "y" (stands), color, dash, line_width
function Rule.new(given) return setmetatable(given, Rule) end

function Rule:range()
  if self.quiet then return nil, nil, nil, nil end
  if self.along == "x" then return nil, nil, self.at, self.at end
  return self.at, self.at, nil, nil
end

function Rule:draw(drawing, map)
  local inner = map.inner
  local points
  if self.along == "x" then
    local y = map.y(self.at)
    points = { inner.x, y, inner.x + inner.width, y }
  else
    local x = map.x(self.at)
    points = { x, inner.y, x, inner.y + inner.height }
  end
  drawing:line(points, { stroke = self.color or theme.axis, line_width = self.line_width or 1, dash = self.dash })
end

function Rule.visit() end

return Rule
