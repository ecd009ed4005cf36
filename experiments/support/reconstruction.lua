--- The auto-encoder with its loss and its optimizer, as a Trainer wants it.
local perilune = require "perilune"

local Reconstruction = perilune.nn.Module:extend("Reconstruction")

---@param model table  images -> images
---@param name string  what the validation error is logged as
---@param configure fun(self: table): any  what configure_optimizers returns
function Reconstruction:init(model, name, configure) self.model, self.name, self.configure = model, name, configure end

local function loss_of(self, batch)
  local images = batch[1]
  return perilune.nn.functional.mse_loss(self.model(images), images)
end

function Reconstruction:training_step(batch)
  local loss = loss_of(self, batch)
  self:log("train_mse", loss, { on_step = false, on_epoch = true })
  return loss
end

function Reconstruction:validation_step(batch) self:log(self.name, loss_of(self, batch), { prog_bar = true }) end

function Reconstruction:test_step(batch) self:log("test_mse", loss_of(self, batch)) end

function Reconstruction:configure_optimizers() return self:configure() end

return Reconstruction
