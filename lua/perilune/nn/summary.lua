-- summary.lua -- what Module:summary makes: one row per layer, in the order of calls.
local core = require "perilune.core"

---@class perilune.nn.Summary
---@field rows { name: string, class: string, shape: string, parameters: integer, multiply_adds: integer|nil }[]
---@field parameters integer
---@field trainable integer
---@field multiply_adds integer
local Summary = {}
Summary.__index = Summary

local function grouped(n)
  local text = tostring(n):reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (text:gsub("^,", ""))
end

local function shape_text(value)
  if not core.is_tensor(value) then return "-" end
  return tostring(value.shape)
end

local function own_count(module, seen)
  local count = 0
  for _, tensor in ipairs(module:parameters()) do
    if not seen[tensor] then
      seen[tensor] = true
      count = count + tensor:numel()
    end
  end
  return count
end

local function make_row(name, module, arguments, output, seen)
  local is_leaf = #module:children() == 0
  return {
    name = name, class = module.class_name, shape = shape_text(output), is_leaf = is_leaf,
    parameters = is_leaf and own_count(module, seen) or nil,
    multiply_adds = module.multiply_adds and module:multiply_adds(arguments[1], output) or nil,
  }
end

-- Runs the module with a hook on each layer that has no layers below it.
local function observe(module, sample, rows)
  local handles, modes, seen = {}, {}, {}
  for name, layer in module:named_modules() do
    modes[layer] = layer.training
    if #layer:children() == 0 then
      handles[#handles + 1] = layer:register_forward_hook(function(_, arguments, output)
        rows[#rows + 1] = make_row(name, layer, arguments, output, seen)
      end)
    end
  end
  module:eval()
  local fine, result = pcall(core.no_grad, module, sample)
  for layer, mode in pairs(modes) do layer.training = mode end
  for _, handle in ipairs(handles) do handle.remove() end
  if not fine then core.raise("summary: the module does not take this input: " .. tostring(result)) end
  return result
end

local function summarise(module, sample)
  if type(sample) == "table" then sample = core.create.zeros(sample) end
  if not core.is_tensor(sample) then core.raise("summary: a sample or its shape is needed: { 1, 1, 28, 28 }") end
  local self = setmetatable({ rows = {}, parameters = 0, trainable = 0, multiply_adds = 0 }, Summary)
  local output = observe(module, sample, self.rows)
  for _, tensor in ipairs(module:parameters()) do
    self.parameters = self.parameters + tensor:numel()
    if tensor.requires_grad then self.trainable = self.trainable + tensor:numel() end
  end
  for _, row in ipairs(self.rows) do self.multiply_adds = self.multiply_adds + (row.multiply_adds or 0) end
  self.title = string.format("%s %s -> %s", module.class_name, shape_text(sample), shape_text(output))
  return self
end

function Summary:__tostring()
  local cells = { { "layer", "output shape", "parameters", "multiply-adds" } }
  for _, row in ipairs(self.rows) do
    cells[#cells + 1] = { (row.name .. " " .. row.class):gsub("^ ", ""), row.shape,
      row.parameters > 0 and grouped(row.parameters) or "-",
      row.multiply_adds and grouped(row.multiply_adds) or "-" }
  end
  cells[#cells + 1] = { "total", "", grouped(self.parameters), grouped(self.multiply_adds) }
  local widths = { 0, 0, 0, 0 }
  for _, line in ipairs(cells) do
    for i = 1, 4 do widths[i] = math.max(widths[i], #line[i]) end
  end
  local format = string.format("%%-%ds  %%-%ds  %%%ds  %%%ds", widths[1], widths[2], widths[3], widths[4])
  local lines = { self.title }
  for _, line in ipairs(cells) do lines[#lines + 1] = format:format(line[1], line[2], line[3], line[4]) end
  lines[#lines + 1] = string.format("%s of %s parameters are trainable", grouped(self.trainable),
    grouped(self.parameters))
  return table.concat(lines, "\n")
end

return summarise
