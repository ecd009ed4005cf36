-- bins.lua -- into how many equal bins values go, and how many fall into each.
local bins = {}

local MAX_BINS = 500

local function quantile(sorted, share)
  local at = (#sorted - 1) * share + 1
  local i = math.min(math.floor(at), #sorted - 1)
  if #sorted == 1 then return sorted[1] end
  return sorted[i] + (sorted[i + 1] - sorted[i]) * (at - i)
end

--- The number of bins by Freedman & Diaconis, 1981: each 2 * IQR / n^(1/3) wide; by Sturges where the quartiles are
-- equal.
---@param values number[]  finite
---@return integer
function bins.count(values)
  if #values < 2 then return 1 end
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  local range = sorted[#sorted] - sorted[1]
  local width = 2 * (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / (#sorted) ^ (1 / 3)
  if range <= 0 then return 1 end
  if width <= 0 then return math.ceil(math.log(#sorted, 2)) + 1 end
  return math.max(1, math.min(math.ceil(range / width - 1e-6), MAX_BINS))
end

--- n + 1 edges of n bins from low to high; equal values get a bin around them.
---@return number[]
function bins.edges(low, high, n)
  if low == high then
    local room = low ~= 0 and math.abs(low) * 0.05 or 0.5
    low, high = low - room, high + room
  end
  local edges = {}
  for i = 0, n do edges[i + 1] = low + (high - low) * i / n end
  edges[n + 1] = high
  return edges
end

--- How many values fall into each bin; the last one has its upper edge too, values beyond the edges are left out.
---@return integer[] counts
function bins.fill(values, edges)
  local n, low, high = #edges - 1, edges[1], edges[#edges]
  local counts = {}
  for i = 1, n do counts[i] = 0 end
  for _, value in ipairs(values) do
    if value >= low and value <= high then
      local i = math.min(math.floor((value - low) / (high - low) * n) + 1, n)
      if value < edges[i] then i = i - 1 elseif i < n and value >= edges[i + 1] then i = i + 1 end
      counts[i] = counts[i] + 1
    end
  end
  return counts
end

return bins
