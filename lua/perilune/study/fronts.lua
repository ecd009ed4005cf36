-- fronts.lua -- domination among trials with several objectives, and how crowded they stand (Deb et al., 2002).
local fronts = {}

--- 1 for each objective to be minimised, -1 for the others.
---@param study table
---@return integer[]
function fronts.signs(study)
  local signs = {}
  for i, direction in ipairs(study.directions) do signs[i] = direction == "maximize" and -1 or 1 end
  return signs
end

--- Whether a is at least as good as b in everything and better in something.
---@param a table  a record
---@param b table  a record
---@param signs integer[]
---@return boolean
function fronts.dominates(a, b, signs)
  local better = false
  for i, sign in ipairs(signs) do
    local x, y = sign * a.values[i], sign * b.values[i]
    if x > y then return false end
    better = better or x < y
  end
  return better
end

--- Records in fronts: those that nobody dominates, those that only these dominate, and so on; each front in its order.
---@param records table[]
---@param signs integer[]
---@return table[][]
function fronts.fronts(records, signs)
  local left, found = records, {}
  while #left > 0 do
    local front, others = {}, {}
    for _, record in ipairs(left) do
      local dominated = false
      for _, other in ipairs(left) do
        if fronts.dominates(other, record, signs) then
          dominated = true
          break
        end
      end
      table.insert(dominated and others or front, record)
    end
    found[#found + 1], left = front, others
  end
  return found
end

local function gap_at(sorted, i, at)
  local below = i > 1 and sorted[i - 1].values[at] or -math.huge
  local above = i < #sorted and sorted[i + 1].values[at] or math.huge
  return below == above and 0 or above - below
end

-- The span of the finite values; 1 if it is empty.
local function width_of(sorted, at)
  local low, high = math.huge, -math.huge
  for _, record in ipairs(sorted) do
    local value = record.values[at]
    if value > -math.huge then low = math.min(low, value) end
    if value < math.huge then high = math.max(high, value) end
  end
  local width = high - low
  return width > 0 and width < math.huge and width or 1
end

--- The crowding distance of each record: the sum over the objectives of the gap between its neighbours, in spans.
---@param front table[]
---@return table  { record = distance }
function fronts.crowding(front)
  local distance = {}
  for _, record in ipairs(front) do distance[record] = 0 end
  for at = 1, front[1] and #front[1].values or 0 do
    local sorted = table.move(front, 1, #front, 1, {})
    table.sort(sorted, function(a, b)
      if a.values[at] ~= b.values[at] then return a.values[at] < b.values[at] end
      return a.number < b.number
    end)
    if sorted[1].values[at] ~= sorted[#sorted].values[at] then
      local width = width_of(sorted, at)
      for i, record in ipairs(sorted) do distance[record] = distance[record] + gap_at(sorted, i, at) / width end
    end
  end
  return distance
end

--- The best n: whole fronts, and of the one that does not fit those that stand least crowded.
---@param records table[]
---@param signs integer[]
---@param n integer
---@return table[]
function fronts.elite(records, signs, n)
  local chosen = {}
  for _, front in ipairs(fronts.fronts(records, signs)) do
    local room = n - #chosen
    if room <= 0 then break end
    if #front > room then
      local distance = fronts.crowding(front)
      table.sort(front, function(a, b)
        if distance[a] ~= distance[b] then return distance[a] > distance[b] end
        return a.number < b.number
      end)
    end
    table.move(front, 1, math.min(#front, room), #chosen + 1, chosen)
  end
  return chosen
end

return fronts
