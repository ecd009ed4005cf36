local perilune = require "perilune"
local behaviour = require "support.behaviour"
local nn = perilune.nn

local function raises(text, f, ...)
  local fine, message = pcall(f, ...)
  assert.is_false(fine, "no error")
  assert.matches(text, message, 1, true)
  return message
end

local function names_of(iterator)
  local names = {}
  for name in iterator do names[#names + 1] = name end
  return names
end

local function keys_of(dict)
  local keys = {}
  for key in pairs(dict) do keys[#keys + 1] = key end
  return keys
end

local Block = nn.Module:extend("Block")

function Block:init(width)
  self.inner = nn.Linear(width, width)
  self.scale = nn.Parameter(perilune.ones(width))
  self:register_buffer("seen", perilune.zeros(1))
  self:register_buffer("scratch", perilune.zeros(2), { persistent = false })
  self.width = width
  self.plain = perilune.ones(3)
end

function Block:forward(x) return self.inner(x) * self.scale end

local Net = nn.Module:extend("Net")

function Net:init()
  self.second = Block(3)
  self.first = nn.Sequential { nn.Linear(3, 2), nn.ReLU() }
  self.offset = nn.Parameter(perilune.zeros(2))
end

function Net:forward(x) return self.first(self.second(x)) + self.offset end

describe("nn.Module", function()
  it("constructs by a call and computes by a call", function()
    local net = Net()
    assert.same({ 4, 2 }, net(perilune.ones(4, 3)).shape)
    assert.is_true(nn.Module.is_module(net))
    assert.is_false(nn.Module.is_module(Net))
    assert.is_false(nn.Module.is_module(perilune.ones(1)))
    raises("Empty: forward is not defined", nn.Module:extend("Empty")())
  end)

  it("finds parameters, buffers and children in PyTorch's order", function()
    local net = Net()
    assert.same({ "offset", "second.scale", "second.inner.weight", "second.inner.bias", "first.0.weight",
      "first.0.bias" }, names_of(net:named_parameters()))
    assert.equal(6, #net:parameters())
    assert.same({ "second.seen", "second.scratch" }, names_of(net:named_buffers()))
    assert.same({ "", "second", "second.inner", "first", "first.0", "first.1" }, names_of(net:named_modules()))
    assert.same({ "second", "first" }, names_of(net:named_children()))
    assert.equal(net.first, net:children()[2])
    assert.same({ "offset", "second.scale", "second.seen", "second.inner.weight", "second.inner.bias",
      "first.0.weight", "first.0.bias" }, keys_of(net:state_dict()))
  end)

  it("counts a shared parameter or module once", function()
    local net = nn.Module:extend("Tied")()
    net.a = nn.Linear(2, 2)
    net.b = net.a
    net.weight = net.a.weight
    assert.equal(2, #net:parameters())
    assert.same({ "weight", "a.bias" }, names_of(net:named_parameters()))
    assert.equal(5, #keys_of(net:state_dict()))
  end)

  it("follows later assignments", function()
    local net = Net()
    net.first[1] = nn.Linear(3, 2, { bias = false })
    net.offset = nil
    assert.same({ "second.scale", "second.inner.weight", "second.inner.bias", "first.0.weight" },
      names_of(net:named_parameters()))
  end)

  it("inherits", function()
    local Wide = Net:extend("Wide")
    function Wide:forward(x) return Net.forward(self, x) * 2 end
    local net = Wide()
    assert.same({ 1, 2 }, net(perilune.ones(1, 3)).shape)
    assert.matches("^Wide%(", tostring(net))
    assert.equal("nn.Wide", tostring(Wide))
  end)

  it("switches modes and gradients", function()
    local net = Net()
    assert.is_true(net.training)
    assert.equal(net, net:eval())
    assert.is_false(net.first[2].training)
    net:train()
    assert.is_true(net.second.inner.training)
    net:requires_grad_(false)
    for _, tensor in ipairs(net:parameters()) do assert.is_false(tensor.requires_grad) end
    net:requires_grad_()
    net(perilune.ones(2, 3)):sum():backward()
    assert.is_not_nil(net.offset.grad)
    net:zero_grad()
    assert.is_nil(net.offset.grad)
  end)

  it("applies a function from the leaves up", function()
    local seen = {}
    Net():apply(function(module) seen[#seen + 1] = module.class_name end)
    assert.same({ "Linear", "Block", "Linear", "ReLU", "Sequential", "Net" }, seen)
  end)

  it("converts to another dtype", function()
    local net = Net()
    net.tied = net.offset
    net:requires_grad_(false)
    assert.equal(net, net:to("float64"))
    for _, tensor in ipairs(net:parameters()) do
      assert.equal("float64", tensor.dtype)
      assert.is_false(tensor.requires_grad)
    end
    assert.equal(net.tied, net.offset)
    assert.equal("float64", net.second.seen.dtype)
    assert.equal("float64", net(perilune.ones({ 1, 3 }, { dtype = "float64" })).dtype)
    raises("Module:to: dtype must be one of float32, float64", net.to, net, "int64")
  end)

  it("converts parameters in place: an optimizer goes on", function()
    local recorded = behaviour.converted
    local net = nn.Linear(3, 2)
    net.weight:detach():copy_(perilune.tensor(recorded.before.weight))
    net.bias:detach():copy_(perilune.tensor(recorded.before.bias))
    local weight, optimizer = net.weight, perilune.optim.Adam(net:parameters(), { lr = 0.1 })
    net(perilune.ones(1, 3)):sum():backward()
    local stale = net(perilune.ones(1, 3)):sum()
    net:to("float64")
    assert.is_true(rawequal(weight, net.weight))
    assert.same({ "float64", "float64" }, { weight.dtype, weight.grad.dtype })
    assert.same({ { 1, 1, 1 }, { 1, 1, 1 } }, weight.grad:totable())
    raises("a tensor was float32 when this was recorded and is float64 now", stale.backward, stale)
    local x = perilune.tensor(recorded.x, { dtype = "float64" })
    for _ = 1, 3 do
      optimizer:zero_grad()
      net(x):pow(2):mean():backward()
      optimizer:step()
    end
    for name, values in pairs(recorded.after) do
      local expected = perilune.tensor(values, { dtype = "float64" })
      assert.is_true(perilune.allclose(net[name]:detach(), expected, { rtol = 1e-12, atol = 1e-12 }), name)
    end
    net:to("float32")
    raises("adam: parameter 1 is float32 but its exp_avg is float64", function()
      net(perilune.ones(1, 3)):sum():backward()
      optimizer:step()
    end)
  end)

  it("refuses parameters that cannot be trained", function()
    raises("Parameter: a tensor is needed, got a number", nn.Parameter, 3)
    raises("must be float32 or float64, got int64", nn.Parameter, perilune.arange(1, 3))
    local computed = nn.Parameter(perilune.ones(2, { requires_grad = true }) * 2)
    assert.is_true(computed.is_leaf)
    assert.is_false(nn.Parameter(perilune.ones(1), { requires_grad = false }).requires_grad)
  end)
end)

describe("state_dict", function()
  it("shares memory and has no gradient", function()
    local net = Net()
    local dict = net:state_dict()
    assert.is_false(dict.offset.requires_grad)
    dict.offset:fill_(7)
    assert.equal(7, net.offset[1]:item())
  end)

  it("goes from one module to another", function()
    local from, to = Net(), Net()
    from.second.seen:fill_(5)
    assert.same({ missing = {}, unexpected = {} }, to:load_state_dict(from:state_dict()))
    for name, tensor in pairs(from:state_dict()) do
      assert.same(tensor:totable(), to:state_dict()[name]:totable())
    end
    assert.is_true(to.offset.requires_grad)
  end)

  it("says what is missing, unexpected or of the wrong shape, and then changes nothing", function()
    local net = Net()
    local before = net.offset:totable()
    local message = raises("load_state_dict: the table does not fit Net", net.load_state_dict, net, {
      offset = perilune.ones(2) * 3, extra = perilune.ones(1), ["second.scale"] = perilune.ones(4),
      ["second.seen"] = 3 })
    assert.matches("missing: second.inner.weight, second.inner.bias, first.0.weight, first.0.bias", message, 1, true)
    assert.matches("unexpected: extra", message, 1, true)
    assert.matches("second.scale is (4) in the table but (3) in the module", message, 1, true)
    assert.matches("second.seen is a number, not a tensor", message, 1, true)
    assert.same(before, net.offset:totable())
  end)

  it("takes what fits when it is not strict", function()
    local net = Net()
    local told = net:load_state_dict({ offset = perilune.ones(2) * 3, extra = perilune.ones(1) }, { strict = false })
    assert.same({ "extra" }, told.unexpected)
    assert.equal(6, #told.missing)
    assert.same({ 3, 3 }, net.offset:totable())
    raises("wrong: offset is (3)", net.load_state_dict, net, { offset = perilune.ones(3) }, { strict = false })
    raises("unknown option 'strick'", net.load_state_dict, net, {}, { strick = false })
  end)
end)

describe("weights from a file", function()
  local path

  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  it("are loaded where load's results are the arguments, with metadata or without", function()
    for _, metadata in ipairs { { epoch = "3" }, {} } do
      local from, to = Net(), Net()
      from.offset:detach():fill_(7)
      assert(perilune.save(path, from:state_dict(), { metadata = metadata }))
      assert.same({ missing = {}, unexpected = {} }, to:load_state_dict(perilune.load(path)))
      assert.equal(7, to.offset[1]:item())
      local third = Net()
      assert.equal(third, third:load_from_checkpoint(path))
      assert.equal(7, third.offset[1]:item())
    end
    raises("unknown option 'epoch'", Net().load_state_dict, Net(), Net():state_dict(), { epoch = "3" })
  end)

  it("that is not there, or is none, is told of", function()
    local net = Net()
    os.remove(path)
    raises("load_state_dict: cannot open '" .. path .. "'", net.load_state_dict, net, perilune.load(path))
    local message = raises("load_from_checkpoint: cannot open '" .. path .. "'", net.load_from_checkpoint, net, path)
    assert.matches("No such file", message)
    raises("load_from_checkpoint: make the module first", Net.load_from_checkpoint, Net, path)
    raises("load_from_checkpoint: make the module first", Net.load_from_checkpoint, path)
    raises("the path must be a string, got nil", net.load_from_checkpoint, net)
    raises("load_state_dict: a table of tensors is needed, got nil", net.load_state_dict, net)
    assert(perilune.save(path, { extra = perilune.ones(1) }))
    raises("unexpected: extra", net.load_from_checkpoint, net, path)
    assert.equal(net, net:load_from_checkpoint(path, { strict = false }))
  end)

  it("leave no tensors behind", function()
    local net = Net()
    assert(perilune.save(path, net:state_dict()))
    collectgarbage()
    local before = perilune.memory().live_bytes
    collectgarbage("stop")
    net:load_from_checkpoint(path)
    collectgarbage("restart")
    assert.equal(before, perilune.memory().live_bytes)
  end)
end)

describe("hooks", function()
  it("see and may replace input and output", function()
    local net = nn.Linear(2, 2, { bias = false })
    net.weight:detach():copy_(perilune.eye(2))
    local seen = {}
    local before = net:register_forward_pre_hook(function(module, x)
      seen[#seen + 1] = module.class_name
      return x * 2
    end)
    local after = net:register_forward_hook(function(_, arguments, y)
      seen[#seen + 1] = arguments[1].shape[1]
      return y + 1
    end)
    assert.same({ { 3, 5 } }, net(perilune.tensor { { 1.0, 2.0 } }):totable())
    assert.same({ "Linear", 1 }, seen)
    before.remove()
    assert.same({ { 2, 3 } }, net(perilune.tensor { { 1.0, 2.0 } }):totable())
    after.remove()
    after.remove()
    assert.same({ { 1, 2 } }, net(perilune.tensor { { 1.0, 2.0 } }):totable())
    assert.is_false(net._hooks)
    raises("a hook must be a function", net.register_forward_hook, net, 3)
  end)
end)

describe("text", function()
  it("looks as PyTorch's", function()
    assert.equal([[
Net(
  (second): Block(
    (inner): Linear(in_features=3, out_features=3, bias=true)
  )
  (first): Sequential(
    (0): Linear(in_features=3, out_features=2, bias=true)
    (1): ReLU()
  )
)]], tostring(Net()))
  end)

  it("summarises layers", function()
    local model = nn.Sequential { nn.Conv2d(1, 8, 3, { stride = 2, padding = 2 }), nn.ReLU(), nn.Dropout(0.5),
      nn.Flatten(), nn.Linear(1800, 10) }
    model:train()
    local summary = model:summary { 2, 1, 28, 28 }
    assert.equal(80 + 18010, summary.parameters)
    assert.equal(2 * 8 * 15 * 15 * 9 + 2 * 18000, summary.multiply_adds)
    assert.equal("(2, 8, 15, 15)", summary.rows[1].shape)
    assert.equal(5, #summary.rows)
    assert.matches("0 Conv2d +%(2, 8, 15, 15%) +80 +32,400", tostring(summary))
    assert.is_true(model[3].training)
    assert.is_false(model[1]._hooks)
    raises("summary: the module does not take this input", model.summary, model, { 2, 3, 28, 28 })
    assert.is_false(model[1]._hooks)
  end)
end)

describe("a module's fields", function()
  it("notice a plain tensor in the place of a parameter", function()
    local function refuses(module)
      for _, name in ipairs { "parameters", "state_dict" } do
        local fine, message = pcall(module[name], module)
        assert.is_false(fine)
        assert.matches("Linear: weight was a parameter and is a plain tensor now; assign nn.Parameter(t)", message, 1, true)
      end
    end
    local layer = nn.Linear(2, 2)
    layer.weight = perilune.ones(2, 2)
    refuses(layer)
    for value, shown in pairs { [3] = "3", w = '"w"', [true] = "true", [{}] = "a table" } do
      layer.weight = value
      for _, name in ipairs { "parameters", "state_dict", "named_parameters" } do
        raises("Linear: weight was a parameter and is " .. shown .. " now; assign nn.Parameter(t)", layer[name], layer)
      end
    end
    layer.weight = nn.ReLU()   -- a module there is one to see
    assert.equal(1, #layer:parameters())
    layer.weight = nn.Parameter(perilune.ones(2, 2))
    assert.equal(2, #layer:parameters())
    local late = nn.Linear(2, 2, { bias = false })
    late.bias = perilune.zeros(2)   -- was none, so it may be a tensor
    assert.equal(1, #late:parameters())
    late.bias = nn.Parameter(perilune.zeros(2))
    assert.equal(2, #late:parameters())
    late.bias = nil
    assert.equal(1, #late:parameters())
    late:register_buffer("weight", perilune.ones(2, 2))
    assert.equal(0, #late:parameters())
  end)
end)
