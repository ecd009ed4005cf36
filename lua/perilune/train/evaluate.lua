-- evaluate.lua -- a pass over a loader without gradients, in evaluation mode: validate, test, predict.
local core = require "perilune.core"
local hooks = require "perilune.train.hooks"

local evaluate = {}

-- Puts every module into evaluation mode; closing gives each its own mode back, also on an error.
local function evaluation_mode(module)
  local before = {}
  for _, part in ipairs(module:modules()) do before[part] = part.training end
  module:eval()
  return setmetatable({}, { __close = function()
    for part, training in pairs(before) do part.training = training end
  end })
end

-- The events of sanity checking and of validation are the same.
local EVENT = { validate = "validation", test = "test", predict = "predict" }

-- What predict does for a module without a predict_step.
local function predict_step(module, batch) return module(batch[1]) end

local function one_batch(self, stage, event, batch, i)
  local scope <close> = core.scope()
  local metrics = self._metrics[stage]
  local first = batch[1]
  metrics.batch_size = core.is_tensor(first) and first:dim() > 0 and first.shape[1] or 1
  hooks.call(self, "on_" .. event .. "_batch_start", batch, i)
  metrics.in_batch = true
  local outputs = core.no_grad(self.module[event .. "_step"] or predict_step, self.module, batch, i)
  metrics.in_batch = false
  hooks.call(self, "on_" .. event .. "_batch_end", outputs, batch, i)
  if stage ~= "predict" then return nil end
  for _, tensor in ipairs(type(outputs) == "table" and outputs or { outputs }) do
    if core.is_tensor(tensor) then scope:keep(tensor) end
  end
  return outputs
end

local function pass(self, stage, event, loader, limit, boundary)
  local next_batch, outputs = loader:iter(), {}
  for i = 1, limit do
    local batch = { next_batch() }
    if batch[1] == nil then break end
    outputs[i] = one_batch(self, stage, event, batch, i)
    if boundary and boundary() then return nil end
  end
  return outputs
end

--- Runs the stage and returns its metrics, or for "predict" the outputs of all batches; nil if it was interrupted.
---@param self perilune.Trainer
---@param stage "validate"|"test"|"predict"
---@param loader table
---@param limit integer  batches
---@param boundary? fun(): boolean  asked after every batch whether to stop
---@return table|nil
function evaluate.run(self, stage, loader, limit, boundary)
  local event, before = EVENT[stage], self.stage
  local mode <close> = evaluation_mode(self.module) -- luacheck: ignore
  self.stage = stage
  self._metrics[stage]:reset()
  hooks.call(self, "on_" .. event .. "_start")
  hooks.call(self, "on_" .. event .. "_epoch_start")
  local outputs = pass(self, stage, event, loader, limit, boundary)
  local published = {}
  if outputs then
    hooks.call(self, "on_" .. event .. "_epoch_end")
    self:_publish_epoch(stage, published)
    self.evaluation_metrics = published
    if self._loop and self._loop.phase == "batch" then self._loop.phase = "validated" end
    hooks.call(self, "on_" .. event .. "_end")
  end
  self.stage = before
  if not outputs then return nil end
  return stage == "predict" and outputs or published
end

return evaluate
