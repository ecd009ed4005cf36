-- pairs.lua -- a panel for each two of the parameters: what contour and rank share.
local core = require "perilune.core"
local view = require "perilune.study.visualization.view"

--- A figure with panel(x, y) for each two parameters, and one colour bar for all.
---@param what string
---@param parameters table[]  of view.parameters
---@param title string
---@param bar table  of quantity.bar
---@param panel fun(x: table, y: table): perilune.plot.Figure
---@return perilune.plot.Figure
return function(what, parameters, title, bar, panel)
  if #parameters < 2 then
    core.raise(("%s: it takes two parameters at least, the COMPLETE trials have %d"):format(what, #parameters))
  end
  local figures = {}
  for i = 1, #parameters - 1 do
    for k = i + 1, #parameters do figures[#figures + 1] = panel(parameters[i], parameters[k]) end
  end
  return view.grid(figures, title, bar)
end
