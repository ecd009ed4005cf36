--- Tables as CSV files.
local M = {}

--- Beside the old file and then renamed: a reader never sees half of it.
---@param path string
---@param head string[]
---@param rows (string|number)[][]  without commas in them
function M.write_csv(path, head, rows)
  local file = assert(io.open(path .. ".part", "w"))
  file:write(table.concat(head, ","), "\n")
  for _, row in ipairs(rows) do file:write(table.concat(row, ","), "\n") end
  assert(file:close())
  assert(os.rename(path .. ".part", path))
end

local function cells_of(line)
  local cells = {}
  for cell in (line .. ","):gmatch("([^,]*),") do cells[#cells + 1] = cell end
  return cells
end

--- The rows of such a file, each with its cells by the names in the head; what reads as a number is one.
---@return table<string, string|number>[]
function M.read_csv(path)
  local head, rows = nil, {}
  for line in io.lines(path) do
    local cells = cells_of(line)
    if head then
      local row = {}
      for i, name in ipairs(head) do row[name] = tonumber(cells[i]) or cells[i] end
      rows[#rows + 1] = row
    else
      head = cells
    end
  end
  return rows
end

return M
