--- Compares flat lists of numbers and says where they part.
local M = {}

--- 1-based position in a flat list -> "[2][1][3]".
function M.index(position, shape)
  local text, rest = "", position - 1
  for d = #shape, 1, -1 do
    text = ("[%d]"):format(rest % shape[d] + 1) .. text
    rest = rest // shape[d]
  end
  return text
end

-- The size of a typical number of the list: the root of the mean square of the finite ones.
local function scale_of(values)
  local sum, n = 0.0, 0
  for _, v in ipairs(values) do
    if v - v == 0 then sum, n = sum + v * v, n + 1 end
  end
  return n > 0 and math.sqrt(sum / n) or 0.0
end

local function text(v)
  return math.type(v) == "float" and ("%.10g"):format(v) or tostring(v)
end

--- nil when every actual[i] is within tolerance * max(|expected[i]|, typical |expected|) of expected[i]; otherwise
-- a sentence that begins with `what` and the index of the worst element.  tolerance 0 asks for equality.
-- NaN equals NaN here.  Booleans are compared as such.
function M.differs(what, actual, expected, shape, tolerance)
  if #actual ~= #expected then
    return ("%s: expected %d elements, got %d"):format(what, #expected, #actual)
  end
  if type(expected[1]) == "boolean" then tolerance = 0 end
  local scale = tolerance > 0 and scale_of(expected) or 0.0
  local worst, worst_excess, n_wrong = nil, -1.0, 0
  for i, e in ipairs(expected) do
    local a = actual[i]
    if a ~= e and (a == a or e == e) then
      local excess = math.huge   -- for NaN, infinities and an exact comparison
      if tolerance > 0 and a - a == 0 and e - e == 0 then
        excess = math.abs(a - e) / (tolerance * math.max(math.abs(e), scale) + 1e-300)
      end
      if excess > 1 then
        n_wrong = n_wrong + 1
        if excess > worst_excess then worst, worst_excess = i, excess end
      end
    end
  end
  if not worst then return nil end
  return ("%s%s: expected %s, got %s (%d of %d differ, tolerance %g)"):format(
    what, M.index(worst, shape), text(expected[worst]), text(actual[worst]), n_wrong, #expected, tolerance)
end

return M
