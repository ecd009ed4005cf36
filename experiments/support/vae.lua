--- A variational auto-encoder with the geometry of the published auto-encoder.  Kingma & Welling, ICLR 2014.
--
-- Three convolutional and two fully connected layers on either side, batch normalisation after the convolutions.  The
-- encoder gives the mean and the log-variance of q(z | x); the decoder gives logits, whose sigmoid is the image.
local perilune = require "perilune"
local nn, distributions = perilune.nn, perilune.distributions

local VAE = nn.Module:extend("VAE")

local function encoder(n, d)
  return nn.Sequential {
    nn.Conv2d(1, n, 3, { stride = 2, padding = 2 }), nn.BatchNorm2d(n), nn.ReLU(),
    nn.Conv2d(n, 2 * n, 3, { stride = 2, padding = 1 }), nn.BatchNorm2d(2 * n), nn.ReLU(),
    nn.Conv2d(2 * n, 4 * n, 3, { stride = 2 }), nn.BatchNorm2d(4 * n), nn.ReLU(),
    nn.Flatten(),
    nn.Linear(36 * n, 64), nn.ReLU(),
    nn.Linear(64, 2 * d),
  }
end

local function decoder(n, d)
  return nn.Sequential {
    nn.Linear(d, 64), nn.ReLU(),
    nn.Linear(64, 36 * n), nn.ReLU(),
    nn.Unflatten(2, { 4 * n, 3, 3 }),
    nn.ConvTranspose2d(4 * n, 2 * n, 3, { stride = 2 }), nn.BatchNorm2d(2 * n), nn.ReLU(),
    nn.ConvTranspose2d(2 * n, n, 3, { stride = 2, padding = 1, output_padding = 1 }), nn.BatchNorm2d(n), nn.ReLU(),
    nn.ConvTranspose2d(n, 1, 3, { stride = 2, padding = 1, output_padding = 1 }),
  }
end

---@param n integer  channels of the first layer
---@param d integer  size of the code
---@param reconstruction string  "bce" (Bernoulli) or "mse" (normal, variance 1/2), both summed over the pixels
function VAE:init(n, d, reconstruction)
  self.n, self.d, self.reconstruction = n, d, reconstruction
  self.encoder, self.decoder = encoder(n, d), decoder(n, d)
end

--- q(z | x), for images (N, 1, 28, 28).
function VAE:encode(x)
  local both = self.encoder(x)
  local mean, log_variance = both:narrow(2, 1, self.d), both:narrow(2, self.d + 1, self.d)
  return distributions.Normal(mean, (log_variance * 0.5):exp())
end

--- Images (N, 1, 28, 28) in [0, 1] of codes (N, d).
function VAE:decode(z) return self.decoder(z):sigmoid() end

--- The image that the mean of q(z | x) gives.
function VAE:forward(x) return self:decode(self:encode(x).mean) end

--- Both parts of the negative evidence lower bound, summed over the batch: the error of one draw of z, and
--- KL(q(z | x) || N(0, I)).
---@return tensor reconstruction
---@return tensor divergence
function VAE:losses(x)
  local posterior = self:encode(x)
  local logits = self.decoder(posterior:rsample())
  local sum = { reduction = "sum" }
  local error_
  if self.reconstruction == "bce" then
    error_ = nn.functional.binary_cross_entropy_with_logits(logits, x, sum)
  else
    error_ = nn.functional.mse_loss(logits:sigmoid(), x, sum)
  end
  return error_, distributions.kl_divergence(posterior, distributions.Normal(0, 1)):sum()
end

return VAE
