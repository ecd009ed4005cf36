--- t-SNE of the 10,000 test images (their 14 principal components), and the whole way to it stage by stage.
--   lua5.4 experiments/bench/tsne.lua                                            ours alone
--   PERILUNE_PYTHON=python-with-scikit-learn-intelex lua5.4 experiments/bench/tsne.lua    beside scikit-learn-intelex
-- The exact KL is of one common P (90 exact neighbours), q normalised over all pairs.
local perilune = require "perilune"
local core = require "perilune.core"
package.path = (arg[0]:match("^(.*/)") or "./") .. "?.lua;" .. package.path
local timing = require "support.timing"
local stages = core.manifold

local PERPLEXITY <const> = 30

local function test_codes()
  local images = perilune.datasets.FashionMNIST({ split = "test" }):images():flatten(2)
  return perilune.decomposition.PCA({ n_components = 14 }):fit_transform(images):contiguous()
end

local function exact_kl(affinities, y)
  local _, q_sum = stages.repulsion(y, 0)
  return stages.divergence(affinities, y, q_sum)
end

local function time_stages(x, y)
  local index, distance = stages.neighbors(x, x, 3 * PERPLEXITY, 1)
  local p = stages.perplexity(distance, PERPLEXITY)
  local affinities = stages.affinities(index, p)
  local strong, weak = stages.springs(affinities, 0.3)
  local field = stages.field(#y)
  local list = {
    { "neighbours", function() stages.neighbors(x, x, 3 * PERPLEXITY, 1) end },
    { "perplexity", function() stages.perplexity(distance, PERPLEXITY) end },
    { "symmetrisation", function() stages.affinities(index, p) end },
    { "attraction, strong edges", function() core.release(stages.attraction(strong, y)) end },
    { "attraction, weak edges", function() core.release(stages.attraction(weak, y)) end },
    { "repulsion, tree kept", function() core.release((stages.field_repulsion(field, y, 0.5, false))) end },
    { "repulsion, tree anew", function() core.release((stages.field_repulsion(field, y, 0.5, true))) end },
    { "repulsion, plain", function() core.release((stages.repulsion(y, 0.5))) end },
  }
  for _, stage in ipairs(list) do timing.report(stage[1], timing.calibrated(stage[2], 0.5) * 1e3, "ms") end
  return affinities
end

--- Runs the peer on the same points; it leaves its map beside them.
local function run_peer(python, x)
  local base = os.tmpname()
  assert(perilune.save_npy(base .. ".x.npy", x))
  local pipe = assert(io.popen(("%s %stsne_intelex.py %s.x.npy %s.y.npy %d"):format(python, timing.folder(), base, base,
    PERPLEXITY)))
  local seconds = tonumber(pipe:read("n"))
  assert(pipe:close(), "the peer failed")
  local y = assert(perilune.load_npy(base .. ".y.npy")):to("float32"):contiguous()
  for _, ending in ipairs { "", ".x.npy", ".y.npy" } do os.remove(base .. ending) end
  return seconds, y
end

local function main()
  local x, python = test_codes(), os.getenv("PERILUNE_PYTHON")
  local ours, y, theirs, their_y = {}, nil, {}, nil
  for round = 1, 3 do
    ours[round] = timing.once(function()
      y = perilune.manifold.TSNE({ perplexity = PERPLEXITY, random_state = round }):fit_transform(x)
    end)
    if python then theirs[round], their_y = run_peer(python, x) end
  end
  local affinities = time_stages(x, y)
  timing.report("1,000 iterations", timing.median(ours), "s")
  timing.report("exact KL", exact_kl(affinities, y), "")
  if python then
    timing.report("scikit-learn-intelex", timing.median(theirs), "s")
    timing.report("its exact KL", exact_kl(affinities, their_y), "")
  end
end

main()
