-- Convolution of small batches (csrc/kernels/conv_channels.c): the same bits as in a large batch, and a plan beside the
-- weight that is never stale.  convolution_spec.lua compares with the naive twin.
local perilune = require "perilune"
local core = require "perilune.core"

local CASES = {
  { "conv2d", inputs = 1, outputs = 8, size = { 28, 28 }, kernel = { 3, 3 }, stride = 2, padding = 2, activation = "relu" },
  { "conv2d", inputs = 3, outputs = 17, size = { 7, 9 }, kernel = { 3, 2 }, stride = { 1, 3 }, padding = { 2, 0 } },
  { "conv2d", inputs = 5, outputs = 40, size = { 5, 4 }, kernel = { 5, 3 }, padding = { 4, 1 }, no_bias = true },
  { "conv2d", inputs = 6, outputs = 12, size = { 9, 8 }, kernel = { 3, 3 }, groups = 2, dilation = { 2, 3 }, padding = 3 },
  { "conv2d", inputs = 4, outputs = 4, size = { 6, 6 }, kernel = { 3, 3 }, groups = 4, padding = 1 },
  { "conv2d", inputs = 33, outputs = 7, size = { 1, 1 }, kernel = { 1, 1 } },
  { "conv2d", inputs = 2, outputs = 6, size = { 12, 13 }, kernel = { 11, 10 }, padding = 9 },   -- no plan: too many borders
  { "conv_transpose2d", inputs = 8, outputs = 9, size = { 4, 3 }, kernel = { 3, 3 }, stride = 2, padding = 1,
    output_padding = 1, activation = "relu" },
  { "conv_transpose2d", inputs = 6, outputs = 16, size = { 3, 5 }, kernel = { 2, 4 }, stride = { 3, 1 }, groups = 2,
    dilation = { 1, 2 } },
}

local function options_of(case)
  return { stride = case.stride, padding = case.padding, dilation = case.dilation, groups = case.groups,
    activation = case.activation, output_padding = case.output_padding }
end

local function operands(case, n)
  perilune.manual_seed(3)
  local groups, to_small = case.groups or 1, case[1] == "conv2d"
  local first, second = to_small and case.outputs or case.inputs, (to_small and case.inputs or case.outputs) // groups
  return perilune.randn { n, case.inputs, case.size[1], case.size[2] },
    perilune.randn { first, second, case.kernel[1], case.kernel[2] },
    not case.no_bias and perilune.randn { case.outputs } or nil
end

local function convolve(case, x, weight, bias)
  return perilune.no_grad(core.ops[case[1]], x, weight, bias, options_of(case))
end

local function bits(t) return perilune.no_grad(function() return t:contiguous():flatten():totable() end) end

local function channels_last(t) return t:permute(1, 3, 4, 2):contiguous():permute(1, 4, 2, 3) end

local SMALL = CASES[2]

--- What the operation gives with a weight that has no plan.
local function fresh(x, weight, bias) return bits(convolve(SMALL, x, weight:clone(), bias)) end

