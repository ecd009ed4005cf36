--- The networks that earlier experiments left: 01_cae and 02_search an auto-encoder, 03_vae a variational one.
local perilune = require "perilune"
local cae = require "support.cae"
local VAE = require "support.vae"

local M = {}

local function read(path, made_by)
  local weights, metadata = perilune.load(path)
  if not weights then
    error(("%s; make it first: lua5.4 experiments/%s.lua"):format(metadata, made_by), 0)
  end
  local n, d = math.tointeger(metadata.channels), math.tointeger(metadata.code)
  if not (n and d) then
    error(("%s does not say its channels and code; is it from %s.lua?"):format(path, made_by), 0)
  end
  return weights, n, d, metadata
end

--- The convolutional auto-encoder in a file of 01_cae or 02_search, ready for use: in eval mode.
---@param path string
---@return table model  with children encoder and decoder
---@return integer n  channels of the first layer
---@return integer d  numbers in the code
function M.cae(path)
  local weights, n, d = read(path, "01_cae")
  local model = cae.autoencoder(n, d)
  model:load_state_dict(weights)
  return model:eval(), n, d
end

--- The variational auto-encoder in a file of 03_vae, in eval mode.
---@param path string
---@return table model
---@return integer d  numbers in the code
function M.vae(path)
  local weights, n, d, metadata = read(path, "03_vae")
  local model = VAE(n, d, metadata.reconstruction)
  model:load_state_dict(weights)
  return model:eval(), d
end

return M
