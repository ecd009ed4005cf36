-- neighbourhoods.lua -- how many of a map's neighbours are intruders, and how far they come from.
--
--   penalty = sum over i, and over the k nearest j of i in `near`, of max(0, r(i, j) - k)
--   share   = 1 - 2 / (n k (2 n - 3 k - 1)) penalty
--
-- r(i, j): j is the r-th nearest of i in `far`.  Venna & Kaski, "Neighborhood preservation in nonlinear projection
-- methods", ICANN 2001.  With near = map and far = data it is the trustworthiness, the other way round the continuity.
local core = require "perilune.core"
local options = require "perilune.options"

local neighbourhoods = {}

local BLOCK <const> = 256   -- rows whose distances to all n points are in memory at once

local function check(what, name, x)
  if not core.is_tensor(x) or x:dim() ~= 2 or not x.dtype:find("^float") then
    core.raise(("%s: %s must be a float tensor (points, features)"):format(what, name))
  end
  if not x:isfinite():all():item() then core.raise(("%s: %s has NaN or infinite values"):format(what, name)) end
  return x:detach():to("float32"):contiguous()
end

-- Squared distances of rows first .. first + count - 1 to all points, in float64; infinite to a point itself.
local function distances(x, squares, first, count)
  local rows = x:narrow(1, first, count)
  local d = squares:narrow(1, first, count):unsqueeze(2) + squares - rows:matmul(x:t()) * 2
  local own = core.create.arange(first, first + count - 1):unsqueeze(2)
  return d:masked_fill(own:eq(core.create.arange(1, #x)), math.huge)
end

-- The penalty of a block: an element's rank is one more than the number of those that are nearer.
local function block_penalty(far, squares, index, first, k)
  local scope <close> = core.scope() -- luacheck: ignore
  local d, sum = distances(far, squares, first, #index), 0
  local theirs = d:gather(2, index)
  for j = 1, k do
    local rank = d:lt(theirs:narrow(2, j, 1)):sum(2) + 1
    sum = sum + (rank - k):clamp(0):sum():item()
  end
  return sum
end

--- The share for points `far` (n, d) and `near` (n, m), with k neighbours, k < n / 2.
---@param what string  who asks, for messages
---@param far tensor
---@param near tensor
---@param names string[]  what the caller calls them
---@param k integer
function neighbourhoods.share(what, far, near, names, k)
  far, near = check(what, names[1], far), check(what, names[2], near)
  local n = #far
  if #near ~= n then core.raise(("%s: %d points but a map of %d"):format(what, n, #near)) end
  options.integer(what, "n_neighbors", k, 1)
  if 2 * k >= n then
    core.raise(("%s: n_neighbors is %d; it must be less than half of %d points"):format(what, k, n))
  end
  return core.no_grad(function()
    local wide, penalty = far:to("float64"), 0
    local squares = (wide * wide):sum(2)
    for first = 1, n, BLOCK do
      local count = math.min(BLOCK, n - first + 1)
      local index = core.manifold.neighbors(near, near:narrow(1, first, count), k, first)
      penalty = penalty + block_penalty(wide, squares, index, first, k)
    end
    return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * penalty
  end)
end

return neighbourhoods
