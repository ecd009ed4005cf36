--- Runs a script's main function and ends the script with status 1 where that fails.
--
-- What is wrong with the surroundings, such as a folder that cannot be made, is raised without a place in the code, and
-- told in one line; anything else keeps its traceback.

local function told(message)
  local is_for_the_user = type(message) == "string" and not message:find("^[^\n]-:%d+: ")
  return is_for_the_user and message or debug.traceback(tostring(message), 2)
end

---@param main function
---@param ... any  its arguments
return function(main, ...)
  local ok, message = xpcall(main, told, ...)
  if ok then return end
  io.stderr:write(arg[0], ": ", message, "\n")
  os.exit(1, true)
end
