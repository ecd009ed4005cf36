-- init.lua -- perilune.data: data sets and the loader, loaded when first used.
local FILES = { TensorDataset = "dataset", Subset = "dataset", random_split = "dataset" }

local data = {}

local function find(_, name)
  if name == "DataLoader" then
    data.DataLoader = require "perilune.data.loader".new
  elseif FILES[name] then
    data[name] = require("perilune.data." .. FILES[name])[name]
  end
  return rawget(data, name)
end

local function find_all()
  find(nil, "DataLoader")
  for name in pairs(FILES) do find(nil, name) end
  return next, data, nil
end

return setmetatable(data, { __index = find, __pairs = find_all })
