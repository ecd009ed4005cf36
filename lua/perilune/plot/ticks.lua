-- ticks.lua -- where the labels of a linear axis go: Talbot, Lin & Hanrahan, "An Extension of Wilkinson's Algorithm for
-- Positioning Tick Labels on Axes", InfoVis 2010.
--
-- Candidates are q * j * 10^z apart, q from a list of nice steps, of which every j-th is taken.  Each is scored by
-- simplicity (a nice q, few skipped, zero among them), coverage (ends where the data end) and density (about as many as
-- wanted).  All candidates are visited in an order in which an upper bound of the score soon ends each loop.
-- The paper's fourth part, legibility, is 1 here: axis.lua measures the labels and asks again for fewer.
local ticks = {}

local NICE = { 1, 5, 2, 2.5, 4, 3 }                     -- Q, the nicest first
local SIMPLICITY, COVERAGE, DENSITY, LEGIBILITY = 0.25, 0.2, 0.5, 0.05
local TINY = 1e-10
local SMALLEST = 1e-300     -- range whose steps are normal numbers still
local LARGEST = 1e290
local MOST_MINOR = 40       -- powers of ten between the labelled ones

local function score_of(simplicity, coverage, density)
  return SIMPLICITY * simplicity + COVERAGE * coverage + DENSITY * density + LEGIBILITY
end

