-- gradients.lua -- perilune.grad: the core's, with what PyTorch asks of unused inputs.
local core = require "perilune.core"

local function all_or_raise(n, ...)
  for i = 1, n do
    if (select(i, ...)) == nil then
      core.raise(("grad: input %d was not used for the outputs; { allow_unused = true } gives nil for it"):format(i))
    end
  end
  return ...
end

return function(outputs, inputs, given)
  local allow_unused = false
  if type(given) == "table" then
    local rest = {}
    for name, value in pairs(given) do rest[name] = value end
    given, allow_unused, rest.allow_unused = rest, rest.allow_unused or false, nil
    if type(allow_unused) ~= "boolean" then core.raise "grad: allow_unused must be true or false" end
  end
  if allow_unused then return core.grad(outputs, inputs, given) end
  return all_or_raise(type(inputs) == "table" and #inputs or 1, core.grad(outputs, inputs, given))
end
