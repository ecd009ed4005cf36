-- samplers/base.lua -- what a study asks of a sampler; a sampler overrides what it needs.
--
-- A space is a table { parameter name = distribution }; sampled values are internal ones (see distributions.lua).
-- Draws come from perilune.study.draw, keyed by seed, trial number and parameter name.
local class = require "perilune.train.class"

local Sampler = class.new("Sampler")

-- A seed that differs from run to run; the host's generator is left alone.
local function fresh_seed()
  local address = tonumber(tostring({}):match("0x(%x+)") or "0", 16)
  return os.time() * 1000003 ~ address ~ math.floor(os.clock() * 1e6)
end

function Sampler:init(seed) self.seed = seed or fresh_seed() end

-- The parameters that are sampled together, before the trial begins.
function Sampler:infer_relative_search_space(_, _) return {} end -- luacheck: ignore self

-- Internal values for (a part of) that space.
function Sampler:sample_relative(_, _, _) return {} end -- luacheck: ignore self

function Sampler:before_trial(_, _) end -- luacheck: ignore self

function Sampler:after_trial(_, _, _, _) end -- luacheck: ignore self

return Sampler
