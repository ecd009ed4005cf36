local neighbourhoods = require "perilune.metrics.neighbourhoods"
local options = require "perilune.options"

local read = options.reader("trustworthiness", { { "n_neighbors", 5 } })

--- How far a map can be trusted: 1 where the neighbours in the map are neighbours in the data, less for each that
-- is not.
-- Venna & Kaski 2001.  Time grows with n^2: 10,000 points take seconds.
---@param x tensor  (n, d) the data
---@param embedding tensor  (n, m) the map
---@param given? table  { n_neighbors = 5 }, less than n / 2
---@return number
local function trustworthiness(x, embedding, given)
  return neighbourhoods.share("trustworthiness", x, embedding, { "x", "embedding" }, read(given).n_neighbors)
end

return trustworthiness
