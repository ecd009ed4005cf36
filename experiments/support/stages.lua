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
    question = "How well does a code of 14 numbers keep a picture of 28 x 28 pixels?",
    arguments = quick and { "--epochs", "2", "--limit", "5000", "--test-limit", "1000" } or {},
    leaves = { "cae.safetensors", "losses.csv", "reconstructions.png" },
    numbers = function(out)
      local row = last_row(out .. "/losses.csv")
      return { { what = "test MSE", ours = ("%.4f"):format(row.test_mse), published = "0.0166",
        remark = ("after %d epochs; PyTorch with the same layers: 0.0131 after 30"):format(row.epoch) } }
    end,
    figures = { { "reconstructions.png", "Test images above their reconstructions, one of each class" } } }
end

local function vae(here, quick)
  return { name = "vae", script = here .. "/03_vae.lua", title = "The variational auto-encoder",
    question = "Does a variational auto-encoder learn a space of codes that one can draw from?",
    arguments = quick and { "--epochs", "2", "--limit", "5000", "--test-limit", "1000" } or {},
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
  if quick then add(arguments, { "--epochs", "2", "--limit", "1000", "--test-limit", "1000" }) end
  return { name = "classifier", script = here .. "/05_fine_tune.lua", title = "A classifier from scratch",
    question = "How well does a small convolutional network tell the classes apart that has seen no auto-encoder?",
    arguments = arguments,
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

local function fine_tune(here, quick)
  local arguments = { "--parts", "head,whole,few", "--encoder", "{root}/cae/cae.safetensors" }
  if quick then
    add(arguments, { "--epochs", "2", "--limit", "1000", "--test-limit", "1000", "--steps", "30", "--repeats", "2" })
  end
  return { name = "fine_tune", script = here .. "/05_fine_tune.lua", title = "The encoder, tuned to classify",
    question = "What are the codes of an auto-encoder worth to somebody who wants to tell classes apart?",
    needs = { "cae" }, arguments = arguments,
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
        numbers[#numbers + 1] = { what = ("%d labels a class, %s"):format(row.labels_a_class, row.kind),
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
  local arguments = { "--cae", "{root}/cae/cae.safetensors", "--vae", "{root}/vae/vae.safetensors",
    "--classifier", "{root}/classifier/scratch/network.safetensors" }
  if quick then add(arguments, { "--limit", "1000", "--samples", "500" }) end
  return { name = "samples", script = here .. "/04_samples.lua", title = "Samples, measured",
    question = "Does the variational auto-encoder make images that one can name, and the plain one not?",
    needs = { "cae", "vae", "classifier" }, arguments = arguments,
    leaves = { "samples.csv", "cae_normal.png", "cae_fitted.png", "vae_prior.png" },
    numbers = function(out)
      local numbers = {}
      for i, row in ipairs(tables.read_csv(out .. "/samples.csv")) do
        numbers[i] = { what = row.images:gsub("_", " "), ours = ("%.2f"):format(row.frechet_distance),
          remark = ("Frechet distance to the test images; top probability %.3f, class entropy %.3f"):format(
            row.top_probability, row.class_entropy) }
      end
      return numbers
    end,
    figures = { { "cae_normal.png", "Auto-encoder, codes from N(0, I)" },
      { "cae_fitted.png", "Auto-encoder, codes from a Gaussian fitted to those of the training images" },
      { "vae_prior.png", "Variational auto-encoder, codes from the prior" } } }
end

--- The stages, for Pipeline.new.
---@param here string  the folder of the experiments
---@param quick boolean?  a small part of the data and few epochs
function M.list(here, quick)
  local list = {}
  for i, stage in ipairs { cae, vae, classifier, fine_tune, samples } do list[i] = stage(here, quick) end
  return list
end

return M
