local Figure = require "perilune.plot.figure"
local Page = require "perilune.plot.page"
local core = require "perilune.core"
local options = require "perilune.options"
local theme = require "perilune.plot.theme"

local WHAT = "subplots"
local read = options.reader(WHAT, { { "figures", nil, "table" }, { "columns", nil, "integer" }, { "title", "" },
  { "width", nil, "number" }, { "height", nil, "number" } })

local function figures_of(list)
  if #list == 0 then core.raise("subplots: there are no figures in the list") end
  local panels = {}
  for i, figure in ipairs(list) do
    if getmetatable(figure) ~= Figure then
      core.raise(("subplots: figure %d is %s, not a figure such as plot.line { ... }"):format(i,
        options.described(figure)))
    end
    panels[i] = figure.panel
  end
  return panels
end

-- The list may stand in the options themselves: plot.subplots { a, b, columns = 2 }.
local function with_list(given)
  if type(given) ~= "table" or given[1] == nil then return given end
  local named = { figures = {} }
  for key, value in pairs(given) do
    if math.type(key) == "integer" then named.figures[key] = value else named[key] = value end
  end
  return named
end

--- Several figures as one.  plot.subplots { plot.line { ... }, plot.scatter { ... }, columns = 2, title = "..." }
-- Options: the figures, in rows from the left; columns (default: up to 3); title; width, height (440 x 340 points for
-- each).  Their axes line up.  A figure's own width and height do not count.
---@param given table
---@return perilune.plot.Figure
local function subplots(given)
  local option = read(with_list(given))
  local panels = figures_of(option.figures or {})
  local columns = options.integer(WHAT, "option columns", option.columns or (#panels == 4 and 2 or 3))
  columns = math.min(columns, #panels)
  local rows = math.ceil(#panels / columns)
  return Figure.new(WHAT, Page.new { panels = panels, columns = columns, title = option.title },
    option.width or math.min(columns * theme.panel_width, 10000),
    option.height or math.min(rows * theme.panel_height, 10000))
end

return subplots
