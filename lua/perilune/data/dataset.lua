-- dataset.lua -- what a data set is, and the ones that are made of others.
--
-- Any table with #dataset (a length metamethod) and dataset:get(i), which returns the values of sample i (tensors or
-- numbers; the input first, the target second), is a data set.  One that also has dataset:columns() is read fast: it
-- returns a list of { tensor = (N, ...), scale = number or nil } and, for a part of them, an int64 tensor with the
-- rows that belong to it.  A scale makes float32 batches, multiplied by it.
local core = require "perilune.core"
local no_list = require "perilune.data.no_list"
local options = require "perilune.options"
local shown = require "perilune.shown"

local dataset = {}

local REMEDY <const> = ": a data set is no list; dataset:get(i) returns sample i, #dataset is the number of samples"

---@class perilune.data.TensorDataset
local TensorDataset = {}
no_list(TensorDataset, "TensorDataset" .. REMEDY)

local read_tensors = options.reader("TensorDataset", { { "scale", nil, "number" } })

local function check_tensors(tensors)
  if #tensors == 0 then core.raise("TensorDataset: at least one tensor is needed") end
  for i, tensor in ipairs(tensors) do
    if tensor:dim() == 0 then core.raise(string.format("TensorDataset: tensor %d has no first dim", i)) end
    if tensor.shape[1] ~= tensors[1].shape[1] then
      core.raise(string.format("TensorDataset: tensor 1 has %d rows but tensor %d has %d", tensors[1].shape[1], i,
        tensor.shape[1]))
    end
  end
end

--- Sample i is row i of each tensor.
---@param ... perilune.Tensor  with the same first size; then, if wanted, { scale = 1 / 255 } for the first of them
---@return perilune.data.TensorDataset
function dataset.TensorDataset(...)
  local given = table.pack(...)
  local scale
  local last = given[given.n]
  if type(last) == "table" and last[1] == nil then
    scale = read_tensors(given[given.n]).scale
    given[given.n] = nil
    given.n = given.n - 1
  end
  local tensors = {}
  for i = 1, given.n do
    if not core.is_tensor(given[i]) then
      core.raise(string.format("TensorDataset: argument %d must be a tensor, got %s", i, options.described(given[i])))
    end
    tensors[i] = given[i]
  end
  check_tensors(tensors)
  local columns = {}
  for i, tensor in ipairs(tensors) do
    columns[i] = { tensor = tensor:contiguous(), scale = i == 1 and scale or nil }
  end
  return setmetatable({ tensors = tensors, _columns = columns }, TensorDataset)
end

function TensorDataset:__len() return self.tensors[1].shape[1] end

--- Sample i: position i of each tensor.
---@param i integer
---@return perilune.Tensor ...
function TensorDataset:get(i)
  local values = {}
  for k, column in ipairs(self._columns) do
    local row = column.tensor:select(1, i)
    values[k] = column.scale and row:to("float32") * column.scale or row
  end
  return table.unpack(values)
end

function TensorDataset:columns() return self._columns end

TensorDataset.__tostring = shown.by("TensorDataset", function(self)
  local parts = { #self .. " samples" }
  for i, tensor in ipairs(self.tensors) do parts[i + 1] = shown.tensor(tensor) end
  return table.unpack(parts)
end)

---@class perilune.data.Subset
local Subset = {}
no_list(Subset, "Subset" .. REMEDY)

local function as_index(indices)
  if core.is_tensor(indices) then
    if indices.dtype ~= "int64" or indices:dim() ~= 1 then core.raise("Subset: indices must be (n) int64") end
    return indices:contiguous()
  end
  if type(indices) ~= "table" then core.raise("Subset: indices must be a list or an int64 tensor") end
  if #indices == 0 then return core.create.empty({ 0 }, { dtype = "int64" }) end
  return core.create.tensor(indices, { dtype = "int64" })
end

--- Those samples of a data set that indices (1-based) name, in that order.
---@param whole table
---@param indices integer[]|perilune.Tensor
---@return perilune.data.Subset
function dataset.Subset(whole, indices)
  local index = as_index(indices)
  if index:numel() > 0 then
    local low, high = index:min():item(), index:max():item()
    if low < 1 or high > #whole then
      core.raise(string.format("Subset: index %d is not in 1 .. %d", low < 1 and low or high, #whole))
    end
  end
  return setmetatable({ dataset = whole, indices = index }, Subset)
end

function Subset:__len() return self.indices.shape[1] end

function Subset:get(i) return self.dataset:get(self.indices[i]:item()) end

function Subset:columns()
  if not self.dataset.columns then return nil end
  local columns, rows = self.dataset:columns()
  if not columns then return nil end
  return columns, rows and core.data.gather_batch(rows, self.indices) or self.indices
end

Subset.__tostring = shown.by("Subset", function(self)
  return ("%d samples of %s"):format(#self, shown.value(self.dataset))
end)

local function sizes_of(lengths, n)
  local total, fractions = 0, false
  for _, length in ipairs(lengths) do
    if type(length) ~= "number" or length ~= length or length < 0 then
      core.raise("random_split: lengths must be numbers that are not negative")
    end
    total = total + length
    fractions = fractions or math.type(length) == "float"
  end
  if not fractions then
    if total ~= n then
      core.raise(string.format("random_split: the lengths add up to %d but the data set has %d samples", total, n))
    end
    return lengths
  end
  if math.abs(total - 1) > 1e-6 then
    core.raise(string.format("random_split: the fractions add up to %g, not to 1", total))
  end
  local sizes, given = {}, 0
  for i, length in ipairs(lengths) do
    sizes[i] = math.floor(n * length)
    given = given + sizes[i]
  end
  for k = 0, n - given - 1 do sizes[k % #sizes + 1] = sizes[k % #sizes + 1] + 1 end
  return sizes
end

local read_split = options.reader("random_split", { { "seed", nil, "integer" } })

--- Cuts a data set into parts at random.
---@param whole table
---@param lengths number[]  numbers of samples, or fractions that add up to 1
---@param given? { seed: integer }  without it, the state's generator decides
---@return perilune.data.Subset ...
function dataset.random_split(whole, lengths, given)
  if type(lengths) ~= "table" or #lengths == 0 then core.raise("random_split: a list of lengths is needed") end
  local n, seed = #whole, read_split(given).seed
  local sizes = sizes_of(lengths, n)
  local order = seed and core.data.permutation(n, seed, 0) or core.random.randperm(n)
  local parts, start = {}, 1
  for i, size in ipairs(sizes) do
    parts[i] = dataset.Subset(whole, order:narrow(1, start, size):clone())
    start = start + size
  end
  return table.unpack(parts)
end

return dataset
