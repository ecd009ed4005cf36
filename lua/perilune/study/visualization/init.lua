--- perilune.study.visualization: pictures of a study.  visualization.slice(study):save("slice.png")
--
-- A picture is one file here, found by its name: it returns a function of the study and a table of options, and gives a
-- figure of perilune.plot.  Names and contents are those of Optuna's.
require "perilune.plot" -- which says what to install where Cairo is missing

local NAMES = { "contour", "edf", "intermediate_values", "optimization_history", "parallel_coordinate",
  "param_importances", "pareto_front", "rank", "slice", "timeline" }

local visualization = {}

local function find(_, name)
  for _, known in ipairs(NAMES) do
    if known == name then
      visualization[name] = require("perilune.study.visualization." .. name)
      return visualization[name]
    end
  end
  return nil
end

-- Without Cairo there are none to list; to ask for one by its name says what to install.
local function find_all()
  for _, name in ipairs(pcall(require, "perilune.plot") and NAMES or {}) do find(nil, name) end
  return next, visualization, nil
end

local function text() return "perilune.study.visualization: " .. table.concat(NAMES, ", ") end

return setmetatable(visualization, { __index = find, __pairs = find_all, __tostring = text })
