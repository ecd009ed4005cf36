-- kl.lua -- the Kullback-Leibler divergence of two distributions, in closed form.
local core = require "perilune.core"
local Normal = require("perilune.distributions.normal").class

local ops = core.ops

-- log(s_q / s_p) + (s_p^2 + (m_p - m_q)^2) / (2 s_q^2) - 1/2.  Kingma & Welling 2014, appendix B, for q = N(0, 1).
local function between_normals(p, q)
  local ratio, shift = p.scale / q.scale, (p.loc - q.loc) / q.scale
  return (ratio * ratio + shift * shift - 1) * 0.5 - ops.log(ratio)
end

--- KL(p || q) of each element: how many nats more a code made for q needs for what p draws.
---@param p perilune.distributions.Normal
---@param q perilune.distributions.Normal
---@return tensor  of the shape of both together, never negative but for rounding
local function kl_divergence(p, q)
  if getmetatable(p) ~= Normal or getmetatable(q) ~= Normal then
    core.raise("kl_divergence: only the divergence of two Normals is known in closed form")
  end
  return between_normals(p, q)
end

return { kl_divergence = kl_divergence }
