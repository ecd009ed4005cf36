-- one_cycle_lr.lua -- up to max_lr, then down to almost nothing, in total_steps steps (of batches, not epochs), while
-- the momentum goes the other way.  Smith & Topin, 2018.
--
-- From max_lr / div_factor to max_lr in the first pct_start of the steps, then down to max_lr / div_factor /
-- final_div_factor; with three_phase first down to the start as fast as it went up.
local core = require "perilune.core"
local options = require "perilune.options"

---@class perilune.optim.OneCycleLR: perilune.optim.Scheduler
--- Options: max_lr (a number or one for each group), total_steps or epochs and steps_per_epoch, pct_start = 0.3,
--- anneal_strategy = "cos" or "linear", cycle_momentum = true, base_momentum = 0.85, max_momentum = 0.95,
--- div_factor = 25, final_div_factor = 1e4, three_phase = false.
---@overload fun(optimizer: perilune.optim.Optimizer, given: table): perilune.optim.OneCycleLR
local OneCycleLR = require "perilune.optim.lr_scheduler.base".define("OneCycleLR", {
  { "max_lr", nil, "any" }, { "total_steps", nil, "integer" }, { "epochs", nil, "integer" },
  { "steps_per_epoch", nil, "integer" }, { "pct_start", 0.3 }, { "anneal_strategy", "cos" },
  { "cycle_momentum", true }, { "base_momentum", 0.85 }, { "max_momentum", 0.95 }, { "div_factor", 25.0 },
  { "final_div_factor", 1e4 }, { "three_phase", false },
})

local function cosine(from, to, part) return to + (from - to) / 2 * (1 + math.cos(math.pi * part)) end
local function linear(from, to, part) return from + (to - from) * part end

-- Each phase: the step (from 0) at which it ends, and which values it goes between.
local function make_phases(total, chosen)
  local rise = chosen.pct_start * total
  if chosen.three_phase then
    return {
      { stop = rise - 1, from = "initial", to = "max", momentum_from = "max", momentum_to = "base" },
      { stop = 2 * rise - 2, from = "max", to = "initial", momentum_from = "base", momentum_to = "max" },
      { stop = total - 1, from = "initial", to = "min", momentum_from = "max", momentum_to = "max" },
    }
  end
  return {
    { stop = rise - 1, from = "initial", to = "max", momentum_from = "max", momentum_to = "base" },
    { stop = total - 1, from = "max", to = "min", momentum_from = "base", momentum_to = "max" },
  }
end

OneCycleLR.per_group = true

function OneCycleLR:check(chosen)
  local what = "OneCycleLR"
  if chosen.total_steps == nil and not (chosen.epochs and chosen.steps_per_epoch) then
    core.raise("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
  end
  self.total_steps = options.integer(what, "total_steps", chosen.total_steps or chosen.epochs * chosen.steps_per_epoch)
  options.number(what, "pct_start", chosen.pct_start, 0, 1)
  options.choice(what, "anneal_strategy", chosen.anneal_strategy, { "cos", "linear" })
  self.phases = make_phases(self.total_steps, chosen)
  local list = type(chosen.max_lr) == "table" and chosen.max_lr or nil
  local n_groups = #self.optimizer.param_groups
  if list and #list ~= n_groups then
    core.raise(string.format("OneCycleLR: max_lr has %d numbers for %d parameter groups", #list, n_groups))
  end
  self.cycles = {}
  for g, group in ipairs(self.optimizer.param_groups) do
    local peak = chosen.max_lr
    if list then peak = list[g] end
    options.number(what, "max_lr", peak, 0)
    if chosen.cycle_momentum and not group.betas and group.momentum == nil then
      core.raise("OneCycleLR: cycle_momentum needs an optimizer with momentum or betas")
    end
    local start = peak / chosen.div_factor
    self.cycles[g] = { initial = start, max = peak, min = start / chosen.final_div_factor }
  end
  for g, group in ipairs(self.optimizer.param_groups) do
    group.initial_lr, group.lr = self.cycles[g].initial, self.cycles[g].initial
    if chosen.cycle_momentum then self.set_momentum(group, chosen.max_momentum) end
  end
end

function OneCycleLR:next_lr(_, _, g, t)
  local chosen = self.options
  if t > self.total_steps then
    core.raise(string.format("OneCycleLR: step %d, but the cycle has %d steps", t, self.total_steps))
  end
  local anneal = chosen.anneal_strategy == "cos" and cosine or linear
  local momenta = { base = chosen.base_momentum, max = chosen.max_momentum }
  local start = 0
  for i, phase in ipairs(self.phases) do
    if t <= phase.stop or i == #self.phases then
      local part = phase.stop > start and (t - start) / (phase.stop - start) or 1.0
      local cycle = self.cycles[g]
      local momentum = chosen.cycle_momentum and anneal(momenta[phase.momentum_from], momenta[phase.momentum_to], part)
      return anneal(cycle[phase.from], cycle[phase.to], part), momentum
    end
    start = phase.stop
  end
end

return OneCycleLR
