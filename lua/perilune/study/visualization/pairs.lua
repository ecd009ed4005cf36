-- pairs.lua -- a panel for each two of the parameters: what contour and rank share.
local core = require "perilune.core"
local plot = require "perilune.plot"

local COLUMNS <const> = 3

--- A figure with panel(x, y, is_right) for each two parameters; is_right: it stands at the end of its row.
---@param what string
---@param parameters table[]  of view.parameters
---@param title string
---@param panel fun(x: table, y: table, is_right: boolean): perilune.plot.Figure
---@return perilune.plot.Figure
return function(what, parameters, title, panel)
  if #parameters < 2 then
    core.raise(("%s: it takes two parameters at least, the COMPLETE trials have %d"):format(what, #parameters))
  end
  local n, figures = #parameters * (#parameters - 1) // 2, {}
  for i = 1, #parameters - 1 do
    for k = i + 1, #parameters do
      local at = #figures + 1
      figures[at] = panel(parameters[i], parameters[k], at % COLUMNS == 0 or at == n)
    end
  end
  return plot.subplots { figures = figures, columns = COLUMNS, title = title }
end
