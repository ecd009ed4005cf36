-- spec/reference/behaviour.json as a table.
local cjson = require "cjson"

local file = assert(io.open("spec/reference/behaviour.json"))
local recorded = cjson.decode(file:read("a"))
file:close()

return recorded
