--- What `make reproduce` runs, in order, and what the report shows of it.
local tables = require "support.tables"

local M = {}

M.lead = "A published study compared convolutional and variational auto-encoders on the images of Fashion-MNIST. "
  .. "This page holds what the same experiments gave here, beside what was published."

-- The last row of a CSV file.
local function last_row(path)
  local rows = tables.read_csv(path)
  return rows[#rows]
end

-- The rows of a CSV file by their first column.
local function rows_by(path, name)
  local found = {}
  for _, row in ipairs(tables.read_csv(path)) do found[row[name]] = row end
  return found
end

local function add(arguments, more) table.move(more, 1, #more, #arguments + 1, arguments) end

local function percent(share) return ("%.2f%%"):format(100 * share) end

local function cae(here, quick)
  return { name = "cae", script = here .. "/01_cae.lua", title = "The convolutional auto-encoder",
    question = "How well does a code of 14 numbers keep a picture of 28 x 28 pixels?", about = 40,
    resume = { "--resume" },
    arguments = quick and { "--epochs", "4", "--limit", "5000", "--test-limit", "1000", "--batch-size", "32",
      "--schedule", "one_cycle", "--lr", "4e-3" } or {},
    leaves = { "cae.safetensors", "losses.csv", "reconstructions.png" },
    numbers = function(out)
      local row = last_row(out .. "/losses.csv")
      return { { what = "test MSE", ours = ("%.4f"):format(row.test_mse), published = "0.0166",
        remark = ("after %d epochs; PyTorch with the same layers: 0.0131 after 30"):format(row.epoch) } }
    end,
    figures = { { "reconstructions.png", "Test images above their reconstructions, one of each class" } } }
end

local SEARCHES <const> = { random = "at random, median pruner", tpe = "TPE, Hyperband" }

local function setting_of(row)
  return ("n = %d, d = %d, %s, learning rate %.2g, weight decay %.1g"):format(row.n_channels, row.encoded_space_dim,
    row.optimizer, row.learning_rate, row.weight_decay)
end

local function search_numbers(out)
  local best, found = tables.read_csv(out .. "/best.csv")[1], rows_by(out .. "/search.csv", "study")
  local numbers = {
    { what = "test MSE of the best setting", ours = ("%.4f"):format(best.test_mse), published = "0.0166",
      remark = ("after %d epochs on all training images; the later stages use these weights"):format(best.epochs) },
    { what = "the best setting", ours = setting_of(found[best.study]),
      published = "n = 8, d = 14, Adam, learning rate 0.001, weight decay 1e-05",
      remark = ("trial %d of the study %s"):format(best.trial, SEARCHES[best.study]) },
  }
  for _, name in ipairs { "random", "tpe" } do
    local row = found[name]
    numbers[#numbers + 1] = { what = "best validation MSE, " .. SEARCHES[name], ours = ("%.4f"):format(row.best_value),
      remark = ("of %d trials %d pruned and %d failed; test MSE of the best one's weights %.4f"):format(
        row.complete + row.pruned + row.failed, row.pruned, row.failed, row.test_mse) }
  end
  return numbers
end

local function search_figures()
  local figures = { { "reconstructions.png", "Test images above what the best setting makes of them" },
    { "edf.png", "The share of trials that are as good, of both studies" } }
  for _, name in ipairs { "random", "tpe" } do
    for _, kind in ipairs { { "optimization_history", "the values of the trials" },
      { "intermediate_values", "validation error by epoch; pruned trials are the short ones" },
      { "parallel_coordinate", "every trial a line through its parameters" },
      { "slice", "every parameter against the value" }, { "contour", "pairs of parameters" },
      { "rank", "the same, by rank" }, { "timeline", "when each trial ran" } } do
      figures[#figures + 1] = { ("%s/%s.png"):format(name, kind[1]), ("%s: %s"):format(SEARCHES[name], kind[2]) }
    end
  end
  return figures
end

-- Goes on by its database: it needs no other arguments for that.
local function search(here, quick)
  return { name = "search", script = here .. "/02_search.lua", title = "The search for the best auto-encoder",
    question = "Which auto-encoder keeps the pictures best: how wide, how long a code, trained how?", about = 330,
    arguments = quick and { "--trials", "3", "--epochs", "2", "--final-epochs", "6", "--limit", "3600", "--batch-size",
      "32" } or {},
    leaves = { "cae.safetensors", "best.csv", "search.csv", "edf.png", "reconstructions.png" },
    numbers = search_numbers, figures = search_figures() }
end

local function vae(here, quick)
  return { name = "vae", script = here .. "/03_vae.lua", title = "The variational auto-encoder",
    question = "Does a variational auto-encoder learn a space of codes that one can draw from?", about = 55,
    resume = { "--resume" },
    arguments = quick and { "--epochs", "4", "--limit", "5000", "--test-limit", "1000", "--batch-size", "32", "--lr",
      "3e-3" } or {},
    leaves = { "vae.safetensors", "losses.csv", "reconstructions.png", "samples.png", "walk.png" },
    numbers = function(out)
      local row = last_row(out .. "/losses.csv")
      return {
        { what = "test ELBO, nats an image", ours = ("%.2f"):format(-(row.test_reconstruction + row.test_divergence)),
          remark = ("after %d epochs"):format(row.epoch) },
        { what = "of it, divergence from the prior", ours = ("%.2f"):format(row.test_divergence) },
      }
    end,
    figures = { { "reconstructions.png", "Test images above their reconstructions" },
      { "samples.png", "Images drawn from the prior" },
      { "walk.png", "Straight from the code of one image to that of another" } } }
end

local function classifier(here, quick)
  local arguments = { "--parts", "scratch" }
  if quick then add(arguments, { "--epochs", "3", "--limit", "2000", "--test-limit", "1000" }) end
  return { name = "classifier", script = here .. "/05_fine_tune.lua", title = "A classifier from scratch",
    question = "How well does a small convolutional network tell the classes apart that has seen no auto-encoder?",
    arguments = arguments, resume = { "--resume" }, about = 180,
    leaves = { "accuracies.csv", "scratch/network.safetensors", "scratch/confusion.png", "scratch/classes.png",
      "scratch/mistakes.png" },
    numbers = function(out)
      local row = rows_by(out .. "/accuracies.csv", "part").scratch
      return { { what = "test accuracy, from scratch", ours = percent(row.test_accuracy), published = "90%",
        remark = ("after %d epochs"):format(row.epochs) } }
    end,
    figures = { { "scratch/confusion.png", "What is taken for what" },
      { "scratch/classes.png", "The share of each class that is right" },
      { "scratch/mistakes.png", "The wrong answers that the network was surest of: the answer, then what it is" } } }
end

-- In the words of the plot.
local KINDS <const> = { frozen = "encoder as it was", tuned = "encoder, trained on", scratch = "from scratch" }

local function fine_tune(here, quick)
  local arguments = { "--parts", "head,whole,few", "--encoder", "{root}/search/cae.safetensors" }
  if quick then
    add(arguments, { "--epochs", "4", "--limit", "2000", "--test-limit", "1000", "--steps", "30", "--repeats", "2" })
  end
  return { name = "fine_tune", script = here .. "/05_fine_tune.lua", title = "The encoder, tuned to classify",
    question = "What are the codes of an auto-encoder worth to somebody who wants to tell classes apart?",
    needs = { "search" }, arguments = arguments, resume = { "--resume" }, about = 90,
    leaves = { "accuracies.csv", "few_labels.csv", "few_labels.png", "head/confusion.png", "whole/confusion.png",
      "whole/classes.png", "whole/mistakes.png" },
    numbers = function(out)
      local rows = rows_by(out .. "/accuracies.csv", "part")
      local numbers = {
        { what = "test accuracy, encoder as it was", ours = percent(rows.head.test_accuracy), published = "78%",
          remark = ("after %d epochs; PyTorch with the same layers: 84.8%% after 30"):format(rows.head.epochs) },
        { what = "test accuracy, encoder trained on", ours = percent(rows.whole.test_accuracy),
          remark = ("after %d epochs; PyTorch with the same layers: 88.4%% after 15"):format(rows.whole.epochs) },
      }
      for _, row in ipairs(tables.read_csv(out .. "/few_labels.csv")) do
        numbers[#numbers + 1] = { what = ("%d labels a class, %s"):format(row.labels_a_class, KINDS[row.kind]),
          ours = percent(row.mean_accuracy), remark = ("mean of %d trainings, deviation %s"):format(row.trainings,
          percent(row.deviation)) }
      end
      return numbers
    end,
    figures = { { "few_labels.png", "By the number of labels: the encoder against the same network from scratch" },
      { "whole/confusion.png", "Encoder trained on: what is taken for what" },
      { "whole/mistakes.png", "Its surest wrong answers: the answer, then what it is" } } }
end

local function samples(here, quick)
  local arguments = { "--cae", "{root}/search/cae.safetensors", "--vae", "{root}/vae/vae.safetensors",
    "--classifier", "{root}/classifier/scratch/network.safetensors" }
  if quick then add(arguments, { "--limit", "1000", "--samples", "500" }) end
  return { name = "samples", script = here .. "/04_samples.lua", title = "Samples, measured",
    question = "Does the variational auto-encoder make images that one can name, and the plain one not?",
    needs = { "search", "vae", "classifier" }, arguments = arguments, about = 15,
    leaves = { "samples.csv", "cae_normal.png", "cae_fitted.png", "vae_prior.png" },
    numbers = function(out)
      local numbers = {}
      for i, row in ipairs(tables.read_csv(out .. "/samples.csv")) do
        numbers[i] = { what = "Frechet distance, " .. row.images:gsub("_", " "),
          ours = ("%.2f"):format(row.frechet_distance),
          remark = ("to the test images; top probability %.3f, class entropy %.3f"):format(
            row.top_probability, row.class_entropy) }
      end
      return numbers
    end,
    figures = { { "cae_normal.png", "Auto-encoder, codes from N(0, I)" },
      { "cae_fitted.png", "Auto-encoder, codes from a Gaussian fitted to those of the training images" },
      { "vae_prior.png", "Variational auto-encoder, codes from the prior" } } }
end

local MAPS <const> = { codes = "codes themselves", pca = "first two components", tsne = "t-SNE map" }

local function latent_numbers(out)
  local numbers = {}
  for _, row in ipairs(tables.read_csv(out .. "/maps.csv")) do
    local where = MAPS[row.map]
    numbers[#numbers + 1] = { what = ("%s, %s: accuracy of 10 nearest neighbours"):format(row.codes, where),
      ours = ("%.1f%%"):format(100 * row.knn_accuracy),
      remark = row.map == "codes" and "" or ("trustworthiness %.3f, continuity %.3f%s"):format(row.trustworthiness,
        row.continuity, row.map == "tsne" and ("; KL divergence %.3f, %.1f s"):format(row.kl_divergence, row.seconds)
        or ("; %.0f%% of the variance"):format(100 * row.explained_variance)) }
  end
  return numbers
end

local function latent(here, quick)
  local arguments = { "--cae", "{root}/search/cae.safetensors", "--vae", "{root}/vae/vae.safetensors" }
  if quick then add(arguments, { "--limit", "500" }) end
  return { name = "latent", script = here .. "/06_latent_space.lua", title = "The codes, as maps",
    question = "What do the codes of the two auto-encoders look like?", needs = { "search", "vae" }, about = 25,
    arguments = arguments, leaves = { "maps.csv", "pca.png", "tsne_cae.png", "tsne_vae.png", "images.png" },
    numbers = latent_numbers,
    figures = { { "pca.png", "The first two principal components, and what each component explains" },
      { "tsne_cae.png", "t-SNE of the auto-encoder's codes" },
      { "tsne_vae.png", "t-SNE of the variational auto-encoder's codes" },
      { "images.png", "The images themselves, at the places of their codes" } } }
end

--- The stages, for Pipeline.new.
---@param here string  the folder of the experiments
---@param quick boolean?  a small part of the data and few epochs
function M.list(here, quick)
  local list = { cae, search, vae, classifier, fine_tune, samples, latent }
  for i, stage in ipairs(list) do
    list[i] = stage(here, quick)
    if quick then list[i].about = nil end
  end
  return list
end

return M
