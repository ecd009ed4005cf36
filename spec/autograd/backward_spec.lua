local perilune = require "perilune"

local release = require("perilune.core").release

local function leaf(values) return perilune.tensor(values, { dtype = "float64", requires_grad = true }) end

local function message_of(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return message
end

describe("backward", function()
  it("gives leaves their gradients and adds up on every call", function()
    local x = leaf { 1.0, 2, 3 }
    ;(x * x):sum():backward()
    assert.are.same({ 2, 4, 6 }, x.grad:totable())
    ;(x * 10):sum():backward()
    assert.are.same({ 12, 14, 16 }, x.grad:totable())
    x.grad = nil
    assert.is_nil(x.grad)
  end)

  it("adds the paths that meet in one tensor", function()
    local x = leaf { 2.0 }
    local y = x * 3
    local z = y * y + y * 5 + x
    z:backward()
    -- z = 9x^2 + 15x + x
    assert.are.equal(18 * 2 + 16, x.grad:item())
  end)

  it("takes a gradient for what has more than one element", function()
    local x = leaf { 1.0, 2 }
    local y = x * x
    assert.matches("a gradient must be given", message_of(y.backward, y))
    y:backward(perilune.tensor({ 1.0, 10 }, { dtype = "float64" }))
    assert.are.same({ 2, 40 }, x.grad:totable())
    local z = x * 2
    assert.matches("the gradient is %(3%)", message_of(z.backward, z, perilune.ones(3, { dtype = "float64" })))
    assert.matches("float32 but the tensor is", message_of(z.backward, z, perilune.ones(2)))
  end)

  it("frees the graph at once, unless it is retained", function()
    local x = leaf { 1.0, 2 }
    local y = (x * x):sum()
    y:backward(nil, { retain_graph = true })
    y:backward()
    assert.are.same({ 4, 8 }, x.grad:totable())
    assert.matches("retain_graph = true", message_of(y.backward, y))
    assert.are.same({ 4, 8 }, x.grad:totable())
    assert.matches("not supported", message_of(y.backward, y, nil, { create_graph = true }))
    assert.matches("unknown option 'retain'", message_of(y.backward, y, nil, { retain = true }))
  end)

  it("gives memory back during the walk, without the collector", function()
    collectgarbage()
    collectgarbage("stop")
    local x = perilune.randn(1000, { requires_grad = true })
    local y = x
    for _ = 1, 50 do
      local scaled = y * 1.01
      local next_y = scaled:sin()
      release(scaled)
      if y ~= x then release(y) end
      y = next_y
    end
    local held = perilune.memory().live_bytes
    y:sum():backward()
    local after = perilune.memory().live_bytes
    collectgarbage("restart")
    assert.is_true(held - after > 50 * 4000, held - after)
  end)

  it("walks graphs that are deeper than any C stack", function()
    local x = perilune.ones(1, { requires_grad = true })
    local y = x
    for _ = 1, 200000 do y = y + 1 end
    y:backward()
    assert.are.equal(1.0, x.grad:item())
    local z = x
    for _ = 1, 200000 do z = z + 1 end
    z = nil -- luacheck: ignore
    collectgarbage()
  end)

  it("says so when there is nothing to do", function()
    local x = perilune.ones(1)
    assert.matches("does not require a gradient", message_of(x.backward, x))
    assert.matches("only float32 and float64", message_of(perilune.ones, 1, { dtype = "int64", requires_grad = true }))
  end)

  it("reaches tensors through views and broadcasts", function()
    local x = leaf { { 1.0, 2, 3 }, { 4, 5, 6 } }
    local b = leaf { 1.0, 1, 1 }
    ;(x[{ {}, { 2, 3 } }]:t() * 2):sum():backward()
    assert.are.same({ { 0, 2, 2 }, { 0, 2, 2 } }, x.grad:totable())
    ;(x * b):sum():backward()
    assert.are.same({ 5, 7, 9 }, b.grad:totable())
  end)

  it("does not record inside no_grad, nor after detach, also after an error", function()
    local x = leaf { 1.0 }
    local y = perilune.no_grad(function() return x * 2 end)
    assert.is_false(y.requires_grad)
    assert.is_false(pcall(perilune.no_grad, error))
    assert.is_true((x * 2).requires_grad)
    assert.is_false(x:detach().requires_grad)
    assert.is_true(perilune.no_grad(function() return perilune.enable_grad(function() return x * 2 end) end).requires_grad)
    assert.is_true(perilune.is_grad_enabled())
  end)

  it("passes integer results by", function()
    local x = leaf { 3.0, 1, 2 }
    local values, order = x:sort()
    assert.is_true(values.requires_grad)
    assert.is_false(order.requires_grad)
    values[1]:backward()
    assert.are.same({ 0, 1, 0 }, x.grad:totable())
  end)
end)

describe("no_grad", function()
  it("cannot be left by a yield, which would switch recording off for everybody", function()
    local thread = coroutine.create(function() perilune.no_grad(coroutine.yield) end)
    local ok, message = coroutine.resume(thread)
    assert.is_false(ok)
    assert.matches("yield across", message)
    assert.is_true(perilune.is_grad_enabled())
  end)

  it("says what it wants", function()
    assert.matches("no_grad: give it a function", message_of(perilune.no_grad))
    assert.are.same({ 1, nil, 3 }, { perilune.no_grad(function(...) return ... end, 1, nil, 3) })
  end)
end)

describe("grad", function()
  it("returns gradients of leaves and of results on the way, and leaves .grad alone", function()
    local x, w = leaf { 2.0 }, leaf { 5.0 }
    local y = x * w
    local z = y * y
    local dx, dy, dw = perilune.grad(z, { x, y, w })
    assert.are.equal(2 * 10 * 5, dx:item())
    assert.are.equal(20, dy:item())
    assert.are.equal(40, dw:item())
    assert.is_nil(x.grad)
  end)

  it("gives nil where there is no path, and takes output gradients", function()
    local x, other = leaf { 2.0, 3 }, leaf { 1.0 }
    local y = x * x
    local given = { grad_outputs = { perilune.tensor({ 1.0, 2 }, { dtype = "float64" }) }, retain_graph = true }
    assert.matches("backward_spec.lua:%d+: grad: input 2 was not used for the outputs; { allow_unused = true } gives nil",
      message_of(perilune.grad, { y }, { x, other }, given))
    given.allow_unused = true
    local dx, none = perilune.grad({ y }, { x, other }, given)
    assert.are.same({ 4, 12 }, dx:totable())
    assert.is_nil(none)
    assert.is_not_nil(given.grad_outputs)
    assert.matches("unknown option 'allow'", message_of(perilune.grad, { y }, { x }, { allow = true }))
    assert.matches("input 1 does not require", message_of(perilune.grad, y, perilune.zeros(1)))
  end)
end)

describe("writing in place", function()
  it("is refused where the tape would get it wrong", function()
    local x = leaf { 1.0, 2 }
    assert.matches("a leaf that requires a gradient", message_of(function() x:mul_(2) end))
    assert.matches("cannot be recorded", message_of(function() x[1] = 3 end))
    perilune.no_grad(function() x:mul_(2) end)
    assert.are.same({ 2, 4 }, x:totable())
    local y = x * 1
    assert.matches("a view on the tape", message_of(function() y[1]:mul_(2) end))
    local z = y * y
    y:add_(1)
    assert.matches("mul needs was changed in place", message_of(function() z:sum():backward() end))
  end)

  it("is recorded where it is right", function()
    local x = leaf { 1.0, 2 }
    local y = x * 3
    y:add_(1):mul_(2)
    y:sum():backward()
    assert.are.same({ 8, 14 }, y:totable())
    assert.are.same({ 6, 6 }, x.grad:totable())
    local sum = perilune.zeros(2, { dtype = "float64" })
    sum:add_(x * 5)
    assert.is_true(sum.requires_grad)
    sum:sum():backward()
    assert.are.same({ 11, 11 }, x.grad:totable())
  end)

  it("notices a view of what was overwritten", function()
    local x = leaf { 1.0, 2 }
    local y = x * 1
    local view = y[1]
    y:mul_(2)
    assert.matches("select needs was changed in place", message_of(function() view:backward() end))
  end)

  it("leaves the tensor as it was when it fails", function()
    local x = perilune.tensor { 1, 2 }
    assert.matches("cannot be kept in a int64", message_of(function() x:add_(0.5) end))
    assert.matches("the result is %(3, 2%)", message_of(function() x:add_(perilune.ones(3, 2, { dtype = "int64" })) end))
    assert.are.same({ 1, 2 }, x:totable())
  end)
end)

describe("hooks", function()
  it("see and replace gradients of leaves and of results on the way", function()
    local x = leaf { 1.0, 2 }
    local seen
    local y = x * 3
    y:register_hook(function(g) seen = g:totable() end)
    local id = x:register_hook(function(g) return g * 10 end)
    y:sum():backward()
    assert.are.same({ 1, 1 }, seen)
    assert.are.same({ 30, 30 }, x.grad:totable())
    x:remove_hook(id)
    x.grad = nil
    ;(x * 3):sum():backward()
    assert.are.same({ 3, 3 }, x.grad:totable())
  end)

  it("pass their errors on and leave gradients as they were", function()
    local x = leaf { 1.0 }
    local y = x * 3
    y:register_hook(function() error("from the hook", 0) end)
    assert.are.equal("from the hook", message_of(y.backward, y))
    assert.is_nil(x.grad)
    local z = x * 3
    local number = leaf { 1.0 }
    number:register_hook(function() return 5 end)
    assert.matches("hook: it must return the new gradient or nothing, not a number",
      message_of(function() number:sum():backward() end))
    assert.is_nil(number.grad)
    z:register_hook(function() return perilune.ones(2) end)
    assert.matches("the new gradient is %(2%)", message_of(z.backward, z))
    assert.matches("does not require", message_of(function() perilune.ones(1):register_hook(print) end))
  end)

  it("may call into another graph, but not into the one that is walked", function()
    local x = leaf { 1.0 }
    local y = x * 3
    local inner = leaf { 2.0 }
    -- As in PyTorch, hooks do not record unless they say so.
    y:register_hook(function() perilune.enable_grad(function() (inner * 4):backward() end) end)
    y:backward()
    assert.are.equal(4, inner.grad:item())
    local z = x * 3
    z:register_hook(function() z:backward() end)
    assert.matches("already under way", message_of(z.backward, z))
  end)
end)

describe("an operation written in Lua", function()
  local cube = perilune.autograd.define {
    name = "cube",
    forward = function(ctx, x, scale)
      ctx:save_for_backward(x)
      ctx.scale = scale
      return x * x * x * scale
    end,
    backward = function(ctx, dy)
      local x = ctx.saved[1]
      return dy * x * x * 3 * ctx.scale
    end,
  }

  it("has the gradient that it says", function()
    local x = leaf { 1.0, 2 }
    local y = cube(x, 2)
    assert.are.same({ 2, 16 }, y:totable())
    assert.are.equal("cube", y.grad_fn)
    y:sum():backward()
    assert.are.same({ 6, 24 }, x.grad:totable())
    assert.is_false(cube(perilune.ones(1), 1).requires_grad)
  end)

  it("works inside a coroutine, and its mistakes are named", function()
    local x = leaf { 3.0 }
    coroutine.wrap(function() cube(x, 1):backward() end)()
    assert.are.equal(27, x.grad:item())
    local wrong = perilune.autograd.define { name = "wrong", forward = function(_, t) return t * 1 end, backward = function() end }
    assert.matches("wrong: its backward must return a tensor for input 1", message_of(function() wrong(x):backward() end))
    local bent = perilune.autograd.define {
      name = "bent", forward = function(_, t) return t * 1 end, backward = function() return perilune.ones(2, { dtype = "float64" }) end,
    }
    assert.matches("bent: its backward gave a gradient %(2%)", message_of(function() bent(x):backward() end))
    assert.matches("autograd.define: a table is needed", message_of(perilune.autograd.define))
    assert.matches("unknown option 'forwards'", message_of(perilune.autograd.define, { name = "x", forwards = 1 }))
  end)

  it("notices that what it saved was changed in place", function()
    local x = leaf { 1.0, 2 }
    local inner = x * 1
    local y = cube(inner, 1)
    perilune.no_grad(function() inner:mul_(10) end)
    assert.matches("cube needs was changed in place", message_of(function() y:sum():backward() end))
  end)

  it("lets go of its closure with the graph", function()
    local alive = setmetatable({}, { __mode = "v" })
    do
      local big = {}
      alive[1] = big
      local op = perilune.autograd.define {
        name = "holds", forward = function(_, t) return t * 1 end, backward = function(_, dy) return big and dy end,
      }
      local x = leaf { 1.0 }
      op(x):backward()
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(alive[1])
  end)
end)

describe("anomaly mode", function()
  it("names the operation that first makes a NaN, forward and backward", function()
    local x = leaf { -1.0 }
    perilune.detect_anomaly(function()
      assert.matches("sqrt: the result has a NaN", message_of(function() return (x * 2):sqrt() * 3 end))
    end)
    local zero = leaf { 0.0 }
    perilune.detect_anomaly(function()
      assert.matches("sqrt: its backward made a NaN", message_of(function() (zero:sqrt() * 0):backward() end))
    end)
    assert.are_not.equal(1, x:sqrt():item())
  end)
end)

describe("backward", function()
  it("says what the gradient must be", function()
    local x = perilune.ones(1, { requires_grad = true })
    for _, wrong in ipairs { "x", 5 } do
      assert.error_matches(function() x:backward(wrong) end, "backward: the gradient must be a tensor, not " .. type(wrong))
    end
  end)
end)
