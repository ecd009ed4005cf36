--- tostring(tensor): bounded text with shape and dtype; large tensors show their corners.

local M = {}

local MOST = 1000       -- tensors with more elements are cut
local WIDTH = 100       -- columns of one line of numbers

-- Items shown at each end of a dimension that is cut: the more dimensions, the fewer.
local function edge_of(n_dims) return n_dims <= 3 and 3 or n_dims <= 5 and 2 or 1 end

-- Positions of a dimension that are shown; 0 stands for the dots.  cut: the edge, or false.
local function positions(n, cut)
  local list = {}
  if not cut or n <= 2 * cut then
    for i = 1, n do list[i] = i end
    return list
  end
  for i = 1, cut do list[i] = i end
  list[cut + 1] = 0
  for i = n - cut + 1, n do list[#list + 1] = i end
  return list
end

-- Calls visit(number) for every element that is shown.
local function each_shown(t, cut, visit)
  if t:dim() == 0 then return visit(t:item()) end
  for _, i in ipairs(positions(#t, cut)) do
    if i > 0 then each_shown(t[i], cut, visit) end
  end
end

-- One number form for the whole tensor: whole numbers, four decimals, or powers of ten where sizes differ too much.
local function choose_form(values)
  local small, large, whole = math.huge, 0, true
  for _, value in ipairs(values) do
    if math.type(value) == "float" and value == value and math.abs(value) ~= math.huge then
      local size = math.abs(value)
      large = math.max(large, size)
      if size > 0 then small = math.min(small, size) end
      whole = whole and value % 1 == 0
    end
  end
  if whole and large < 1e8 then return "%.0f." end
  if large >= 1e5 or small < 1e-4 and large < 1e-2 then return "%.4e" end
  return "%.4f"
end

-- A function that writes one element; all have the same width.
local function formatter(t, cut)
  local values, width = {}, 1
  each_shown(t, cut, function(value) values[#values + 1] = value end)
  local form = choose_form(values)
  local function text(value)
    if math.type(value) ~= "float" then return tostring(value) end
    if value ~= value then return "nan" end
    if math.abs(value) == math.huge then return value > 0 and "inf" or "-inf" end
    return form:format(value)
  end
  for _, value in ipairs(values) do width = math.max(width, #text(value)) end
  return function(value) return ("%" .. width .. "s"):format(text(value)) end
end

local function row(t, cut, write, indent)
  local lines, line = {}, ""
  for _, i in ipairs(positions(#t, cut)) do
    local item = i == 0 and "..." or write(t[i]:item())
    if line ~= "" and #line + #item > WIDTH then
      lines[#lines + 1] = line
      line = ""
    end
    line = line == "" and item or line .. ", " .. item
  end
  lines[#lines + 1] = line
  return "[" .. table.concat(lines, ",\n" .. (" "):rep(indent + 1)) .. "]"
end

local function body(t, cut, write, indent)
  local n = t:dim()
  if n == 0 then return write(t:item()) end
  if n == 1 then return row(t, cut, write, indent) end
  local parts = {}
  for _, i in ipairs(positions(#t, cut)) do
    parts[#parts + 1] = i == 0 and "..." or body(t[i], cut, write, indent + 1)
  end
  return "[" .. table.concat(parts, "," .. ("\n"):rep(n - 1) .. (" "):rep(indent + 1)) .. "]"
end

local function head(t)
  local text = ("tensor (%s) %s"):format(table.concat(t.shape, ", "), t.dtype)
  if t.grad_fn then return text .. ", made by " .. t.grad_fn end
  return t.requires_grad and text .. ", requires_grad" or text
end

--- "tensor (2, 3) float32" and, below it, the elements.
function M.format(t)
  if not pcall(t.dim, t) then return "tensor (freed: its scope closed)" end
  local shown = t:detach()
  if shown:numel() == 0 then return head(t) .. "\n[]" end
  local cut = shown:numel() > MOST and edge_of(shown:dim())
  return head(t) .. "\n" .. body(shown, cut, formatter(shown, cut), 0)
end

return M
