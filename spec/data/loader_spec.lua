local perilune = require "perilune"
local data = perilune.data

local function raises(text, f, ...)
  local fine, message = pcall(f, ...)
  assert.is_false(fine, "no error")
  assert.matches(text, message, 1, true)
end

local function numbered(n)
  return data.TensorDataset(perilune.arange(1, n):to("float32"):reshape(n, 1), perilune.arange(1, n))
end

-- The labels of each batch.
local function epoch(loader)
  local batches = {}
  for _, y in loader:iter() do batches[#batches + 1] = y:totable() end
  return batches
end

local function flat(batches)
  local list = {}
  for _, batch in ipairs(batches) do
    for _, value in ipairs(batch) do list[#list + 1] = value end
  end
  return list
end

describe("data sets", function()
  it("TensorDataset has rows", function()
    local set = numbered(5)
    assert.equal(5, #set)
    local x, y = set:get(3)
    assert.same({ { 3 }, 3 }, { x:totable(), y:item() })
    local bytes = data.TensorDataset(perilune.full({ 2, 3 }, 255, { dtype = "uint8" }), { scale = 1 / 255 })
    assert.same({ 1, 1, 1 }, (bytes:get(1)):totable())
    raises("TensorDataset: at least one tensor is needed", data.TensorDataset)
    raises("tensor 1 has 2 rows but tensor 2 has 3", data.TensorDataset, perilune.ones(2), perilune.ones(3))
    raises("argument 1 must be a tensor, got 3", data.TensorDataset, 3, perilune.ones(3))
    raises("unknown option 'scal'", data.TensorDataset, perilune.ones(3), { scal = 3 })
  end)

  it("say what to do to those who take them for lists", function()
    local set = numbered(5)
    local remedy = "a data set is no list; dataset:get(i) returns sample i"
    for _, one in ipairs { set, data.Subset(set, { 1 }), perilune.datasets.FashionMNIST { split = "test" } } do
      raises(remedy, function() for _ in ipairs(one) do error("not reached") end end)
      raises(remedy, function() return one[1] end)
    end
    local loader = data.DataLoader(set)
    raises("loader_spec.lua:", function() return loader[1] end)
    raises("for x, y in loader:iter() do", function() for _ in ipairs(loader) do error("not reached") end end)
    raises("for x, y in loader:iter() do", function() for _ in loader do error("not reached") end end)
    assert.is_nil(loader.no_such_field)
  end)

  it("Subset picks", function()
    local set = data.Subset(data.Subset(numbered(10), { 9, 7, 5, 3 }), perilune.tensor { 4, 1, 1 })
    assert.equal(3, #set)
    assert.equal(3, select(2, set:get(1)):item())
    assert.same({ { 3, 9 }, { 9 } }, epoch(data.DataLoader(set, { batch_size = 2 })))
    raises("Subset: index 11 is not in 1 .. 10", data.Subset, numbered(10), { 1, 11 })
    assert.equal(0, #data.Subset(numbered(10), {}))
  end)

  it("random_split cuts by number or fraction, the same for the same seed", function()
    local set = numbered(10)
    local a, b = data.random_split(set, { 7, 3 }, { seed = 4 })
    assert.same({ 7, 3 }, { #a, #b })
    local c = data.random_split(set, { 7, 3 }, { seed = 4 })
    assert.same(a.indices:totable(), c.indices:totable())
    local all = a.indices:totable()
    table.move(b.indices:totable(), 1, 3, 8, all)
    table.sort(all)
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, all)
    local d, e, f = data.random_split(set, { 0.5, 0.25, 0.25 })
    assert.same({ 6, 2, 2 }, { #d, #e, #f })
    raises("the lengths add up to 9 but the data set has 10", data.random_split, set, { 4, 5 })
    raises("the fractions add up to 0.9", data.random_split, set, { 0.4, 0.5 })
    raises("a list of lengths is needed", data.random_split, set, {})
  end)
end)

describe("DataLoader", function()
  it("goes through the data in order", function()
    local loader = data.DataLoader(numbered(5), { batch_size = 2 })
    assert.equal(3, #loader)
    assert.same({ { 1, 2 }, { 3, 4 }, { 5 } }, epoch(loader))
    assert.same({ { 1, 2 }, { 3, 4 } }, epoch(data.DataLoader(numbered(5), { batch_size = 2, drop_last = true })))
    assert.equal(0, #data.DataLoader(numbered(1), { batch_size = 2, drop_last = true }))
    local whole = data.DataLoader(numbered(3), { batch_size = math.maxinteger })
    assert.equal(1, #whole)
    assert.same({ { 1, 2, 3 } }, epoch(whole))
    assert.equal(0, #data.DataLoader(numbered(3), { batch_size = math.maxinteger, drop_last = true }))
  end)

  it("shuffles anew each epoch, from the state's generator or its own seed", function()
    local loader = data.DataLoader(numbered(50), { batch_size = 8, shuffle = true })
    perilune.manual_seed(1)
    local one, two = epoch(loader), epoch(loader)
    perilune.manual_seed(1)
    assert.same(one, epoch(loader))
    assert.not_same(flat(one), flat(two))
    local all = flat(two)
    table.sort(all)
    for i = 1, 50 do assert.equal(i, all[i]) end
    local a = data.DataLoader(numbered(50), { shuffle = true, seed = 3 })
    local b = data.DataLoader(numbered(50), { shuffle = true, seed = 3 })
    local first = epoch(a)
    perilune.rand(5)
    assert.same(first, epoch(b))
    assert.not_same(first, epoch(b))
  end)

  it("makes scaled float32 batches of uint8, samples innermost", function()
    local images = perilune.full({ 20, 1, 3, 3 }, 51, { dtype = "uint8" })
    local set = data.TensorDataset(images, perilune.arange(1, 20), { scale = 1 / 255 })
    for x, y in data.DataLoader(set, { batch_size = 16 }):iter() do
      assert.equal("float32", x.dtype)
      assert.equal("int64", y.dtype)
      assert.is_true((x - 0.2):abs():max():item() < 1e-7)
      assert.equal(x.shape[1] == 16, x:is_lanes())
    end
    for x in data.DataLoader(set, { batch_size = 16, lanes = false }):iter() do assert.is_true(x:is_contiguous()) end
  end)

  it("applies a transform to each batch", function()
    local function transform(x, y) return x * 10, y, "more" end
    local loader = data.DataLoader(numbered(4), { batch_size = 2, transform = transform })
    for x, y, more in loader:iter() do
      assert.equal(y:totable()[1] * 10, x:totable()[1][1])
      assert.equal("more", more)
    end
  end)

  it("stacks what data sets of one's own return", function()
    local set = setmetatable({}, { __len = function() return 5 end })
    function set.get(_, i) return perilune.full({ 2 }, i + 0.5), i, i * 0.5 end
    local seen = {}
    for x, y, z in data.DataLoader(set, { batch_size = 3 }):iter() do
      seen[#seen + 1] = { x.shape, x.dtype, y:totable(), y.dtype, z:totable(), z.dtype }
    end
    assert.same({ { { 3, 2 }, "float32", { 1, 2, 3 }, "int64", { 0.5, 1, 1.5 }, "float32" },
      { { 2, 2 }, "float32", { 4, 5 }, "int64", { 2, 2.5 }, "float32" } }, seen)
    function set.get() return "x" end
    raises("get(i) must return tensors or numbers, got \"", function()
      for _ in data.DataLoader(set):iter() do end   -- luacheck: ignore 542
    end)
  end)

  it("makes float batches if one number is a float, and names a sample that does not fit", function()
    local rows = { { 1 }, { 2.5 }, { 3 } }
    local set = setmetatable({}, { __len = function() return #rows end })
    function set.get(_, i) return table.unpack(rows[i], 1, rows[i].n) end
    local loader = data.DataLoader(set, { batch_size = 3 })
    local x = loader:iter()()
    assert.same({ "float32", { 1, 2.5, 3 } }, { x.dtype, x:totable() })
    local function fails(text)
      raises(text, function() loader:iter()() end)
      assert.equal(0, loader.position)
    end
    rows = { { 1, 2 }, { 1 }, { 1, 2 } }
    fails("DataLoader: sample 2 has 1 values but sample 1 has 2")
    rows = { { 1 }, { 1 }, { 1, 2 } }
    fails("DataLoader: sample 3 has 2 values but sample 1 has 1")
    rows = { { 1, 2 }, { nil, 2, n = 2 } }
    fails("DataLoader: value 1 of sample 2 is nil")
    rows = { {} }
    fails("DataLoader: sample 1 has 0 values: get(i) returned nothing")
    rows = { { 1 }, { "x" } }
    fails("get(i) must return tensors or numbers, got \"x\" for sample 2")
  end)

  it("refuses a transform that returns nothing and a data set without get", function()
    local loader = data.DataLoader(numbered(4), { batch_size = 2, transform = function() end })
    raises("DataLoader: transform must return the batch, got nil", function() loader:iter()() end)
    assert.equal(0, loader.position)
    raises("DataLoader: the data set has no get(i)", data.DataLoader, { 1, 2, 3 })
  end)

  it("goes on in the middle of an epoch", function()
    local options = { batch_size = 3, shuffle = true, seed = 9 }
    local whole = epoch(data.DataLoader(numbered(20), options))
    local loader = data.DataLoader(numbered(20), options)
    local head, n = {}, 0
    for _, y in loader:iter() do
      n = n + 1
      head[n] = y:totable()
      if n == 2 then break end
    end
    local saved = perilune.state.unflatten(perilune.state.flatten(loader:state_dict()))
    local other = data.DataLoader(numbered(20), options)
    other:load_state_dict(saved)
    local rest = epoch(other)
    assert.equal(#whole - 2, #rest)
    for i, batch in ipairs(rest) do head[2 + i] = batch end
    assert.same(whole, head)
    local reference = data.DataLoader(numbered(20), options)
    epoch(reference)
    assert.same(epoch(reference), epoch(other))
    raises("this is not the state of a loader", other.load_state_dict, other, {})
    raises("the order is not that of a data set of 19 samples", data.DataLoader(numbered(19)).load_state_dict,
      data.DataLoader(numbered(19)), saved)
  end)

  it("refuses bad arguments", function()
    raises("DataLoader: a data set is needed", data.DataLoader, 3)
    raises("DataLoader: a data set is needed", data.DataLoader, perilune.ones(3))
    raises("DataLoader: unknown option 'batchsize'; known: batch_size", data.DataLoader, numbered(3), { batchsize = 2 })
    raises("DataLoader: batch_size must be an integer of at least 1, got 0", data.DataLoader, numbered(3),
      { batch_size = 0 })
  end)
end)
