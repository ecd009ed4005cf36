-- init.lua -- perilune.metrics: how good predictions, codes and maps are.  One file a metric, found by its name and
-- loaded when it is first used.  A new one is a file that returns its function, and its name in this list.
local NAMES = { "accuracy", "confusion_matrix", "continuity", "frechet_distance", "knn_accuracy",
  "per_class_accuracy", "trustworthiness" }

local metrics, is_metric = {}, {}
for _, name in ipairs(NAMES) do is_metric[name] = true end

local function find(_, name)
  if not is_metric[name] then return nil end
  metrics[name] = require("perilune.metrics." .. name)
  return metrics[name]
end

local function find_all()
  for _, name in ipairs(NAMES) do find(nil, name) end
  return next, metrics, nil
end

return setmetatable(metrics, { __index = find, __pairs = find_all })
