local perilune = require "perilune"
local core = require "perilune.core"

local function live() return perilune.memory().live_bytes end

describe("memory", function()
  it("comes back when the last tensor goes", function()
    collectgarbage()
    local before = perilune.memory()
    do
      local t = perilune.zeros(1000)
      local view = t[{ { 10, 20 } }]
      t = nil -- luacheck: ignore
      collectgarbage()
      assert.is_true(live() > before.live_bytes + 3900)
      view = nil -- luacheck: ignore
    end
    collectgarbage()
    assert.are.equal(before.live_bytes, live())
    assert.are.equal(before.tensors, perilune.memory().tensors)
  end)

  it("is given back at the end of a scope, also on an error", function()
    collectgarbage()
    local before, kept, freed = live(), nil, nil
    pcall(function()
      local scope <close> = perilune.scope()
      freed = perilune.zeros(1000)
      kept = scope:keep(perilune.ones(10))
      error("stop")
    end)
    assert.is_true(live() < before + 1000)
    assert.are.equal(1.0, kept[10]:item())
    local ok, message = pcall(function() return freed:numel() end)
    assert.is_false(ok)
    assert.matches("freed when its scope closed", message)
    assert.matches("reshape: x was freed when its scope closed", select(2, pcall(perilune.reshape, freed, 1000)))
    assert.equal("tensor (freed: its scope closed)", tostring(freed))
  end)

  it("closes nested scopes from the inside", function()
    local outer, inner
    do
      local a <close> = perilune.scope() -- luacheck: ignore
      outer = perilune.ones(3)
      do
        local b <close> = perilune.scope() -- luacheck: ignore
        inner = perilune.ones(3)
      end
      assert.is_false(pcall(inner.numel, inner))
      assert.are.equal(3, outer:numel())
    end
    assert.is_false(pcall(outer.numel, outer))
  end)

  it("keeps what comes back at once, and drops the oldest only for what the system must give", function()
    collectgarbage()
    perilune.trim_memory()
    perilune.reset_peak_memory()
    local MiB = 1 << 18   -- of float32
    local function take(n, size)
      local made = {}
      for i = 1, n do made[i] = perilune.empty(size * MiB) end
      return made
    end
    local function give_back(made) for _, t in ipairs(made) do core.release(t) end end
    local function cached() return perilune.memory().cached_bytes >> 20 end
    give_back(take(40, 2))
    give_back(take(1, 20))
    assert.are.equal(100, cached())
    local made = take(3, 20)
    assert.is_true(cached() <= 40, "half of the waiting blocks went, the oldest: " .. cached())
    give_back(made)
    for size = 1, 40 do give_back(take(1, size)) end
    assert.is_true(cached() <= 121, "no more than was live at once, and half of it: " .. cached())
    perilune.trim_memory()
    assert.are.equal(0, cached())
  end)

  it("that nobody holds is found soon in a program whose Lua heap is small", function()
    local script = [[
      local perilune = require "perilune"
      local most = 0
      for _ = 1, 100 do
        local t = perilune.zeros(1 << 18)
        most = math.max(most, perilune.memory().live_bytes, t:numel())
      end
      print(most >> 20)]]
    local pipe = assert(io.popen(([[LUA_PATH="lua/?.lua;lua/?/init.lua;;" LUA_CPATH="%s/?.so;;" lua5.4 -e '%s' 2>&1]])
      :format(os.getenv("PERILUNE_BUILD") or "build", script)))
    local most = pipe:read("a")
    pipe:close()
    assert.is_true(tonumber(most) ~= nil and tonumber(most) < 20, most)
  end)

  it("of a binding's own does not wait for the collector", function()
    local gradients = {}
    for i = 1, 1000 do gradients[i] = perilune.ones(1) end
    collectgarbage()
    collectgarbage("stop")
    local before = perilune.memory().live_blocks
    core.optimizers.clip_grad_value(gradients, 1)
    gradients[#gradients + 1] = 7
    local refused = pcall(core.optimizers.clip_grad_value, gradients, 1)
    pcall(coroutine.wrap(core.optimizers.clip_grad_value), gradients, 1)
    local after = perilune.memory().live_blocks
    collectgarbage("restart")
    assert.is_false(refused)
    assert.are.equal(before, after)
  end)

  it("lets the library keep what it owns", function()
    local state
    do
      local a <close> = perilune.scope() -- luacheck: ignore
      local b <close> = perilune.scope() -- luacheck: ignore
      state = core.keep(perilune.ones(3))
    end
    assert.are.equal(3, state:numel())
  end)

  it("a scope sees only its own coroutine", function()
    local made
    local thread = coroutine.wrap(function()
      made = perilune.ones(2)
      coroutine.yield()
    end)
    do
      local scope <close> = perilune.scope() -- luacheck: ignore
      thread()
    end
    assert.are.equal(2, made:numel())
  end)

  it("asks the collector for help, in generational mode too, but not when it is stopped", function()
    for _, mode in ipairs { "generational", "incremental" } do
      collectgarbage(mode)
      collectgarbage()
      local before = live()
      -- The limit is twice what was live when the collector last ran, for other specs perhaps.
      for _ = 1, 3000 do perilune.empty(1 << 18) end
      assert.is_true(live() - before < 1500 << 20, mode .. ": " .. live() - before)
    end
    collectgarbage()
    local before = live()
    collectgarbage("stop")
    for _ = 1, 150 do perilune.empty(1 << 18) end
    local grown = live() - before
    collectgarbage("restart")
    assert.is_true(grown >= 150 << 20)
    collectgarbage()
  end)

  it("obeys a cap, and goes on after it", function()
    collectgarbage()
    perilune.set_memory_cap(live() + (1 << 20))
    local ok, message = pcall(perilune.zeros, 1 << 20)
    perilune.set_memory_cap()
    assert.is_false(ok)
    assert.matches("not enough memory", message)
    assert.are.equal(1 << 20, perilune.zeros(1 << 20):numel())
  end)

  it("collects garbage before the cap is reached", function()
    collectgarbage()
    perilune.set_memory_cap(live() + (10 << 20))
    for _ = 1, 100 do perilune.zeros(250000) end
    local ok, message = pcall(perilune.zeros, 10000000)
    perilune.set_memory_cap()
    assert.is_false(ok)
    assert.matches("the memory cap is %d+", message)
  end)

  it("fails cleanly wherever an allocation fails", function()
    local x = perilune.randn(4, 6)
    x.requires_grad = true
    local steps = {
      function() return perilune.zeros(3, 3) end,
      function() return x:reshape(2, 12):transpose(1, 2):contiguous() end,
      function() return x[{ { 1, 2 }, 3 }] end,
      function() return x:to("float64"):clone() end,
      function() return perilune.randperm(5), perilune.multinomial(perilune.ones(4), 2) end,
      function() x:reshape(24):narrow(1, 2, 5):backward(perilune.ones(5)) x.grad = nil end,
    }
    for _, step in ipairs(steps) do
      step()
      collectgarbage()
      local before, n, ok = live(), 0, false
      while not ok do
        n = n + 1
        core.debug.fail_allocation(n)
        local result
        ok, result = pcall(step)
        core.debug.fail_allocation(0)
        if not ok then assert.matches("memory", result) end
        result = nil -- luacheck: ignore
        x.grad = nil
        collectgarbage()
        assert.are.equal(before, live())
      end
      assert.is_true(n > 1)
    end
  end)

  it("lets nobody free what is no tensor through its metatable", function()
    local meta = getmetatable(perilune.ones(1))
    for _, other in ipairs { 3, "x", io.stderr, {}, print, true } do
      meta.__gc(other)
      meta.__close(other)
    end
    meta.__gc()
    assert.equal("file", io.type(io.stderr))
    local t = perilune.ones(1)
    meta.__gc(t)
    meta.__gc(t)
    assert.error_matches(function() return t:sum() end, "was freed")
  end)

  it("has a version and counts tensors", function()
    assert.matches("^perilune %d", perilune._VERSION)
    local t = perilune.ones(1) -- luacheck: ignore
    assert.is_true(perilune.memory().tensors >= 1)
    assert.is_true(perilune.is_tensor(t))
    assert.is_false(perilune.is_tensor({}))
  end)

  it("survives every metamethod with any arguments", function()
    local file <close> = assert(io.open("/dev/null"))
    for _, method in pairs(getmetatable(perilune.ones(1))) do
      for _, wrong in ipairs { 5, file } do
        pcall(method, wrong, wrong)
        pcall(method, wrong, 1, 2)
      end
      pcall(method)
    end
    assert.equal("file", io.type(file))
  end)
end)
