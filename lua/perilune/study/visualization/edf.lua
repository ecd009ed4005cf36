local core = require "perilune.core"
local options = require "perilune.options"
local plot = require "perilune.plot"
local view = require "perilune.study.visualization.view"

local WHAT = "edf"
local read = options.reader(WHAT, { view.TARGET[1], view.TARGET[2], { "title", "" }, { "xscale", "linear" } })

-- The share of COMPLETE trials that are not above each value.
local function curve_of(study, option)
  local target, name = view.target(WHAT, study, option)
  local values, shares = {}, {}
  for _, value in ipairs(view.values(view.trials(WHAT, study), target)) do
    if value - value == 0 then values[#values + 1] = value end
  end
  table.sort(values)
  for i = 1, #values do shares[i] = i / #values end
  if values[1] then
    table.insert(values, 1, values[1])
    table.insert(shares, 1, 0.0)
  end
  return { x = values, y = shares, label = study.study_name, step = true }, name
end

--- The empirical distribution function of the values of COMPLETE trials: how large a share was this good?
-- Options: target, target_name, title, xscale ("linear", "log").
---@param studies table  a study, or a list of studies to compare
---@param given? table
---@return perilune.plot.Figure
local function edf(studies, given)
  local option = read(given)
  if type(studies) == "table" and studies.directions == nil then
    if #studies == 0 then core.raise("edf: the list of studies is empty") end
  else
    studies = { studies }
  end
  local series, name = {}, nil
  for i, study in ipairs(studies) do
    view.trials(WHAT, study)
    series[i], name = curve_of(study, option)
  end
  local figure = plot.line { series = series, xlabel = name, ylabel = "share of the trials", title = option.title,
    xscale = option.xscale, ylim = { 0, 1.02 }, legend = "right" }
  figure.panel.nothing = view.NOTHING
  return figure
end

return edf
