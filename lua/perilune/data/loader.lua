-- loader.lua -- batches of a data set, shuffled anew every epoch.
--
-- Whole tensors (see dataset.lua) become a batch by one C call each, which gathers the rows, scales them, and lays
-- float32 batches out with the samples innermost (lanes, csrc/tensor/tensor.h), as the layers like them.  Everything
-- else is fetched sample by sample with get(i) and stacked.
local core = require "perilune.core"
local no_list = require "perilune.data.no_list"
local options = require "perilune.options"
local shown = require "perilune.shown"

---@class perilune.data.DataLoader
---@field batch_size integer
local DataLoader = {}

local REMEDY <const> = "DataLoader: a loader is no list; its batches come by  for x, y in loader:iter() do"
no_list(DataLoader, REMEDY)

-- for x, y in loader do
function DataLoader.__call() core.raise(REMEDY) end

local read = options.reader("DataLoader", { { "batch_size", 1, "integer" }, { "shuffle", false },
  { "drop_last", false }, { "transform", nil, "function" }, { "seed", nil, "integer" }, { "lanes", true } })

local LANES_FROM = 8   -- smaller batches would be mostly padding

--- for x, y in loader:iter() do; #loader is the number of batches.
---@param dataset table  see perilune.data.TensorDataset, or a table of your own with #dataset and dataset:get(i)
---@param given? table  { batch_size, shuffle, drop_last, transform, seed, lanes }
---  batch_size 1; shuffle false: a new order every epoch, from the state's generator or from seed; drop_last false:
---  leave out a last batch that is not full; transform: gets a batch and returns what the loop shall see;
---  lanes true: float32 batches in the memory order that layers are fastest with
---@return perilune.data.DataLoader
function DataLoader.new(dataset, given)
  if type(dataset) ~= "table" and type(dataset) ~= "userdata" or core.is_tensor(dataset) then
    core.raise("DataLoader: a data set is needed, such as data.TensorDataset(x, y)")
  end
  if not dataset.get and not dataset.columns then
    core.raise("DataLoader: the data set has no get(i); data.TensorDataset(x, y) makes one of tensors")
  end
  local chosen = read(given)
  options.integer("DataLoader", "batch_size", chosen.batch_size)
  local self = setmetatable({ dataset = dataset, batch_size = chosen.batch_size, shuffle = chosen.shuffle,
    drop_last = chosen.drop_last, transform = chosen.transform, seed = chosen.seed, lanes = chosen.lanes,
    epoch = 0, position = 0 }, DataLoader)
  return self
end

--- The number of batches of an epoch.
function DataLoader:__len()
  local n = #self.dataset
  local is_partial = n % self.batch_size > 0 and not self.drop_last   -- n + batch_size might not fit an integer
  return n // self.batch_size + (is_partial and 1 or 0)
end

local function new_order(self)
  local n = #self.dataset
  if not self.shuffle then return n > 0 and core.create.arange(1, n, { dtype = "int64" }) or core.create.empty({ 0 },
    { dtype = "int64" }) end
  if self.seed then return core.data.permutation(n, self.seed, self.epoch) end
  return core.random.randperm(n)
end

