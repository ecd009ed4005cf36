-- parzen_pair.lua -- the two densities of TPE over one space: one of the better trials, one of all the others.
--
-- Both lie in C and follow the history: a trial more is one insertion, and perhaps one move between the two.
local core = require "perilune.core"
local search_space = require "perilune.study.search_space"

local Pair = {}
Pair.__index = Pair

local function described(distribution)
  if distribution.choices then return { choices = #distribution.choices } end
  return { low = distribution.low, high = distribution.high, step = distribution.step, log = distribution.log }
end

--- For a space { name = distribution } without single values.  Draws are keyed by the parameters' names, and those that
--- choose a kernel by key.
---@param space table
---@param key string
---@return table
function Pair.new(space, key)
  local names, described_space, keys = search_space.names(space), {}, { key }
  for j, name in ipairs(names) do described_space[j], keys[j + 1] = described(space[name]), name end
  return setmetatable({ space = space, names = names, keys = keys, cursor = 0, better_rows = {}, liars = {},
    better = core.study.parzen(described_space), others = core.study.parzen(described_space) }, Pair)
end

--- Whether it was made for this space.
---@param space table
---@return boolean
function Pair:fits(space)
  if space == self.space then return true end
  for name in pairs(space) do
    if not self.space[name] then return false end
  end
  for name, distribution in pairs(self.space) do
    if not space[name] or not search_space.equal(space[name], distribution) then return false end
  end
  return true
end

-- A trial's values in the order of the names; nil if it lacks one, or has one outside today's range.
local function row_of(self, values)
  local row = {}
  for j, name in ipairs(self.names) do
    local value = values[name]
    if value == nil or not self.space[name]:contains(value) then return nil end
    row[j] = value
  end
  return row
end

local function demote(self, better)
  for number, row in pairs(self.better_rows) do
    if not better[number] then
      self.better:remove(number)
      self.better_rows[number] = nil
      self.others:insert(number, row)
    end
  end
end

local function promote(self, better)
  for number, record in pairs(better) do
    local row = not self.better_rows[number] and row_of(self, record.internal_params)
    if row then
      self.others:remove(number)
      self.better:insert(number, row)
      self.better_rows[number] = row
    end
  end
end

--- Follows the history: trials, a list that only grows, and which of them are better, { number = record }.
---@param trials table[]
---@param better table
function Pair:follow(trials, better)
  demote(self, better)
  for at = self.cursor + 1, #trials do
    local record = trials[at]
    local row = not better[record.number] and row_of(self, record.internal_params)
    if row then self.others:insert(record.number, row) end
  end
  self.cursor = #trials
  promote(self, better)
end

--- Running trials count among the others until the next call, so that workers keep away from each other.
---@param running table  { number = { name = internal value } }
function Pair:pretend(running)
  for number in pairs(self.liars) do self.others:remove(number) end
  self.liars = {}
  for number, values in pairs(running) do
    local row = row_of(self, values)
    if row then
      self.others:insert(number, row)
      self.liars[number] = true
    end
  end
end

--- The best of n candidates, { name = internal value }; a pure function of seed, trial number and what it follows.
---@param seed integer
---@param number integer
---@param n integer
---@return table
function Pair:choose(seed, number, n)
  local row, values = core.study.tpe(self.better, self.others, seed, number, self.keys, n), {}
  for j, name in ipairs(self.names) do values[name] = row[j] end
  return values
end

return Pair