local function simplicity_of(i, j, first, last, step)
  local rest = first % step
  local has_zero = (rest < TINY * step or step - rest < TINY * step) and first <= 0 and last >= 0
  return 1 - (i - 1) / (#NICE - 1) - j + (has_zero and 1 or 0)
end

local function simplicity_limit(i, j) return 2 - (i - 1) / (#NICE - 1) - j end

local function coverage_of(low, high, first, last)
  local tenth = 0.1 * (high - low)
  return 1 - 0.5 * (((high - last) / tenth) ^ 2 + ((low - first) / tenth) ^ 2)
end

local function coverage_limit(low, high, span)
  local range = high - low
  if span <= range then return 1 end
  return 1 - ((span - range) / 2 / (0.1 * range)) ^ 2
end

local function density_of(n, wanted, low, high, first, last)
  local is = (n - 1) / (last - first)
  local should = (wanted - 1) / (math.max(last, high) - math.min(first, low))
  return 2 - math.max(is / should, should / is)
end

local function density_limit(n, wanted)
  return n >= wanted and 2 - (n - 1) / (wanted - 1) or 1
end

-- The best start for n labels that are `step` (every j-th of step / j) apart.
local function try_starts(best, i, j, n, step, low, high, wanted, inside)
  local span = step * (n - 1)
  for start = math.floor(high / step) * j - (n - 1) * j, math.ceil(low / step) * j do
    local first = start * (step / j)
    local last = first + span
    local slack = TINY * (high - low)
    if not inside or (first >= low - slack and last <= high + slack) then
      local score = score_of(simplicity_of(i, j, first, last, step), coverage_of(low, high, first, last),
        density_of(n, wanted, low, high, first, last))
      if score > best.score then
        best.score, best.first, best.step, best.n = score, first, step, n
      end
    end
  end
end

-- Every power of ten for which n labels can cover enough; with whole, every one whose multiples are integers.
local function try_powers(best, i, j, n, low, high, wanted, inside, whole)
  local q = NICE[i]
  local density = density_limit(n, wanted)
  local z = math.ceil(math.log((high - low) / (n + 1) / j / q, 10))
  if whole then z = math.max(z, q % 1 == 0 and 0 or 1) end
  while true do
    local step = j * q * 10.0 ^ z
    local limit = score_of(simplicity_limit(i, j), coverage_limit(low, high, step * (n - 1)), density)
    if limit < best.score or step * (n - 1) > 20 * (high - low) then return end
    try_starts(best, i, j, n, step, low, high, wanted, inside)
    z = z + 1
  end
end

local function search(low, high, wanted, inside, whole)
  local best = { score = -2 }
  for j = 1, 50 do
    for i = 1, #NICE do
      if score_of(simplicity_limit(i, j), 1, 1) < best.score then return best end
      local n = 2
      while n <= 10 * wanted and score_of(simplicity_limit(i, j), 1, density_limit(n, wanted)) >= best.score do
        try_powers(best, i, j, n, low, high, wanted, inside, whole)
        n = n + 1
      end
    end
  end
  return best
end

--- Nice places for labels between low and high, about `wanted` of them.  As in the paper they may begin a little before
--- low and end a little after high; with inside = true all lie within.
---@param low number  finite, less than high
---@param high number
---@param wanted integer  at least 2
---@param inside? boolean
---@param whole? boolean  integers only
---@return number[] places  ascending
---@return number step
function ticks.extended(low, high, wanted, inside, whole)
  local range = high - low
  if not (range >= SMALLEST and range < math.huge) then return { low, high }, range end
  local best = search(low, high, math.max(wanted, 2), inside, whole)
  if not best.n then return { low, high }, high - low end
  local places = {}
  for k = 1, best.n do
    local place = best.first + (k - 1) * best.step
    places[k] = math.abs(place) < 1e-9 * best.step and 0.0 or place
  end
  return places, best.step
end

--- The same on integers only: all of them where they are few.
---@return integer[] places  none, if there is no integer between low and high
function ticks.integers(low, high, wanted)
  low, high = math.ceil(low), math.floor(high)
  if high - low < wanted and math.max(-low, high) < 2 ^ 53 then        -- beyond it x + 1 is x
    local places = {}
    for value = low, high do places[#places + 1] = value end
    return places
  end
  local places = {}
  for i, place in ipairs((ticks.extended(low, high, wanted, true, true))) do
    places[i] = math.tointeger(place) or place
  end
  return places
end

-- Every k-th power of ten; 10^0 is among them, unless that leaves one alone.
local function powers(from, to, every)
  local first = from + -from % every
  if first + every > to then first, every = from, to - from end
  local places = {}
  for exponent = first, to, every do places[#places + 1] = 10.0 ^ exponent end
  return places
end

local function multiples(low, high, factors)
  local places = {}
  for exponent = math.floor(math.log(low, 10)) - 1, math.ceil(math.log(high, 10)) do
    for _, factor in ipairs(factors) do
      -- From the decimal text: 10.0^-3 * 5 would not be the number that 5e-3 is.
      local place = tonumber(("%de%d"):format(factor, exponent))
      if place >= low * (1 - TINY) and place <= high * (1 + TINY) then places[#places + 1] = place end
    end
  end
  return places
end

--- Places on a logarithmic axis: powers of ten, every k-th where there are many; where there are few, 2 and 5 times
--- them too; within a narrow range those of a linear axis.  The second list has places for fine lines without labels.
---@param low number  above 0, less than high
---@param high number
---@param wanted integer
---@param whole? boolean  integers only, within a narrow range
---@return number[] places, number[] minor
function ticks.logarithmic(low, high, wanted, whole)
  local from, to = math.ceil(math.log(low, 10) - TINY), math.floor(math.log(high, 10) + TINY)
  local n = to - from + 1
  if n >= 3 then
    local every = math.ceil(n / wanted)
    return powers(from, to, every), every == 1 and n <= 8 and multiples(low, high, { 2, 3, 4, 5, 6, 7, 8, 9 })
      or n <= MOST_MINOR and powers(from, to, 1) or {}
  end
  local places = multiples(low, high, { 1, 2, 5 })
  if #places > wanted then places = multiples(low, high, { 1, 3 }) end
  if #places >= 3 then return places, multiples(low, high, { 1, 2, 3, 4, 5, 6, 7, 8, 9 }) end
  local integers = whole and ticks.integers(low, high, wanted) or {}
  return integers[1] and integers or ticks.extended(low, high, wanted, true), {}
end

--- Places as far apart as those of ticks.extended, of which the first is not above low and the last not below high.
---@param low number  finite, less than high
---@param high number
---@param wanted integer
---@param whole? boolean  integers only
---@return number[]|nil places  nil at the ends of what a float can be
---@return number|nil step
function ticks.around(low, high, wanted, whole)
  local _, step = ticks.extended(low, high, wanted, true, whole)
  if whole then step = math.max(1, math.ceil(step - TINY)) end
  local from, to = math.floor(low / step + TINY), math.ceil(high / step - TINY)
  local top = math.max(math.abs(low), math.abs(high))
  if not (step >= SMALLEST and top < LARGEST and to - from <= 10 * wanted) then return nil end
  local places = {}
  for k = from, to do places[#places + 1] = k * step end
  return places, step
end

--- The same on a logarithmic axis: powers of ten over two decades and more, else 1, 2 and 5 times them; within a narrow
--- range places of a linear axis; all integers where they are few.
---@param low number  above 0, less than high
---@param high number
---@param wanted integer
---@param whole? boolean  integers only, within a narrow range
---@return number[]|nil places  nil at the ends of what a float can be
function ticks.around_logarithmic(low, high, wanted, whole)
  if not (low > SMALLEST and high < LARGEST) then return nil end
  local is_short = whole and low >= 1 and high - low < wanted
  if high / low < 2 or is_short then return (ticks.around(low, high, wanted, whole)) end
  local from, to = math.floor(math.log(low, 10) + TINY), math.ceil(math.log(high, 10) - TINY)
  if high / low >= 100 then
    local every = math.ceil((to - from) / wanted)
    from, to = from - from % every, to + -to % every
    return 10.0 ^ from > 0 and 10.0 ^ to < math.huge and powers(from, to, every) or nil
  end
  local around = multiples(10.0 ^ from, 10.0 ^ to, { 1, 2, 5 })
  local first, last = 1, #around
  while around[first + 1] <= low * (1 + TINY) do first = first + 1 end
  while around[last - 1] >= high * (1 - TINY) do last = last - 1 end
  return table.move(around, first, last, 1, {})
end

return ticks
