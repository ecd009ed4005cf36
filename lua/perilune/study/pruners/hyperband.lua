-- pruners/hyperband.lua -- Hyperband (Li et al., JMLR 2018): several successive halvings that begin at different steps.
--
-- A trial belongs to one bracket, by the checksum of the study's name and its number, so that all workers agree.
-- Trials compete, and samplers learn (history.lua), within their bracket only.
local Pruner = require "perilune.study.pruners.base"
local core = require "perilune.core"
local reports = require "perilune.study.reports"
local settings = require "perilune.study.settings"
local successive_halving = require "perilune.study.pruners.successive_halving"

local Hyperband = Pruner:extend("HyperbandPruner")

settings(Hyperband, { { "min_resource", 1, least = 1 }, { "max_resource", "auto", "any", least = 1, is_integer = true },
  { "reduction_factor", 3, least = 2 }, { "bootstrap_count", 0, least = 0 } })

function Hyperband:init(given)
  self:configure(given)
  if self.max_resource and self.max_resource < self.min_resource then
    core.raise(("HyperbandPruner: max_resource must be an integer of at least %d, got %d"):format(self.min_resource,
      self.max_resource))
  end
  if self.bootstrap_count > 0 and not self.max_resource then
    core.raise("HyperbandPruner: bootstrap_count needs a max_resource that is a number")
  end
  self.known = setmetatable({}, { __mode = "k" })   -- by study: { cursor, last_step, brackets }
end

-- The checksum of zlib and PNG, bit by bit: names are short.
local function crc32(text)
  local crc = 0xFFFFFFFF
  for at = 1, #text do
    crc = crc ~ text:byte(at)
    for _ = 1, 8 do crc = crc & 1 == 1 and (crc >> 1) ~ 0xEDB88320 or crc >> 1 end
  end
  return crc ~ 0xFFFFFFFF
end

-- Brackets share the trials out so that each gets about the same number of steps.
local function make_brackets(self, max_resource)
  local brackets = { total = 0 }
  local count = math.floor(math.log(max_resource / self.min_resource, self.reduction_factor)) + 1
  for id = 0, count - 1 do
    local s = count - 1 - id
    local budget = math.ceil(count * self.reduction_factor ^ s / (s + 1))
    brackets.total = brackets.total + budget
    brackets[id + 1] = { budget = budget, pruner = successive_halving({ min_resource = self.min_resource,
      reduction_factor = self.reduction_factor, min_early_stopping_rate = id, bootstrap_count = self.bootstrap_count },
      function(study, record) return self:bracket_of(study, record) == id end) }
  end
  return brackets
end

-- nil until a trial is complete, where max_resource is "auto".
local function brackets_of(self, study)
  local known = self.known[study] or { cursor = 0, last_step = -1 }
  self.known[study] = known
  if known.brackets then return known.brackets end
  local fresh
  fresh, known.cursor = study:finished_since(known.cursor)
  for _, record in ipairs(self.max_resource and {} or fresh) do
    local last = record.state == "COMPLETE" and reports.last_two(record.intermediate_values)
    known.last_step = math.max(known.last_step, last or -1)
  end
  local max_resource = self.max_resource or known.last_step >= 0 and known.last_step + 1
  if max_resource then known.brackets = make_brackets(self, max_resource) end
  return known.brackets
end

--- The bracket that a trial belongs to, from 0; nil while there are none.
---@param study table
---@param record table
---@return integer|nil
function Hyperband:bracket_of(study, record)
  local brackets = brackets_of(self, study)
  if not brackets then return nil end
  local place = crc32(("%s_%d"):format(study.study_name, record.number)) % brackets.total
  for id, bracket in ipairs(brackets) do
    place = place - bracket.budget
    if place < 0 then return id - 1 end
  end
end

function Hyperband:prune(study, trial)
  local id = self:bracket_of(study, trial)
  return id ~= nil and brackets_of(self, study)[id + 1].pruner:prune(study, trial)
end

--- Hyperband (Li et al., JMLR 2018): successive halvings of several depths side by side; each trial belongs to one, and
--- the sampler learns from its own.  Options: min_resource 1: the first step at which trials are compared;
--- max_resource "auto" (the longest complete trial) or the number of steps of a whole trial; reduction_factor 3;
--- bootstrap_count 0.
---@param given? table
---@return table
return function(given) return Hyperband(given) end
