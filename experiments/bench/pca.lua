--- PCA of the 60,000 training images, 784 features to 50, float32: medians of five fits and transforms; with --all the
-- other two solvers too.
--   PERILUNE_PYTHON=python-with-scikit-learn lua5.4 experiments/bench/pca.lua [--all]
-- runs the peers beside it: scikit-learn, and scikit-learn-intelex where Python has it (pca_sklearn.py).
local folder = arg[0]:match("^(.*/)") or "./"
package.path = folder .. "?.lua;" .. package.path
local perilune = require "perilune"
local timing = require "support.timing"

local x = perilune.datasets.FashionMNIST({ split = "train" }):images():flatten(2):to("float32")

local function measure(solver, rounds)
  local pca = perilune.decomposition.PCA { n_components = 50, svd_solver = solver, random_state = 1 }
  timing.report("perilune fit, " .. solver, timing.seconds(function() pca:fit(x) end, rounds), "s")
  return pca
end

local pca = measure("covariance_eigh", 5)
timing.report("perilune transform", timing.seconds(function() local _ <close> = pca:transform(x) end, 5), "s")
if arg[1] == "--all" then
  measure("randomized", 3)
  measure("full", 3)
end

local python = os.getenv("PERILUNE_PYTHON")
if python and python ~= "" then
  for _, peer in ipairs { "scikit-learn", "scikit-learn-intelex" } do
    os.execute(("%s %spca_sklearn.py %s %s"):format(python, folder, peer, arg[1] or ""))
  end
end
