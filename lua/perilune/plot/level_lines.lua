-- level_lines.lua -- where a surface over a grid has a given height: marching squares, and the pieces joined to lines.
local level_lines = {}

-- Corners of a cell: 1 (r, c), 2 (r, c + 1), 4 (r + 1, c + 1), 8 (r + 1, c); a bit is set where the surface is above.
-- Sides: "t" between 1 and 2, "r" between 2 and 4, "b" between 4 and 8, "l" between 8 and 1.
local PIECES = { [1] = { "lt" }, [2] = { "tr" }, [3] = { "lr" }, [4] = { "rb" }, [5] = { "lt", "rb" }, [6] = { "tb" },
  [7] = { "lb" }, [8] = { "lb" }, [9] = { "tb" }, [10] = { "tr", "lb" }, [11] = { "rb" }, [12] = { "lr" },
  [13] = { "tr" }, [14] = { "lt" } }

local function crossing(a, b, level) return (level - a) / (b - a) end

-- The point of a side at which the level lies, in grid coordinates, and a key that both cells of the side agree on.
local function on_side(rows, r, c, side, level)
  if side == "t" or side == "b" then
    local row = side == "t" and r or r + 1
    return c + crossing(rows[row][c], rows[row][c + 1], level), row, "h" .. row .. "," .. c
  end
  local column = side == "l" and c or c + 1
  return column, r + crossing(rows[r][column], rows[r + 1][column], level), "v" .. r .. "," .. column
end

-- Segments as { from = key, to = key }, and the point of each key.
local function segments_of(rows, level)
  local segments, points = {}, {}
  for r = 1, #rows - 1 do
    for c = 1, #rows[1] - 1 do
      local a, b, d, e = rows[r][c], rows[r][c + 1], rows[r + 1][c + 1], rows[r + 1][c]
      if a == a and b == b and d == d and e == e then
        local case = (a > level and 1 or 0) | (b > level and 2 or 0) | (d > level and 4 or 0) | (e > level and 8 or 0)
        for _, piece in ipairs(PIECES[case] or {}) do
          local ends = {}
          for side in piece:gmatch(".") do
            local x, y, key = on_side(rows, r, c, side, level)
            points[key] = { x, y }
            ends[#ends + 1] = key
          end
          segments[#segments + 1] = { from = ends[1], to = ends[2] }
        end
      end
    end
  end
  return segments, points
end

local function neighbours_of(segments)
  local at = {}
  for _, segment in ipairs(segments) do
    for _, key in ipairs { segment.from, segment.to } do
      at[key] = at[key] or {}
      table.insert(at[key], segment)
    end
  end
  return at
end

-- Follows unused segments from a key to the end, or round to the start.
local function follow(key, at, line, points)
  while true do
    line[#line + 1] = points[key]
    local next_segment
    for _, segment in ipairs(at[key]) do
      if not segment.used then next_segment = segment end
    end
    if not next_segment then return end
    next_segment.used = true
    key = next_segment.from == key and next_segment.to or next_segment.from
  end
end

--- The lines at one level, each a list of { column, row } in grid coordinates (1 is the first); a closed one ends where
--- it began.  Cells with a corner that is NaN have none.
---@param rows number[][]
---@param level number
---@return number[][][]
function level_lines.at(rows, level)
  local segments, points = segments_of(rows, level)
  local at, lines = neighbours_of(segments), {}
  local function begin(key)
    local line = {}
    follow(key, at, line, points)
    if #line > 1 then lines[#lines + 1] = line end
  end
  for _, segment in ipairs(segments) do                     -- open lines first, from their ends
    for _, key in ipairs { segment.from, segment.to } do
      if #at[key] == 1 and not segment.used then begin(key) end
    end
  end
  for _, segment in ipairs(segments) do
    if not segment.used then begin(segment.from) end
  end
  return lines
end

return level_lines
