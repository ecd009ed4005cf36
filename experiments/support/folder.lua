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

--- Removes what is in a folder, and leaves the folder.
---@param path string
function M.clear(path)
  for name in lfs.dir(path) do
    local full = path .. "/" .. name
    if name ~= "." and name ~= ".." then
      if lfs.symlinkattributes(full, "mode") == "directory" then
        M.clear(full)
        assert(lfs.rmdir(full))
      else
        assert(os.remove(full))
      end
    end
  end
end

return M
