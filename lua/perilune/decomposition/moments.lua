-- moments.lua -- mean and scatter of the rows of a matrix, in one pass over blocks of rows.
--
--   shift = mean of the first block             close to the mean, and exact enough to subtract
--   c = block - shift                           float32: what is left is of the size of the data's spread
--   S += c' c,  s += sum of rows of c           S, s: float64
--   mean = shift + s / n,  scatter = S - s s' / n
--
-- So a large mean (10,000 +- 1) costs no digits, sums over many rows are in double, and a uint8 matrix is never copied
-- as a whole.  Blocks depend on the size only: the same bits for any number of threads.
local core = require "perilune.core"

local ROWS <const> = 4096      -- a block of 784 columns is 12 MB, long enough for the products to run at their best
local COLUMNS <const> = 224    -- S is symmetric: of its pieces of this width only the upper ones are computed

local moments = {}

--- f(block, first_row) for each block of rows, in floating point.
---@param x tensor  (n, d)
---@param dtype string
---@param f fun(block: tensor, first: integer)
function moments.each_block(x, dtype, f)
  local n = x.shape[1]
  for first = 1, n, ROWS do
    local scope <close> = core.scope() -- luacheck: ignore
    f(x:narrow(1, first, math.min(ROWS, n - first + 1)):to(dtype), first)
  end
end

-- S += c' c, the upper pieces.
local function add_products(scatter, c)
  local d = c.shape[2]
  for i = 1, d, COLUMNS do
    local height = math.min(COLUMNS, d - i + 1)
    local rows, left = scatter:narrow(1, i, height), c:narrow(2, i, height):t()
    for j = i, d, COLUMNS do
      local width = math.min(COLUMNS, d - j + 1)
      rows:narrow(2, j, width):add_(left:matmul(c:narrow(2, j, width)):to("float64"))
    end
  end
end

-- The lower triangle from the upper one, in place.
local function mirror(scatter)
  local d = scatter.shape[1]
  for i = 1, d, COLUMNS do
    for j = i + COLUMNS, d, COLUMNS do
      local height, width = math.min(COLUMNS, d - i + 1), math.min(COLUMNS, d - j + 1)
      local upper = scatter:narrow(1, i, height):narrow(2, j, width)
      scatter:narrow(1, j, width):narrow(2, i, height):copy_(upper:t())
    end
  end
end

--- The mean of the rows, and with `scatter` the sum of the products of their deviations from it.
---@param x tensor  (n, d) float32, float64 or uint8
---@param with_scatter boolean
---@return tensor mean  (d) float64
---@return tensor? scatter  (d, d) float64
function moments.of(x, with_scatter)
  local n, d = x.shape[1], x.shape[2]
  local dtype = x.dtype == "float64" and "float64" or "float32"
  local sums, scatter = core.create.zeros(d, { dtype = "float64" }), nil
  if with_scatter then scatter = core.create.zeros(d, d, { dtype = "float64" }) end
  local shift = x:narrow(1, 1, math.min(ROWS, n)):to("float64"):mean(1)
  local narrow_shift = shift:to(dtype)
  moments.each_block(x, dtype, function(block)
    local c = block - narrow_shift
    sums:add_(c:to("float64"):sum(1))
    if scatter then add_products(scatter, c) end
  end)
  if scatter then
    mirror(scatter)
    scatter:sub_(sums:outer(sums) / n)
  end
  return narrow_shift:to("float64") + sums / n, scatter
end

return moments
