--- local it = require "support.needs" (it, pending, "linear", "core.optimizers"): an `it` whose examples are pending
-- while one of these operations (or parts of the core) is not there yet.
local core = require "perilune.core"

return function(example, postpone, ...)
  for _, name in ipairs { ... } do
    local part = name:match("^core%.(.*)")
    local found = core.ops[name]
    if part then found = core[part] end
    if not found then return postpone end
  end
  return example
end
