--- 06_latent_space -- what do the codes of the two auto-encoders look like?
--
-- Maps the codes of the 10,000 test images to the plane, by PCA and by t-SNE, and measures how good the maps are: the
-- share of images whose class is that of most of their 10 nearest neighbours, in the codes and in the maps;
-- trustworthiness (no false neighbours in the map) and continuity (no neighbours torn apart), with 10 neighbours.
--
--     lua5.4 experiments/06_latent_space.lua         (after 01_cae.lua and 03_vae.lua, both as they are by default)
--
--                      kNN accuracy   trustworthiness   continuity   KL at the end
--     CAE   codes         0.823
--           PCA           0.574           0.915          0.986
--           t-SNE         0.802           0.997          0.989          1.449
--     VAE   codes         0.808
--           PCA           0.450           0.759          0.961
--           t-SNE         0.793           0.996          0.981          1.671
--
-- t-SNE takes a few seconds for both, ranks for trustworthiness and continuity most of the rest of half a minute.
--
-- Leaves under --out: pca.png, tsne_cae.png, tsne_vae.png, images.png (small test images at their places in the map),
-- maps.safetensors (codes and maps), maps.csv.  The same seed gives the same bits, whatever the number of threads.
local argparse = require "argparse"
local perilune = require "perilune"

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path
local folder = require "support.folder"
local outputs = require "support.outputs"
local run = require "support.run"
local trained = require "support.trained"

local plot, metrics = perilune.plot, perilune.metrics

local parser = argparse("06_latent_space", "Map the codes of the auto-encoders with PCA and t-SNE.")
parser:option("--cae", "weights of the auto-encoder", "runs/cae/cae.safetensors")
parser:option("--vae", "weights of the variational one", "runs/vae/vae.safetensors")
parser:option("--limit", "use only the first test images"):convert(math.tointeger)
parser:option("--perplexity", "of t-SNE (default 30)", 30.0):convert(tonumber)
parser:option("--seed", "of t-SNE (default 1)", 1):convert(math.tointeger)
parser:option("--threads", "0: as many as the machine offers", 0):convert(math.tointeger)
parser:option("--data", "folder of the IDX files, if not where Debian puts them")
parser:option("--out", "folder for the results", "runs/latent")
local flags = parser:parse()

local NEIGHBORS <const> = 10

local function clock() return perilune.progress { total = 0 } end

-- -- maps and their numbers -- --

local function measure(codes, map, labels)
  local given = { n_neighbors = NEIGHBORS }
  return { knn = metrics.knn_accuracy(map, labels, given), trustworthiness = metrics.trustworthiness(codes, map, given),
    continuity = metrics.continuity(codes, map, given) }
end

local function map_codes(name, codes, labels)
  local pca = perilune.decomposition.PCA()
  local plane = pca:fit_transform(codes):narrow(2, 1, 2)
  local tsne = perilune.manifold.TSNE { perplexity = flags.perplexity, random_state = flags.seed,
    show_progress_bar = true }
  local watch = clock()
  local map = tsne:fit_transform(codes)
  local space = { name = name, codes = codes, pca = pca, plane = plane, map = map, tsne = tsne,
    seconds = watch:elapsed(), knn = metrics.knn_accuracy(codes, labels, { n_neighbors = NEIGHBORS }) }
  space.of_plane, space.of_map = measure(codes, plane, labels), measure(codes, map, labels)
  return space
end

local function write_numbers(path, spaces)
  local file = assert(io.open(path .. ".part", "w"))
  file:write("codes,map,knn_accuracy,trustworthiness,continuity,explained_variance,kl_divergence,seconds\n")
  for _, s in ipairs(spaces) do
    local explained = s.pca.explained_variance_ratio_:narrow(1, 1, 2):sum():item()
    file:write(("%s,codes,%.4f,,,,,\n"):format(s.name, s.knn))
    file:write(("%s,pca,%.4f,%.4f,%.4f,%.4f,,\n"):format(s.name, s.of_plane.knn, s.of_plane.trustworthiness,
      s.of_plane.continuity, explained))
    file:write(("%s,tsne,%.4f,%.4f,%.4f,,%.4f,%.2f\n"):format(s.name, s.of_map.knn, s.of_map.trustworthiness,
      s.of_map.continuity, s.tsne.kl_divergence_, s.seconds))
  end
  assert(file:close())
  assert(os.rename(path .. ".part", path))
