-- init.lua -- perilune.metrics: how good predictions, codes and maps are.  One file a metric, which returns its
-- function.  A new one is a file, and its name in this list.
local entries = {}
for _, name in ipairs { "accuracy", "confusion_matrix", "continuity", "frechet_distance", "knn_accuracy",
  "per_class_accuracy", "trustworthiness" } do
  entries[name] = "perilune.metrics." .. name
end
return require "perilune.lazy" ("perilune.metrics", entries)
