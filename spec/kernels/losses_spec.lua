-- What the generic spec cannot ask of losses and embedding: labels out of range, extreme values, ignored samples.
local core = require "perilune.core"
local perilune = require "perilune"

local ops = core.ops

local function refused(needle, f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  assert.truthy(tostring(message):find(needle, 1, true), message)
end

local function labels(list) return perilune.tensor(list, { dtype = "int64" }) end

describe("losses", function()
  it("name a label that is out of range, and where it is", function()
    local x = perilune.randn(4, 3)
    for _, name in ipairs { "cross_entropy", "nll_loss" } do
      refused(name .. ": target 4 at position 3 is not in 1 .. 3", ops[name], x, labels { 1, 2, 4, 1 })
      refused(name .. ": target 0 at position 1 is not in 1 .. 3", ops[name], x, labels { 0, 2, 1, 1 })
      refused("target is float32", ops[name], x, perilune.ones(4))
      refused("input is (4, 3) but target is (3)", ops[name], x, labels { 1, 2, 1 })
      refused("weight is float32 (2)", ops[name], x, labels { 1, 2, 1, 3 }, perilune.ones(2))
      refused("weight requires a gradient", ops[name], x:clone():requires_grad_(true), labels { 1, 2, 1, 3 },
              perilune.ones(3):requires_grad_(true))
    end
    refused("index 6 at position 2 is not in 1 .. 5", ops.embedding, labels { 1, 6 }, perilune.ones(5, 2))
  end)

  it("want operands of one shape", function()
    for _, name in ipairs { "mse_loss", "l1_loss", "smooth_l1_loss", "binary_cross_entropy", "kl_div" } do
      refused(name .. ": input is (2, 3) but target is (3, 2)", ops[name], perilune.zeros(2, 3), perilune.zeros(3, 2))
    end
    refused("beta is -1", ops.smooth_l1_loss, perilune.ones(2), perilune.ones(2), { beta = -1 })
    refused("every element of input must lie in [0, 1]", ops.binary_cross_entropy, perilune.tensor { 0.5, 1.5 },
            perilune.zeros(2))
  end)

  it("bound the logarithms of binary_cross_entropy at -100", function()
    local x = perilune.tensor { 0.0, 1.0, 0.0, 1.0 }
    local y = ops.binary_cross_entropy(x, perilune.tensor { 1.0, 0.0, 0.0, 1.0 }, { reduction = "none" })
    assert.same({ 100.0, 100.0, 0.0, 0.0 }, y:totable())
  end)

  it("stay finite for large logits", function()
    local x = perilune.tensor { 1000.0, -1000.0 }:requires_grad_(true)
    local y = ops.binary_cross_entropy_with_logits(x, perilune.tensor { 0.0, 0.0 }, { reduction = "sum" })
    y:backward()
    assert.equal(1000.0, y:item())
    assert.same({ 1.0, 0.0 }, x.grad:totable())
    local z = perilune.tensor { { 1000.0, -1000.0, 0.0 } }:requires_grad_(true)
    local loss = ops.cross_entropy(z, labels { 2 })
    loss:backward()
    assert.equal(2000.0, loss:item())
    assert.same({ { 1.0, -1.0, 0.0 } }, z.grad:totable())
  end)

  it("give ignored samples no gradient, whatever their scores", function()
    local x = perilune.tensor { { 0 / 0, 1 }, { 2, 2 } }:requires_grad_(true)
    local loss = ops.cross_entropy(x, labels { -100, 1 })
    loss:backward()
    assert.is_true(math.abs(loss:item() - math.log(2)) < 1e-6)
    assert.same({ { 0.0, 0.0 }, { -0.5, 0.5 } }, x.grad:totable())
    local none = ops.cross_entropy(x:detach(), labels { -100, -100 }):item()
    assert.is_true(none ~= none)
  end)

  it("do not read the padding of the lanes", function()
    local x, t = perilune.full({ 2, 3, 16 }, 0 / 0), perilune.full({ 2, 3, 16 }, 0 / 0)
    x:narrow(3, 1, 11):fill_(3)
    t:narrow(3, 1, 11):fill_(1)
    local a, b = x:permute { 3, 1, 2 }:narrow(1, 1, 11), t:permute { 3, 1, 2 }:narrow(1, 1, 11)
    assert.equal(4.0, ops.mse_loss(a, b):item())
  end)

  it("give padding_idx no gradient", function()
    local weight = perilune.ones(3, 2):requires_grad_(true)
    local y = ops.embedding(labels { 2, 1, 2 }, weight, { padding_idx = 2 })
    y:backward(perilune.ones(3, 2))
    assert.same({ { 1.0, 1.0 }, { 0.0, 0.0 }, { 0.0, 0.0 } }, weight.grad:totable())
  end)
end)
