--- A normal distribution with a full covariance, fitted to points.
local perilune = require "perilune"

local M = {}

--- A function that draws from the normal distribution with the mean and the covariance of the points.
---@param points tensor  (N, d), N > d
---@return fun(n: integer): tensor  (n, d) float32
function M.fit(points)
  points = points:to("float64")
  local mean = points:mean(1)
  local root = perilune.linalg.cholesky(points:t():cov())   -- lower: root root' = covariance
  return function(n)
    local draws = perilune.randn(n, #mean):to("float64")
    return (draws:matmul(root:t()) + mean):to("float32")
  end
end

return M
