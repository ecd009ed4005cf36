-- init.lua -- perilune.datasets, loaded when first used.
local datasets = {}

local function find(_, name)
  if name ~= "FashionMNIST" then return nil end
  datasets.FashionMNIST = require "perilune.datasets.fashion_mnist".new
  return datasets.FashionMNIST
end

return setmetatable(datasets, {
  __index = find,
  __pairs = function()
    find(nil, "FashionMNIST")
    return next, datasets, nil
  end,
})
