local neighbourhoods = require "perilune.metrics.neighbourhoods"
local options = require "perilune.options"

local read = options.reader("continuity", { { "n_neighbors", 5 } })

--- How much of the data a map keeps together: 1 where the neighbours in the data are neighbours in the map, less for
-- each that is torn away.  Venna & Kaski 2001.
---@param x tensor  (n, d) the data
---@param embedding tensor  (n, m) the map
---@param given? table  { n_neighbors = 5 }, less than n / 2
---@return number
local function continuity(x, embedding, given)
  return neighbourhoods.share("continuity", embedding, x, { "embedding", "x" }, read(given).n_neighbors)
end

return continuity
