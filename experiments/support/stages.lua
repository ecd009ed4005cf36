--- What `make reproduce` runs, in order, and what the report shows of it.
local M = {}

M.lead = "A published study compared convolutional and variational auto-encoders on the images of Fashion-MNIST. "
  .. "This page holds what the same experiments gave here, beside what was published."

--- The fields of the last line of a CSV file, by the names in its first.
local function last_row(path)
  local names, last = nil, nil
  for line in io.lines(path) do
    if not names then names = line else last = line end
  end
  local row, values = {}, last:gmatch("[^,]+")
  for name in names:gmatch("[^,]+") do row[name] = tonumber(values()) end
  return row
end

local function cae(here, quick)
  return { name = "cae", script = here .. "/01_cae.lua", title = "The convolutional auto-encoder",
    question = "How well does a code of 14 numbers keep a picture of 28 x 28 pixels?",
    arguments = quick and { "--epochs", "2", "--limit", "5000" } or {},
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
    arguments = quick and { "--epochs", "2", "--limit", "5000" } or {},
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

--- The stages, for Pipeline.new.
---@param here string  the folder of the experiments
---@param quick boolean?  a small part of the data and few epochs
function M.list(here, quick) return { cae(here, quick), vae(here, quick) } end

return M
