--- A network that classifies, with its loss, its optimizer and its schedule, as a Trainer wants it.
local perilune = require "perilune"
local nn, optim = perilune.nn, perilune.optim

local Classification = nn.Module:extend("Classification")

---@param model table      gives logits or logarithms of probabilities (N, 10)
---@param criterion table  such as nn.NLLLoss()
---@param settings table   lr: the highest of a one-cycle schedule; weight_decay (0)
function Classification:init(model, criterion, settings)
  self.model, self.criterion, self.settings = model, criterion, settings
end

function Classification:training_step(batch)
  local loss = self.criterion(self.model(batch[1]), batch[2])
  self:log("train_loss", loss, { on_step = false, on_epoch = true })
  return loss
end

function Classification:validation_step(batch)
  local scores = self.model(batch[1])
  self:log("test_loss", nn.functional.cross_entropy(scores, batch[2]))
  self:log("test_accuracy", perilune.metrics.accuracy(scores, batch[2]), { prog_bar = true })
end

function Classification:configure_optimizers()
  local trained = {}
  for _, parameter in ipairs(self:parameters()) do
    if parameter.requires_grad then trained[#trained + 1] = parameter end
  end
  local lr = self.settings.lr
  local optimizer = optim.AdamW(trained, { lr = lr, weight_decay = self.settings.weight_decay or 0 })
  local scheduler = optim.lr_scheduler.OneCycleLR(optimizer,
    { max_lr = lr, total_steps = self.trainer.estimated_stepping_batches })
  return { optimizer = optimizer, lr_scheduler = { scheduler = scheduler, interval = "step" } }
end

return Classification
