-- folders.lua -- the folders that checkpoints and logs go to.
local core = require "perilune.core"

local folders = {}

local function file_system()
  local fine, lfs = pcall(require, "lfs")
  if not fine then core.raise("Trainer: files need LuaFileSystem (Debian: lua-filesystem; luarocks: luafilesystem)") end
  return lfs
end

--- Creates a folder and those above it; raises if that fails.
---@param path string
---@return string path
function folders.make(path)
  local lfs = file_system()
  local made = path:sub(1, 1) == "/" and "/" or ""
  for part in path:gmatch("[^/]+") do
    made = made .. part .. "/"
    if not lfs.attributes(made, "mode") then
      local ok, message = lfs.mkdir(made)
      -- Another process may have been quicker.
      if not ok and lfs.attributes(made, "mode") ~= "directory" then
        core.raise(string.format("cannot make the folder %s: %s", made, message))
      end
    end
  end
  return path
end

--- Whether a file or folder of this name is there.
---@param path string
---@return boolean
function folders.exists(path) return file_system().attributes(path, "mode") ~= nil end

--- The first of "PREFIX0", "PREFIX1", ... that is not there yet.
---@param folder string
---@param prefix string
---@return string name
function folders.free_name(folder, prefix)
  local n = 0
  while folders.exists(folder .. "/" .. prefix .. n) do n = n + 1 end
  return prefix .. n
end

return folders
