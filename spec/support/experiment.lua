-- experiment.lua -- what the specs of the experiments share: runs a script in a process of its own.
local build = os.getenv("PERILUNE_BUILD") or "build"

local experiment = {}

-- Sanitizers' libraries are preloaded for lua5.4 only: the shell would not stand them.
local COMMAND <const> = "LUA_PATH='./lua/?.lua;./lua/?/init.lua;;' LUA_CPATH='./%s/?.so;;' lua5.4 experiments/%s.lua %s 2>&1"

--- Returns what the script wrote, and whether it ended well.
---@param name string  without folder and extension
---@param arguments string
---@return string output
---@return boolean ok
function experiment.run(name, arguments)
  local pipe = assert(io.popen(COMMAND:format(build, name, arguments)))
  local output = pipe:read("a")
  return output, pipe:close() == true
end

--- Its output; an error where it did not end well.
function experiment.must_run(name, arguments)
  local output, ok = experiment.run(name, arguments)
  if not ok then error(output, 2) end
  return output
end

--- The bytes of a file.
function experiment.read(path)
  local file = assert(io.open(path, "rb"))
  local content = file:read("a")
  file:close()
  return content
end

--- The name of a folder that is not there yet.
function experiment.new_folder()
  local path = os.tmpname()
  os.remove(path)
  return path
end

return experiment
