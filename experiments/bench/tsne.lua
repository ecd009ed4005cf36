--- t-SNE, 1,000 iterations at perplexity 30: the whole, its stages, its growth, and what each approximation does.
--   lua5.4 experiments/bench/tsne.lua 10k      the 10,000 test images in 14 principal components
--   lua5.4 experiments/bench/tsne.lua 70k      all 70,000 images in 50
--   lua5.4 experiments/bench/tsne.lua options  the 10,000, each approximation undone or varied
--   lua5.4 experiments/bench/tsne.lua growth   1,000 to 70,000 points of 50 components
-- With PERILUNE_PYTHON=python-that-has-it, 10k and 70k run a peer in turn: PEER=intelex (the default), sklearn,
-- opentsne_bh or opentsne_fft.
-- The exact KL is of one common P (90 exact neighbours), q normalised over all pairs.
--
-- What each approximation does to the exact KL of the 10,000 (`options`; from the PCA start, where a seed makes no
-- difference; descent is chaotic, and moves by 0.005 between equivalent settings):
--   as it is                      1.3694      tree_every = 20               1.3681
--   angle = 0.3                   1.3639      weak_every = 1                1.3692
--   angle = 0.4                   1.3643      weak_every = 8                1.3686
--   angle = 0.6                   1.3937      strong_share = 0.2            1.3722
--   expansion = 0                 1.3739      weak_from = 0                 1.3690
--   tree_every = 1                1.3772      expansion = 0, weak_every = 1 1.3763
local perilune = require "perilune"
local core = require "perilune.core"
package.path = (arg[0]:match("^(.*/)") or "./") .. "?.lua;" .. package.path
local timing = require "support.timing"
local stages = core.manifold

local PERPLEXITY <const> = 30

local function images(split)
  return perilune.datasets.FashionMNIST({ split = split }):images():flatten(2)
end

local function codes(x, n_components)
  return perilune.decomposition.PCA({ n_components = n_components }):fit_transform(x):contiguous()
end

local function points_of(size)
  if size == "10k" then return codes(images("test"), 14) end
  return codes(perilune.cat { images("train"), images("test") }, 50)
end

local function make(x, options)
  options.perplexity = PERPLEXITY
  local tsne = perilune.manifold.TSNE(options)
  return timing.once(tsne.fit, tsne, x), tsne.embedding_
end

local function affinities_of(x)
  local index, distance = stages.neighbors(x, x, 3 * PERPLEXITY, 1)
  return stages.affinities(index, stages.perplexity(distance, PERPLEXITY))
end

local function exact_kl(affinities, y)
  local _, q_sum = stages.repulsion(y, 0)
  return stages.divergence(affinities, y, q_sum)
end

-- Calls and seconds of every stage of one run.
local function time_stages(x)
  local spent, original = {}, {}
  for name, f in pairs(stages) do
    original[name] = f
    stages[name] = function(...)
      local begin = timing.clock()
      local first, second = f(...)
      local entry = spent[name] or { name = name, calls = 0, seconds = 0 }
      entry.calls, entry.seconds = entry.calls + 1, entry.seconds + timing.clock() - begin
      spent[name] = entry
      return first, second
    end
  end
  local whole = make(x, {})
  for name, f in pairs(original) do stages[name] = f end
  local list = {}
  for _, entry in pairs(spent) do list[#list + 1] = entry end
  table.sort(list, function(a, b) return a.seconds > b.seconds end)
  for _, entry in ipairs(list) do
    timing.report(("%s, %d calls"):format(entry.name, entry.calls), entry.seconds, "s")
    whole = whole - entry.seconds
  end
  timing.report("the rest (start from PCA, Lua)", whole, "s")
end

--- Runs the peer on the same points; it leaves its map beside them.
local function run_peer(python, x)
  local base = os.tmpname()
  assert(perilune.save_npy(base .. ".x.npy", x))
  local pipe = assert(io.popen(("%s %stsne_peers.py %s %s.x.npy %s.y.npy %d"):format(python, timing.folder(),
    os.getenv("PEER") or "intelex", base, base, PERPLEXITY)))
  local seconds = tonumber(pipe:read("n"))
  assert(pipe:close(), "the peer failed")
  local y = assert(perilune.load_npy(base .. ".y.npy")):to("float32"):contiguous()
  for _, ending in ipairs { "", ".x.npy", ".y.npy" } do os.remove(base .. ending) end
  return seconds, y
end

local function compare(size)
  local x, python, rounds = points_of(size), os.getenv("PERILUNE_PYTHON"), size == "10k" and 3 or 1
  local affinities, ours, theirs = affinities_of(x), {}, {}
  for round = 1, rounds do
    local y, their_y
    ours[round], y = make(x, {})
    timing.report("exact KL", exact_kl(affinities, y), "")
    if python then
      theirs[round], their_y = run_peer(python, x)
      timing.report("the peer's exact KL", exact_kl(affinities, their_y), "")
    end
  end
  timing.report("1,000 iterations", timing.median(ours), "s")
  if python then timing.report("the peer", timing.median(theirs), "s") end
  time_stages(x)
end

local VARIANTS <const> = { {}, { angle = 0.3 }, { angle = 0.4 }, { angle = 0.6 }, { expansion = 0 }, { tree_every = 1 },
  { tree_every = 20 }, { weak_every = 1 }, { weak_every = 8 }, { strong_share = 0.2 }, { weak_from = 0 },
  { expansion = 0, weak_every = 1 } }

local function described(variant)
  local parts = {}
  for name, value in pairs(variant) do parts[#parts + 1] = name .. " = " .. value end
  table.sort(parts)
  return #parts > 0 and table.concat(parts, ", ") or "as it is"
end

local function try_options()
  local x = points_of("10k")
  local affinities = affinities_of(x)
  for _, variant in ipairs(VARIANTS) do
    local name = described(variant)
    local seconds, y = make(x, variant)
    timing.report(name, seconds, ("s, exact KL %.4f"):format(exact_kl(affinities, y)))
  end
end

local function grow()
  local x = points_of("70k")
  for _, n in ipairs { 1000, 3000, 10000, 30000, 70000 } do
    local part = x:narrow(1, 1, n):contiguous()
    timing.report(("%d points"):format(n), (make(part, {})), "s")
  end
end

local what = arg[1] or "10k"
if what == "options" then try_options()
elseif what == "growth" then grow()
else compare(what) end
