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

local ABANDONED_AFTER_S <const> = 60

-- A process of this machine may have been stopped for a while; one of another machine writes all the time.
local function is_abandoned(path, process)
  local lfs = file_system()
  if lfs.attributes("/proc/" .. process, "mode") then return false end
  local written = lfs.attributes(path, "modification")
  return written ~= nil and os.time() - written > ABANDONED_AFTER_S
end

--- Removes what saves that were killed left in the folder, "NAME.safetensors.tmp-PROCESS-ATTEMPT", where that process
--- is gone and nobody has written for a minute.
---@param folder string
function folders.sweep(folder)
  for name in file_system().dir(folder) do
    local process = name:match("%.safetensors%.tmp%-(%d+)%-%d+$")
    if process and is_abandoned(folder .. "/" .. name, process) then os.remove(folder .. "/" .. name) end
  end
end

return folders
