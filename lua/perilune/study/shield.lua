-- shield.lua -- keeps Ctrl-C out of what must not be cut in two.
--
-- The stock lua5.4 answers SIGINT by a debug hook on its main coroutine that raises "interrupted!" at the next
-- instruction.  A hook belongs to one coroutine, so what runs in another is not struck; the hook waits and strikes
-- when the main coroutine goes on.
local core = require "perilune.core"

--- f(...) out of reach of Ctrl-C; returns its first result.  Its errors come out as they are; those of the library,
--- which find no line of the user's in the other coroutine, get it here.
---@param f function
---@param ... any
---@return any
return function(f, ...)
  local fine, result = coroutine.resume(coroutine.create(f), ...)
  if fine then return result end
  if type(result) ~= "string" or result:find("^[^\n]-:%d+: ") then error(result, 0) end
  return core.raise(result)
end
