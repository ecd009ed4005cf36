-- draw.lua -- uniform numbers that depend on nothing but their key.
--
-- The key (seed, trial number, parameter name, k) goes through FNV-1a (the name) and the finaliser of SplitMix64
-- (Steele, Lea & Flood, OOPSLA 2014): the same study draws the same, however many workers it has and however often
-- it was stopped.
local function mixed(x)
  x = x + 0x9E3779B97F4A7C15
  x = (x ~ (x >> 30)) * 0xBF58476D1CE4E5B9
  x = (x ~ (x >> 27)) * 0x94D049BB133111EB
  return x ~ (x >> 31)
end

local function hashed(name)
  local hash = 0xCBF29CE484222325
  for at = 1, #name do hash = (hash ~ name:byte(at)) * 0x100000001B3 end
  return hash
end

--- A number in [0, 1) of 53 bits, the same for the same arguments.
---@param seed integer
---@param number integer  the trial's
---@param name string  the parameter's
---@param k? integer  default 0: which of several draws for this parameter
---@return number
local function draw(seed, number, name, k)
  local bits = mixed(mixed(mixed(mixed(seed) ~ number) ~ hashed(name)) ~ (k or 0))
  return (bits >> 11) * 0x1p-53
end

return draw
