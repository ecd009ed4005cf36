--- A number that changes when files or words do: how the pipeline knows that a stage's inputs are the same as before.
--
-- FNV-1a over words of 8 bytes (Fowler, Noll and Vo).  It tells accidents apart, not attackers.
local lfs = require "lfs"

local M = {}

local OFFSET <const>, PRIME <const> = 0xcbf29ce484222325, 0x100000001b3

local function mix(hash, text)
  local whole = #text // 8 * 8
  for at = 1, whole, 8 do hash = (hash ~ string.unpack("<i8", text, at)) * PRIME end
  for at = whole + 1, #text do hash = (hash ~ text:byte(at)) * PRIME end
  return (hash ~ #text) * PRIME   -- so that "ab", "c" is not "a", "bc"
end

--- The files below a folder whose names end so, in order.
---@param folder string
---@param ending string  a Lua pattern, e.g. "%.lua$"
---@return string[]
function M.files(folder, ending)
  local found = {}
  local function walk(path)
    for name in lfs.dir(path) do
      local full = path .. "/" .. name
      local mode = name:sub(1, 1) ~= "." and lfs.attributes(full, "mode")
      if mode == "directory" then walk(full) end
      if mode == "file" and name:find(ending) then found[#found + 1] = full end
    end
  end
  walk(folder)
  table.sort(found)
  return found
end

--- Of strings and of the contents of files; a file that cannot be read counts as such.
---@param words string[]
---@param paths string[]
---@return string  16 hexadecimal digits
function M.of(words, paths)
  local hash = OFFSET
  for _, word in ipairs(words) do hash = mix(hash, word) end
  for _, path in ipairs(paths) do
    local file = io.open(path, "rb")
    hash = mix(mix(hash, path:match("[^/]*$")), file and file:read("a") or "(missing)")
    if file then file:close() end
  end
  return ("%016x"):format(hash)
end

return M