DataLoader.__tostring = shown.by(read, function(self)
  return ("%d batches of %s"):format(#self, shown.value(self.dataset))
end)

-- fetch(start, size) -> the values of a batch, for whole tensors
local function column_fetcher(self, columns, rows, order)
  if rows then order = core.data.gather_batch(rows, order) end
  local gather = core.data.gather_batch
  local plans = {}
  for i, column in ipairs(columns) do
    local scale = column.scale or (column.tensor.dtype == "float32" and 1.0 or nil)
    plans[i] = { tensor = column.tensor, small = { scale = column.scale },
      large = { scale = scale, lanes = self.lanes and scale ~= nil and column.tensor:dim() >= 2 } }
  end
  return function(start, size)
    local index = order:narrow(1, start, size)
    local batch = {}
    for i, plan in ipairs(plans) do
      batch[i] = gather(plan.tensor, index, size >= LANES_FROM and plan.large or plan.small)
    end
    core.release(index)
    return table.unpack(batch)
  end
end

-- Numbers become int64 if all of them are integers, float32 otherwise.
local function collate(values, numbers)
  if core.is_tensor(values[1]) then return core.ops.stack(values) end
  local dtype = "int64"
  for k, value in ipairs(values) do
    if type(value) ~= "number" then
      core.raise(string.format("DataLoader: get(i) must return tensors or numbers, got %s for sample %d",
        options.described(value), numbers[k]))
    end
    if math.type(value) == "float" then dtype = "float32" end
  end
  return core.create.tensor(values, { dtype = dtype })
end

local function sample_fetcher(self, order)
  local dataset, numbers = self.dataset, order:totable()
  return function(start, size)
    local columns, asked, width = {}, table.move(numbers, start, start + size - 1, 1, {}), nil
    for k, number in ipairs(asked) do
      local values = table.pack(dataset:get(number))
      width = width or values.n
      if values.n ~= width or width == 0 then
        core.raise(string.format("DataLoader: sample %d has %d values%s", number, values.n,
          width > 0 and string.format(" but sample %d has %d", asked[1], width) or ": get(i) returned nothing"))
      end
      for j = 1, width do
        if values[j] == nil then
          core.raise(string.format("DataLoader: value %d of sample %d is nil", j, number))
        end
        columns[j] = columns[j] or {}
        columns[j][k] = values[j]
      end
    end
    for j, values in ipairs(columns) do columns[j] = collate(values, asked) end
    return table.unpack(columns)
  end
end

--- The batches of one epoch.  After load_state_dict, the rest of the epoch that was saved.
---@return fun(): perilune.Tensor, perilune.Tensor
function DataLoader:iter()
  local n_batches, n = #self, #self.dataset
  local resumed = self._resumed
  self._resumed = nil
  if not resumed then
    self.epoch = self.epoch + 1
    self.position = 0
  end
  local order = resumed or core.keep(new_order(self))
  self.order = order
  local columns, rows
  if self.dataset.columns then columns, rows = self.dataset:columns() end
  local fetch = columns and column_fetcher(self, columns, rows, order) or sample_fetcher(self, order)
  local batch, transform, size = self.position, self.transform, self.batch_size
  -- The loop ends at a nil, so a batch must not begin with one.  Only a batch that came into being is counted.
  local function deliver(first, ...)
    if first == nil then core.raise("DataLoader: transform must return the batch, got nil") end
    batch = batch + 1
    self.position = batch
    return first, ...
  end
  return function()
    if batch >= n_batches then return nil end
    local start = batch * size + 1
    local count = math.min(size, n - start + 1)
    if transform then return deliver(transform(fetch(start, count))) end
    return deliver(fetch(start, count))
  end
end

--- Where the loader is: after load_state_dict(state) the next iter() yields the batches that were still to come, in
--- the same order.
---@return { epoch: integer, position: integer, order: perilune.Tensor|nil, seed: integer|nil }
function DataLoader:state_dict()
  return { epoch = self.epoch, position = self.position, seed = self.seed,
    order = self.order and self.order:clone() or nil }
end

--- Goes on from where state_dict was asked: the next iter() yields the rest of that epoch.
---@param dict table  from state_dict, for a data set of the same length
function DataLoader:load_state_dict(dict)
  local what = "DataLoader:load_state_dict: "
  if type(dict) ~= "table" or math.type(dict.epoch) ~= "integer" or math.type(dict.position) ~= "integer" then
    core.raise(what .. "this is not the state of a loader")
  end
  local order, n = dict.order, #self.dataset
  if order ~= nil and (not core.is_tensor(order) or order.dtype ~= "int64" or order:numel() ~= n) then
    core.raise(string.format("%sthe order is not that of a data set of %d samples", what, n))
  end
  if dict.position < 0 or dict.position > #self then
    core.raise(string.format("%sposition %d is not in 0 .. %d", what, dict.position, #self))
  end
  self.epoch, self.position, self.seed = dict.epoch, dict.position, dict.seed
  local unfinished = order ~= nil and dict.position < #self
  self.order = order and core.keep(order:clone())
  self._resumed = unfinished and self.order or nil
end

return DataLoader
