-- cosine_annealing_lr.lua -- half a cosine from the first lr down to eta_min in T_max epochs, then up again:
--   lr_t = eta_min + (lr_0 - eta_min) (1 + cos(pi t / T_max)) / 2.  Loshchilov & Hutter, ICLR 2017, without restarts.
local options = require "perilune.options"

---@class perilune.optim.CosineAnnealingLR: perilune.optim.Scheduler
--- Options: T_max (must be given), eta_min = 0.
---@overload fun(optimizer: perilune.optim.Optimizer, given: table): perilune.optim.CosineAnnealingLR
local CosineAnnealingLR = require "perilune.optim.lr_scheduler.base".define("CosineAnnealingLR", {
  { "T_max", nil, "integer" }, { "eta_min", 0.0 },
})

function CosineAnnealingLR.check(_, chosen)
  options.integer("CosineAnnealingLR", "T_max", chosen.T_max)
end

CosineAnnealingLR.per_group = true

function CosineAnnealingLR:next_lr(group, base_lr, _, t)
  local period, low = self.options.T_max, self.options.eta_min
  if t == 0 then return group.lr end
  if (t - 1 - period) % (2 * period) == 0 then
    return group.lr + (base_lr - low) * (1 - math.cos(math.pi / period)) / 2
  end
  local ratio = (1 + math.cos(math.pi * t / period)) / (1 + math.cos(math.pi * (t - 1) / period))
  return ratio * (group.lr - low) + low
end

return CosineAnnealingLR
