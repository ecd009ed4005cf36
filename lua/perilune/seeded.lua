-- seeded.lua -- random numbers from a seed of one's own.
local random = require("perilune.core").random

--- What draw() returns, drawn from this seed; the state's generator goes on where it was.  Without a seed it is the
--- state's generator that draws.
---@param seed integer|nil
---@param draw fun(): any
---@return any
return function(seed, draw)
  if not seed then return draw() end
  local before = random.get_rng_state()
  random.manual_seed(seed)
  local drawn = draw()
  random.set_rng_state(before)
  return drawn
end
