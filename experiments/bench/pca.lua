--- PCA of the 60,000 training images, 784 features to 50, float32: median of three fits.
--   lua5.4 experiments/bench/pca.lua; the peer: python3 experiments/bench/pca_sklearn.py
local perilune = require "perilune"
package.path = (arg[0]:match("^(.*/)") or "./") .. "?.lua;" .. package.path
local timing = require "support.timing"

local x = perilune.datasets.FashionMNIST({ split = "train" }):images():flatten(2):to("float32")
local function fit() perilune.decomposition.PCA({ n_components = 50, svd_solver = "covariance_eigh" }):fit(x) end
timing.report("fit", timing.seconds(fit, 3), "s")
