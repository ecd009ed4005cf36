-- embedding.lua -- a table of vectors that is looked up by integers.
local core = require "perilune.core"
local Module = require "perilune.nn.module"
local init = require "perilune.nn.initializers"
local options = require "perilune.options"
local parameter = require "perilune.nn.parameter"

local ops = core.ops
local read = options.reader("Embedding", { { "padding_idx", nil, "integer" } })

---@class perilune.nn.Embedding: perilune.nn.Module
---@field weight perilune.Tensor  (num_embeddings, embedding_dim)
local Embedding = Module:extend("Embedding")
Embedding.transient = true

--- index (*), int64 in 1 .. num_embeddings -> (*, embedding_dim).  The vectors start as standard normals; that of
--- padding_idx as zeros, and it gets no gradient.
---@param num_embeddings integer
---@param embedding_dim integer
---@param given? { padding_idx: integer }
function Embedding:init(num_embeddings, embedding_dim, given)
  self.num_embeddings = options.integer("Embedding", "num_embeddings", num_embeddings)
  self.embedding_dim = options.integer("Embedding", "embedding_dim", embedding_dim)
  local padding = read(given).padding_idx
  if padding and (padding < 1 or padding > num_embeddings) then
    core.raise(string.format("Embedding: padding_idx %d is not in 1 .. %d", padding, num_embeddings))
  end
  local weight = init.normal_(core.create.empty(num_embeddings, embedding_dim))
  if padding then weight:select(1, padding):fill_(0) end
  self.weight = parameter.new(weight)
  self.padding_idx = padding
  self._options = padding and { padding_idx = padding } or nil
end

function Embedding:forward(index) return ops.embedding(index, self.weight, self._options) end

function Embedding:extra_repr()
  local text = string.format("%d, %d", self.num_embeddings, self.embedding_dim)
  if self.padding_idx then text = text .. ", padding_idx=" .. self.padding_idx end
  return text
end

return Embedding
