--- Pictures that the experiments leave.
local perilune = require "perilune"

local M = {}

--- Many small images as one, on white.
---@param path string
---@param images tensor  (N, 1, H, W) in [0, 1]
---@param nrow integer  images in a row
---@param scale integer?  how often each pixel is enlarged (default 2)
function M.save_grid(path, images, nrow, scale)
  local grid = perilune.image.grid(images:contiguous(), { nrow = nrow, padding = 2, pad_value = 1, scale = scale or 2 })
  assert(perilune.image.save(path, grid))
end

--- Images above their reconstructions, in a row.
---@param path string
---@param model table  images -> images; left in eval mode
---@param originals tensor  (N, 1, H, W) in [0, 1]
function M.save_reconstructions(path, model, originals)
  model:eval()
  local reconstructions = perilune.no_grad(model, originals)
  M.save_grid(path, perilune.cat { originals, reconstructions:contiguous() }, #originals, 3)
end

return M
