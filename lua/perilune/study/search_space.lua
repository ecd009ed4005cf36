-- search_space.lua -- which parameters are sampled together: those that every trial had, with the same range.
local search_space = {}

--- Whether two distributions are the same in everything.
---@param a table
---@param b table
---@return boolean
function search_space.equal(a, b)
  return a == b or a:agrees(b) and a.low == b.low and a.high == b.high and a.step == b.step
end

--- The part of a space that one more trial's distributions agree with; the space itself if that is all of it, and a
--- copy of the distributions if there is no space yet.
---@param space? table  { name = distribution }
---@param distributions table  { name = distribution }
---@return table
function search_space.intersect(space, distributions)
  local kept, lost = {}, space == nil
  for name, distribution in pairs(space or distributions) do
    local other = distributions[name]
    if other and search_space.equal(distribution, other) then kept[name] = distribution else lost = true end
  end
  return lost and kept or space
end

--- What is left without the parameters that have a single value.
---@param space table
---@return table
function search_space.open(space)
  local left = {}
  for name, distribution in pairs(space) do
    if not distribution:single() then left[name] = distribution end
  end
  return left
end

--- Names in one order for everybody.
---@param space table
---@return string[]
function search_space.names(space)
  local names = {}
  for name in pairs(space) do names[#names + 1] = name end
  table.sort(names)
  return names
end

return search_space
