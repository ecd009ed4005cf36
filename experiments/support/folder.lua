--- Folders for results.
local lfs = require "lfs"

local M = {}

--- Creates a folder and those above it; an error says which could not be made.
---@param path string
function M.make(path)
  local made = path:sub(1, 1) == "/" and "/" or ""
  for part in path:gmatch("[^/]+") do
    made = made .. part .. "/"
    if not lfs.attributes(made, "mode") then
      local ok, message = lfs.mkdir(made)
      if not ok then error(("cannot make the folder %s: %s"):format(made, message), 0) end
    end
  end
end

return M
