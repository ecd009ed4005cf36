-- The square root of the product of two covariances is taken through symmetric matrices only:
--
--   tr (A B)^(1/2) = tr (A^(1/2) B A^(1/2))^(1/2) = sum of the square roots of the eigenvalues of A^(1/2) B A^(1/2)
--
-- since A B and A^(1/2) B A^(1/2) have the same eigenvalues.  These are not negative; where a covariance is singular,
-- rounding makes some of them slightly so, and they count as 0.
local core = require "perilune.core"
local linalg = require "perilune.linalg"

local function check(name, x)
  if not core.is_tensor(x) or x:dim() ~= 2 or not x.dtype:find("^float") then
    core.raise(("frechet_distance: %s must be a float tensor (samples, features)"):format(name))
  end
  if x.shape[1] < 2 then core.raise(("frechet_distance: %s needs 2 or more samples"):format(name)) end
  if x.shape[2] == 0 then core.raise(("frechet_distance: %s has no features"):format(name)) end
  if not x:isfinite():all():item() then core.raise(("frechet_distance: %s has NaN or infinite values"):format(name)) end
  return x:detach():to("float64")
end

-- A^(1/2) of a symmetric A without negative eigenvalues.
local function symmetric_root(a)
  local values, vectors = linalg.eigh(a)
  return (vectors * values:clamp { min = 0 }:sqrt()):matmul(vectors:t())
end

--- The Frechet distance between the normal distributions that fit two sets of points: 0 where mean and covariance are
--- the same.
---
---     |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)),  the covariances with n - 1, all in float64
---
--- In a space of features of images this is the FID of Heusel et al., NIPS 2017 (there: of an Inception network).  It
--- is too large for few samples: compare sets of one size, many more than features.
---@param x perilune.Tensor  (n, d) float32 or float64, n > 1
---@param y perilune.Tensor  (m, d), m > 1
---@return number  in squared units of the features
local function frechet_distance(x, y)
  x, y = check("x", x), check("y", y)
  if x.shape[2] ~= y.shape[2] then
    core.raise(("frechet_distance: x has %d features but y has %d"):format(x.shape[2], y.shape[2]))
  end
  local scope <close> = core.scope() -- luacheck: ignore
  local covariance_x, covariance_y = x:t():cov(), y:t():cov()
  local root = symmetric_root(covariance_x)
  local product = root:matmul(covariance_y):matmul(root)
  local values = linalg.eigvalsh((product + product:t()) / 2)
  local cross = values:clamp { min = 0 }:sqrt():sum():item()
  local trace = ((covariance_x + covariance_y) * core.create.eye(x.shape[2])):sum():item()
  return math.max(0.0, (x:mean(1) - y:mean(1)):square():sum():item() + trace - 2 * cross)
end

return frechet_distance
