--- What a function or a network makes of a whole data set.
local perilune = require "perilune"

local BATCH <const> = 500

--- f of all images, in order, batch by batch and without gradients: the hidden layers are much larger than what comes
--- out.
---@param f fun(images: tensor): tensor  of images as a DataLoader gives them; gives (n, ...).  A network: in eval mode
---@param dataset table  or a tensor of images: uint8 becomes float32 in [0, 1]
---@return tensor  (N, ...)
return function(f, dataset)
  if perilune.is_tensor(dataset) then dataset = perilune.data.TensorDataset(dataset) end
  local parts = {}
  for images in perilune.data.DataLoader(dataset, { batch_size = BATCH }):iter() do
    local scope <close> = perilune.scope()
    if images.dtype == "uint8" then images = images:to("float32") / 255 end   -- from a bare tensor
    parts[#parts + 1] = scope:keep(perilune.no_grad(f, images):contiguous())
  end
  return perilune.cat(parts)
end
