-- regression_tree.lua -- the leaves of a CART regression tree (Breiman et al., 1984), each with the box that it covers.
--
-- A node is split at the midpoint of two neighbouring values, where that lowers the squared error most, until all its
-- values are equal.  Each column is sorted once; its order is handed down.
local EQUAL = 1e-14     -- of the variance at the root: less is no difference

local function sums_of(order, y, weight)
  local total, sum, square = 0, 0, 0
  for _, i in ipairs(order) do
    total, sum, square = total + weight[i], sum + weight[i] * y[i], square + weight[i] * y[i] * y[i]
  end
  return total, sum, square
end

-- The best threshold of one column: gain, threshold; nil if all its values are equal.
local function best_in_column(x, order, y, weight, total, sum)
  local left, left_sum, best, threshold = 0, 0, -math.huge, nil
  for at = 1, #order - 1 do
    local i = order[at]
    left, left_sum = left + weight[i], left_sum + weight[i] * y[i]
    local here, following = x[i], x[order[at + 1]]
    if here < following then
      local gain = left_sum * left_sum / left + (sum - left_sum) ^ 2 / (total - left)
      if gain > best then best, threshold = gain, here + (following - here) / 2 end
    end
  end
  return best, threshold
end

local function best_split(tree, orders, total, sum)
  local best, column, threshold = -math.huge, nil, nil
  for _, j in ipairs(tree.shuffled()) do
    local gain, at = best_in_column(tree.columns[j], orders[j], tree.y, tree.weight, total, sum)
    if at and gain > best then best, column, threshold = gain, j, at end
  end
  return column, threshold
end

local function parted(tree, orders, column, threshold)
  local x, low, high = tree.columns[column], {}, {}
  for j, order in ipairs(orders) do
    local below, above = {}, {}
    for _, i in ipairs(order) do
      if x[i] <= threshold then below[#below + 1] = i else above[#above + 1] = i end
    end
    low[j], high[j] = below, above
  end
  return low, high
end

local function with(list, at, value)
  local copy = table.move(list, 1, #list, 1, {})
  copy[at] = value
  return copy
end

local function grow(tree, orders, low, high, depth)
  local total, sum, square = sums_of(orders[1], tree.y, tree.weight)
  local error_left, column, threshold = square - sum * sum / total, nil, nil
  if #orders[1] > 1 and depth < tree.max_depth and error_left > tree.negligible * total then
    column, threshold = best_split(tree, orders, total, sum)
  end
  if not column then
    tree.leaves[#tree.leaves + 1] = { value = sum / total, low = low, high = high }
    return
  end
  local below, above = parted(tree, orders, column, threshold)
  grow(tree, below, low, with(high, column, threshold), depth + 1)
  grow(tree, above, with(low, column, threshold), high, depth + 1)
end

local function sorted_orders(columns, weight)
  local orders = {}
  for j, x in ipairs(columns) do
    local order = {}
    for i = 1, #x do
      if weight[i] > 0 then order[#order + 1] = i end
    end
    table.sort(order, function(a, b) return x[a] < x[b] or x[a] == x[b] and a < b end)
    orders[j] = order
  end
  return orders
end

--- The leaves, { value, low, high } with a corner for each column.
---@param columns number[][]  d columns of n numbers
---@param y number[]  n of them
---@param weight number[]  n of them, 0 or more: how often each counts
---@param low number[]  the box of the root
---@param high number[]
---@param max_depth integer
---@param shuffled fun(): integer[]  the columns 1 .. d in the order in which equal gains are settled
---@return table[]
return function(columns, y, weight, low, high, max_depth, shuffled)
  local orders = sorted_orders(columns, weight)
  local total, sum, square = sums_of(orders[1], y, weight)
  local tree = { columns = columns, y = y, weight = weight, leaves = {}, max_depth = max_depth, shuffled = shuffled,
    negligible = EQUAL * (square / total - (sum / total) ^ 2) }
  grow(tree, orders, low, high, 0)
  return tree.leaves
end
