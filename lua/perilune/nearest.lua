-- nearest.lua -- the names that somebody may have meant who wrote another.

local nearest = {}

-- Levenshtein's: the fewest letters that are put in, taken out or replaced.
local function edits(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal
    diagonal, row[0] = row[0], i
    for j = 1, #b do
      local replaced = diagonal + (a:byte(i) == b:byte(j) and 0 or 1)
      diagonal, row[j] = row[j], math.min(replaced, row[j] + 1, row[j - 1] + 1)
    end
  end
  return row[#b]
end

local SHORTEST_PART <const> = 3

-- A name that holds the other comes after one with a single wrong letter.
local function distance(wanted, name)
  local is_part = #wanted >= SHORTEST_PART and #name >= SHORTEST_PART and
    (name:find(wanted, 1, true) or wanted:find(name, 1, true))
  return math.min(edits(wanted, name), is_part and 1.5 or math.huge)
end

--- Those of names that look like wanted, the most similar first; upper and lower case are the same.
---@param wanted string
---@param names string[]
---@param most integer  how many at most
---@return string[]
function nearest.of(wanted, names, most)
  local found, limit = {}, math.max(1.5, #wanted / 3)
  for _, name in ipairs(names) do
    local d = distance(wanted:lower(), name:lower())
    if d <= limit then found[#found + 1] = { name, d } end
  end
  table.sort(found, function(a, b)
    if a[2] ~= b[2] then return a[2] < b[2] end
    return a[1] < b[1]
  end)
  local chosen = {}
  for i = 1, math.min(most, #found) do chosen[i] = found[i][1] end
  return chosen
end

return nearest