describe("convolution of small batches", function()
  it("gives a sample the bits that it has where an image is doubled cell by cell", function()
    for groups = 1, 2 do
      for _, activation in ipairs { "none", "relu" } do
        local case = { "conv_transpose2d", inputs = 6, outputs = 2, size = { 3, 4 }, kernel = { 3, 3 }, stride = 2,
          padding = 1, output_padding = 1, groups = groups, activation = activation, no_bias = groups == 2 }
        local x, weight, bias = operands(case, 83)
        local expected = convolve(case, x, weight, bias)
        for _, n in ipairs { 5, 16, 30 } do
          assert.are.same(bits(expected:narrow(1, 84 - n, n)), bits(convolve(case, x:narrow(1, 84 - n, n), weight, bias)))
        end
      end
    end
  end)

  it("gives a sample the bits that it has in a large batch, whatever x's order", function()
    for i, case in ipairs(CASES) do
      local x, weight, bias = operands(case, 16)
      local expected = convolve(case, x, weight, bias)
      for _, n in ipairs { 1, 2, 7, 8, 15 } do
        for _, part in ipairs { x:narrow(1, 17 - n, n), channels_last(x:narrow(1, 17 - n, n)) } do
          assert.are.same(bits(expected:narrow(1, 17 - n, n)), bits(convolve(case, part, weight, bias)),
            ("case %d, %d samples"):format(i, n))
        end
      end
    end
  end)

  it("gives recorded and unrecorded calls the same bits", function()
    for _, case in ipairs(CASES) do
      for _, n in ipairs { 3, 9 } do
        local x, weight, bias = operands(case, n)
        local plain = convolve(case, x, weight, bias)
        local recorded = core.ops[case[1]](x, weight:requires_grad_(), bias, options_of(case))
        assert.are.same(bits(plain), bits(recorded))
      end
    end
  end)

  -- Chunks of single rows, and chunks of two samples with a shorter one at the end.
  for what, case in pairs {
    rows = { "conv2d", inputs = 24, outputs = 33, size = { 12, 11 }, kernel = { 3, 3 }, padding = 1 },
    samples = { "conv2d", inputs = 1, outputs = 8, size = { 28, 28 }, kernel = { 3, 3 }, stride = 2, padding = 2 },
  } do
    it("gives the same bits for any number of threads: chunks of " .. what, function()
      local x, weight, bias = operands(case, 9)
      local before, results = core.get_num_threads(), {}
      for i, threads in ipairs { 1, 2, 3 } do
        core.set_num_threads(threads)
        results[i] = bits(convolve(case, x, weight, bias))
      end
      core.set_num_threads(before)
      assert.are.same(results[1], results[2])
      assert.are.same(results[1], results[3])
      local alone = convolve(case, x:narrow(1, 9, 1), weight, bias)
      assert.are.same(bits(convolve(case, x, weight, bias):narrow(1, 9, 1)), bits(alone))
    end)
  end

  it("sees every change of the weight", function()
    local x, weight, bias = operands(SMALL, 2)
    local changes = {
      function() weight:copy_(perilune.randn(weight.shape)) end,
      function() weight:uniform_(-1, 1) end,
      function() weight:mul_(2) end,
      function() weight[3] = 0.5 end,
      function() weight:narrow(1, 2, 4):copy_(perilune.randn { 4, 3, 3, 2 }) end,
      function()
        weight.grad = perilune.ones(weight.shape)
        weight.requires_grad = true
        perilune.optim.SGD({ weight }, { lr = 0.1 }):step()
        weight.requires_grad = false
      end,
    }
    for i, change in ipairs(changes) do
      convolve(SMALL, x, weight, bias)
      change()
      assert.are.same(fresh(x, weight, bias), bits(convolve(SMALL, x, weight, bias)), "change " .. i)
    end
  end)

  it("sees that a gradient has grown, which was a weight for once", function()
    local x, _, bias = operands(SMALL, 2)
    local leaf = perilune.randn({ 17, 3, 3, 2 }):requires_grad_()
    local function use() return bits(convolve(SMALL, x, leaf.grad, bias)) end
    leaf:sum():backward()
    use()
    collectgarbage() collectgarbage()
    leaf:sum():backward()
    assert.are.same(fresh(x, perilune.full({ 17, 3, 3, 2 }, 2.0), bias), use())
  end)

  it("serves several geometries and parts of one weight in turn", function()
    local x, weight, bias = operands(SMALL, 1)
    local both = perilune.cat({ weight, weight * 2 }, 1)
    local wide = perilune.randn { 1, 3, 9, 11 }
    for _ = 1, 2 do
      assert.are.same(fresh(x, weight * 2, bias), bits(convolve(SMALL, x, both:narrow(1, 18, 17), bias)))
      assert.are.same(fresh(x, weight, bias), bits(convolve(SMALL, x, both:narrow(1, 1, 17), bias)))
      assert.are.same(fresh(wide, weight, bias), bits(convolve(SMALL, wide, both:narrow(1, 1, 17), bias)))
    end
  end)

  it("fails for want of memory and works the next time; the plan goes with the weight", function()
    local x, weight, bias = operands(SMALL, 2)
    local expected = fresh(x, weight, bias)
    local function settled() collectgarbage() collectgarbage() return perilune.memory() end
    local before, failures = settled(), 0
    for n = 1, 20 do
      local again = weight:clone()
      core.debug.fail_allocation(n)
      local ok = pcall(convolve, SMALL, x, again, bias)
      core.debug.fail_allocation(0)
      failures = failures + (ok and 0 or 1)
      assert.are.same(expected, bits(convolve(SMALL, x, again, bias)))
    end
    assert.is_true(failures >= 3)
    local after = settled()
    assert.are.equal(before.live_blocks, after.live_blocks)
    assert.are.equal(before.live_bytes, after.live_bytes)
  end)
end)
