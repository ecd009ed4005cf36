-- common.lua -- the options that all plots with two axes share, and the panel that they make.
local Figure = require "perilune.plot.figure"
local Panel = require "perilune.plot.panel"
local core = require "perilune.core"
local options = require "perilune.options"
local theme = require "perilune.plot.theme"

local common = {}

local SHARED = {
  { "title", "" }, { "xlabel", "" }, { "ylabel", "" }, { "xlim", nil, "table" }, { "ylim", nil, "table" },
  { "xscale", "linear" }, { "yscale", "linear" }, { "legend", nil, "any" }, { "grid", nil, "string" },
  { "width", theme.width, "number" }, { "height", theme.height, "number" },
}
local PLACES = { "right", "inside", "none" }

--- Lists of { name, default, kind } as one.
function common.joined(...)
  local all = {}
  for _, list in ipairs { ... } do table.move(list, 1, #list, #all + 1, all) end
  return all
end

--- A reader of a plot's own options and the shared ones; see options.lua.
---@param what string
---@param ... table  lists of { name, default, kind }
function common.reader(what, ...)
  local own = common.joined(...)
  return options.reader(what, common.joined(own, SHARED))
end

local function legend_place(what, wish, default)
  if wish == false then return "none" end
  if wish == nil or wish == true then return default end
  return options.choice(what, "option legend", wish, PLACES)
end

-- The plot's own wishes for an axis, and the user's over them.
local function axis_of(what, option, name, own)
  local wish = own or {}
  wish.limits = option[name .. "lim"]
  wish.scale = options.choice(what, ("option %sscale"):format(name), option[name .. "scale"], { "linear", "log" })
  return wish
end

--- A figure of one panel.
---@param what string
---@param option table  what the reader gave back
---@param panel table  marks and what else the plot itself decides; see panel.lua
---@return perilune.plot.Figure
function common.figure(what, option, panel)
  panel.what = what
  panel.title, panel.xlabel, panel.ylabel = option.title, option.xlabel, option.ylabel
  panel.x = axis_of(what, option, "x", panel.x)
  panel.y = axis_of(what, option, "y", panel.y)
  panel.grid = options.choice(what, "option grid", option.grid or panel.grid or "both", { "both", "x", "y", "none" })
  panel.legend_place = legend_place(what, option.legend, panel.legend_place or "inside")
  return Figure.new(what, Panel.new(panel), option.width, option.height)
end

--- A value that must be there.
---@param what string
---@param option table
---@param name string
function common.need(what, option, name)
  if option[name] == nil then core.raise(("%s: option %s is missing"):format(what, name)) end
  return option[name]
end

return common