end

local function print_numbers(spaces)
  print("codes  map    kNN accuracy  trustworthiness  continuity")
  for _, s in ipairs(spaces) do
    print(("%-6s codes  %12.3f"):format(s.name, s.knn))
    for _, of in ipairs { { "pca", s.of_plane }, { "t-SNE", s.of_map } } do
      print(("%-6s %-6s %12.3f  %15.3f  %10.3f"):format(s.name, of[1], of[2].knn, of[2].trustworthiness,
        of[2].continuity))
    end
    print(("%-6s t-SNE took %.1f s and ended at KL %.3f"):format(s.name, s.seconds, s.tsne.kl_divergence_))
  end
end

local function save_maps(path, spaces)
  local kept = {}
  for _, s in ipairs(spaces) do
    kept[s.name:lower()] = { codes = s.codes, pca = s.plane:contiguous(), tsne = s.map }
  end
  assert(perilune.save(path, kept))
end

-- -- pictures -- --

-- The points in the colours of their classes.
local function scatter(points, data, given)
  given.x, given.y, given.label, given.names = points:select(2, 1), points:select(2, 2), data.labels, data.classes
  return plot.scatter(given)
end

-- The plane of the first two components, and beside it how much each of them explains.
local function pca_figures(space, data)
  local ratio = space.pca.explained_variance_ratio_
  local function label(i) return ("component %d (%.0f%% of the variance)"):format(i, 100 * ratio[i]:item()) end
  local plane = scatter(space.plane, data, { title = space.name .. " codes, PCA", xlabel = label(1),
    ylabel = label(2) })
  local bars = plot.bar { values = ratio * 100, title = space.name .. ": explained variance", xlabel = "component",
    ylabel = "% of the variance", value_labels = "%.0f" }
  return plane, bars
end

local function tsne_figure(space, data)
  return scatter(space.map, data, { grid = "none", width = 720, height = 560, equal = true,
    title = ("%s codes, t-SNE: kNN accuracy %.3f, trustworthiness %.3f"):format(space.name, space.of_map.knn,
      space.of_map.trustworthiness) })
end

local function draw(spaces, data)
  local cae, vae = spaces[1], spaces[2]
  local a, b = pca_figures(cae, data)
  local c, d = pca_figures(vae, data)
  local figures = {
    pca = plot.subplots { a, b, c, d, columns = 2, width = 1120, height = 820 },
    tsne_cae = tsne_figure(cae, data), tsne_vae = tsne_figure(vae, data),
    images = plot.image_scatter { x = cae.map:select(2, 1), y = cae.map:select(2, 2), images = data.images,
      label = data.labels, names = data.classes, equal = true, width = 980, height = 800,
      title = "Test images at the places of their codes in the t-SNE map of the CAE" },
  }
  for name, figure in pairs(figures) do assert(figure:save(("%s/%s.png"):format(flags.out, name))) end
end

local function main()
  if flags.threads > 0 then perilune.set_num_threads(flags.threads) end
  local test = perilune.datasets.FashionMNIST { split = "test", root = flags.data }
  local n = math.min(flags.limit or #test, #test)
  local data = { images = test:images():narrow(1, 1, n), labels = test:labels():narrow(1, 1, n),
    classes = test.classes }
  local cae, vae = trained.cae(flags.cae), trained.vae(flags.vae)
  folder.make(flags.out)
  local spaces = { map_codes("CAE", outputs(cae.encoder, data.images), data.labels),
    map_codes("VAE", outputs(function(x) return vae:encode(x).mean end, data.images), data.labels) }
  save_maps(flags.out .. "/maps.safetensors", spaces)
  write_numbers(flags.out .. "/maps.csv", spaces)
  draw(spaces, data)
  print_numbers(spaces)
  print(flags.out .. "/: pca.png, tsne_cae.png, tsne_vae.png, images.png, maps.csv, maps.safetensors")
end

run(main)
