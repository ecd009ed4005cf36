--- What a study of the auto-encoder found: printed, as pictures, as CSV.
local perilune = require "perilune"
local tables = require "support.tables"

local M = {}

local function count(search)
  local counts = { COMPLETE = 0, PRUNED = 0, FAIL = 0 }
  for _, trial in ipairs(search.trials) do counts[trial.state] = (counts[trial.state] or 0) + 1 end
  return counts
end

local function sorted_keys(set)
  local keys = {}
  for key in pairs(set) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

--- The statistics and the best trial, as the publication printed them.
---@param search table
---@param about string  sampler and pruner
function M.print_best(search, about)
  local counts, best = count(search), search.best_trial
  print(("Study %s (%s):"):format(search.study_name, about))
  print(("  Number of finished trials:  %d"):format(counts.COMPLETE + counts.PRUNED + counts.FAIL))
  print(("  Number of pruned trials:    %d"):format(counts.PRUNED))
  print(("  Number of complete trials:  %d"):format(counts.COMPLETE))
  print("Best trial:")
  print(("  Value:  %.6f  (trial %d)"):format(best.value, best.number))
  print("  Params:")
  for _, key in ipairs(sorted_keys(best.params)) do print(("    %s: %s"):format(key, best.params[key])) end
end

local PICTURES <const> = { "optimization_history", "intermediate_values", "parallel_coordinate", "slice",
  "param_importances", "contour", "rank", "timeline" }
local WITHOUT_CONDITIONS <const> = { "encoded_space_dim", "learning_rate", "n_channels", "optimizer", "weight_decay" }
local OPTIONS <const> = {
  parallel_coordinate = { params = WITHOUT_CONDITIONS, target_name = "validation MSE", color_scale = "log" },
  contour = { params = { "encoded_space_dim", "learning_rate", "n_channels" }, target_name = "validation MSE",
    color_scale = "log" },
  rank = { params = { "encoded_space_dim", "learning_rate", "n_channels" }, target_name = "validation MSE" },
  optimization_history = { target_name = "validation MSE", yscale = "log" },
  intermediate_values = { xlabel = "epoch", ylabel = "validation MSE", yscale = "log" },
  slice = { target_name = "validation MSE", yscale = "log" },
}

--- trials.csv and the pictures.
---@param search table
---@param into string  a folder
function M.leave(search, into)
  assert(search:csv(into .. "/trials.csv"))
  for _, kind in ipairs(PICTURES) do
    local figure = perilune.study.visualization[kind](search, OPTIONS[kind])
    assert(figure:save(("%s/%s.png"):format(into, kind)))
  end
end

--- A row for each study: how many trials, and the best of them.
---@param path string
---@param searches table[]
---@param test_mse number[]  of the weights of their best trials
function M.write_summary(path, searches, test_mse)
  local rows = {}
  for i, search in ipairs(searches) do
    local counts, best = count(search), search.best_trial
    local row = { search.study_name, counts.COMPLETE, counts.PRUNED, counts.FAIL, best.number,
      ("%.6f"):format(best.value), ("%.6f"):format(test_mse[i]) }
    for _, key in ipairs(WITHOUT_CONDITIONS) do row[#row + 1] = tostring(best.params[key]) end
    rows[i] = row
  end
  tables.write_csv(path, { "study", "complete", "pruned", "failed", "best_trial", "best_value", "test_mse",
    table.unpack(WITHOUT_CONDITIONS) }, rows)
end

return M
