--- The trained encoder with a classifier on top, as the published study has it.
local perilune = require "perilune"
local nn = perilune.nn
local trained = require "support.trained"

local M = {}

--- Codes (N, d) -> logarithms of the probabilities of the classes (N, 10).
function M.head(d)
  return nn.Sequential { nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, 10), nn.LogSoftmax(2) }
end

--- Images -> logarithms of probabilities, with children "encoder" and "head".
function M.network(encoder, head) return nn.Sequential { { "encoder", encoder }, { "head", head } } end

--- The encoder of an auto-encoder that 01_cae saved.
---@return table encoder
---@return integer d  size of the code
---@return integer n  channels of its first layer
function M.load_encoder(path)
  local model, n, d = trained.cae(path)
  return model.encoder, d, n
end

return M
