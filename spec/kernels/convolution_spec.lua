-- Convolution against its naive twin: the sums of csrc/kernels/conv_geometry.h as loops over Lua tables.
-- The generic spec compares the samples with PyTorch; here are the shapes that its samples are too few for,
-- and what only convolution promises: any memory order, undefined padding, the same bits on any threads.
local perilune = require "perilune"
local core = require "perilune.core"

local function message_of(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return message
end

--- Calls visit(small row, small column, kh, kw, large row, large column) for all that meet.
local function each_meeting(g, visit)
  for oh = 0, g.small[1] - 1 do
    for ow = 0, g.small[2] - 1 do
      for kh = 0, g.kernel[1] - 1 do
        for kw = 0, g.kernel[2] - 1 do
          local ih = oh * g.stride[1] - g.padding[1] + kh * g.dilation[1]
          local iw = ow * g.stride[2] - g.padding[2] + kw * g.dilation[2]
          if ih >= 0 and ih < g.large[1] and iw >= 0 and iw < g.large[2] then
            visit(oh + 1, ow + 1, kh + 1, kw + 1, ih + 1, iw + 1)
          end
        end
      end
    end
  end
end

--- Calls visit(n, s, l, group) for all samples and all channels that a weight ties.
local function each_channel(g, visit)
  local small, large = g.small_channels // g.groups, g.large_channels // g.groups
  for n = 1, g.n do
    for s = 1, g.small_channels do
      for l = 1, large do visit(n, s, l, (s - 1) // small * large + l) end
    end
  end
end

local function filled(shape, value, depth)
  depth = depth or 1
  if depth > #shape then return value end
  local t = {}
  for i = 1, shape[depth] do t[i] = filled(shape, value, depth + 1) end
  return t
end

--- The naive twin: y, dx, dw, db as nested tables.
local function naive(case, x, weight, bias, gradient)
  local g = case.geometry
  local to_small = case.op == "conv2d"
  local channels, size = case.y_shape[2], { case.y_shape[3], case.y_shape[4] }
  local y = filled(case.y_shape, 0)
  local dx, dw, db = filled(case.x_shape, 0), filled(case.weight_shape, 0), filled({ channels }, 0)
  each_channel(g, function(n, s, l, large)
    each_meeting(g, function(oh, ow, kh, kw, ih, iw)
      if to_small then y[n][s][oh][ow] = y[n][s][oh][ow] + x[n][large][ih][iw] * weight[s][l][kh][kw]
      else y[n][large][ih][iw] = y[n][large][ih][iw] + x[n][s][oh][ow] * weight[s][l][kh][kw] end
    end)
  end)
  for n = 1, g.n do
    for k = 1, channels do
      for h = 1, size[1] do
        for w = 1, size[2] do
          y[n][k][h][w] = y[n][k][h][w] + (bias and bias[k] or 0)
          if case.activation == "relu" and y[n][k][h][w] <= 0 then
            y[n][k][h][w], gradient[n][k][h][w] = 0, 0
          end
          db[k] = db[k] + gradient[n][k][h][w]
        end
      end
    end
  end
  each_channel(g, function(n, s, l, large)
    each_meeting(g, function(oh, ow, kh, kw, ih, iw)
      if to_small then
        dx[n][large][ih][iw] = dx[n][large][ih][iw] + gradient[n][s][oh][ow] * weight[s][l][kh][kw]
        dw[s][l][kh][kw] = dw[s][l][kh][kw] + gradient[n][s][oh][ow] * x[n][large][ih][iw]
      else
        dx[n][s][oh][ow] = dx[n][s][oh][ow] + gradient[n][large][ih][iw] * weight[s][l][kh][kw]
        dw[s][l][kh][kw] = dw[s][l][kh][kw] + gradient[n][large][ih][iw] * x[n][s][oh][ow]
      end
    end)
  end)
  return y, dx, dw, db
end

local function pair(value) return type(value) == "table" and value or { value or 1, value or 1 } end

--- Completes { op, n, inputs, outputs, size, kernel, ... } with the shapes that follow.
local function complete(case)
  local groups, padding = case.groups or 1, pair(case.padding or 0)
  local stride, dilation, extra = pair(case.stride), pair(case.dilation), pair(case.output_padding or 0)
  local to_small, out = case.op == "conv2d", {}
  for d = 1, 2 do
    local reach = dilation[d] * (case.kernel[d] - 1) + 1
    if to_small then out[d] = (case.size[d] + 2 * padding[d] - reach) // stride[d] + 1
    else out[d] = (case.size[d] - 1) * stride[d] - 2 * padding[d] + reach + extra[d] end
  end
  case.x_shape = { case.n, case.inputs, case.size[1], case.size[2] }
  case.y_shape = { case.n, case.outputs, out[1], out[2] }
  local small, large = case.outputs, case.inputs
  if not to_small then small, large = large, small end
  case.weight_shape = { small, large // groups, case.kernel[1], case.kernel[2] }
  case.geometry = {
    n = case.n, groups = groups, small_channels = small, large_channels = large,
    small = to_small and out or case.size, large = to_small and case.size or out,
    kernel = case.kernel, stride = stride, padding = padding, dilation = dilation,
  }
  case.options = { stride = stride, padding = padding, dilation = dilation, groups = groups,
    activation = case.activation }
  if not to_small then case.options.output_padding = extra end
  return case
end

local ORDERS = {
  contiguous = function(t) return t end,
  lanes = function(t) return t:lanes() end,
  channels_last = function(t) return t:permute(1, 3, 4, 2):contiguous():permute(1, 4, 2, 3) end,
}

local function run(case, dtype, order, threads)
  perilune.manual_seed(7)
  local x = ORDERS[order](perilune.randn(case.x_shape, { dtype = dtype })):requires_grad_()
  local weight = perilune.randn(case.weight_shape, { dtype = dtype }):requires_grad_()
  local bias = not case.no_bias and perilune.randn({ case.outputs },
    { dtype = dtype }):requires_grad_() or nil
  local gradient = ORDERS[order](perilune.randn(case.y_shape, { dtype = dtype }))
  local before = core.get_num_threads()
  core.set_num_threads(threads or 1)
  local y = core.ops[case.op](x, weight, bias, case.options)
  y:backward(gradient)
  core.set_num_threads(before)
  return { x = x, weight = weight, bias = bias, gradient = gradient, y = y:detach() }
end

local function flatten(value, out)
  out = out or {}
  if type(value) ~= "table" then out[#out + 1] = value return out end
  for _, item in ipairs(value) do flatten(item, out) end
  return out
end

local function assert_close(expected, tensor, tolerance, what)
  expected = flatten(expected)
  local actual, scale = flatten(tensor:totable()), 1e-3
  assert.are.equal(#expected, #actual, what)
  for i = 1, #expected do scale = math.max(scale, math.abs(expected[i])) end
  for i = 1, #expected do
    local near = math.abs(actual[i] - expected[i]) <= tolerance * scale
    if not near then   -- NaN is not near
      error(("%s: element %d is %.9g, not %.9g"):format(what, i, actual[i], expected[i]))
    end
  end
end

--- Every memory order holds the same numbers, so one naive result serves them all.
local function check(case, dtype, orders)
  local expected
  local tolerance = dtype == "float64" and 1e-12 or 2e-6
  for _, order in ipairs(orders) do
    local r = run(case, dtype, order)
    assert.are.same(case.y_shape, r.y.shape)
    local bias = r.bias and r.bias:detach():totable()
    expected = expected or { naive(case, r.x:detach():totable(), r.weight:detach():totable(), bias,
      r.gradient:totable()) }
    local name = ("%s of (%s) by (%s) %s %s "):format(case.op, table.concat(case.x_shape, ", "),
      table.concat(case.weight_shape, ", "), dtype, order)
    assert_close(expected[1], r.y, tolerance, name .. "y")
    assert_close(expected[2], r.x.grad, tolerance * 4, name .. "dx")
    assert_close(expected[3], r.weight.grad, tolerance * 4, name .. "dw")
    if r.bias then assert_close(expected[4], r.bias.grad, tolerance * 4, name .. "db") end
  end
end

local CASES = {
  { op = "conv2d", n = 9, inputs = 3, outputs = 5, size = { 7, 5 }, kernel = { 3, 2 }, stride = { 3, 1 },
    padding = { 0, 2 } },
  { op = "conv2d", n = 257, inputs = 2, outputs = 3, size = { 3, 4 }, kernel = { 3, 3 }, padding = 1,
    activation = "relu" },
  { op = "conv2d", n = 17, inputs = 6, outputs = 4, size = { 5, 6 }, kernel = { 3, 3 }, groups = 2,
    dilation = 2, padding = { 1, 2 } },
  { op = "conv2d", n = 8, inputs = 5, outputs = 5, size = { 4, 4 }, kernel = { 3, 3 }, groups = 5,
    padding = 1, activation = "relu" },
  { op = "conv2d", n = 7, inputs = 2, outputs = 19, size = { 5, 9 }, kernel = { 2, 3 }, stride = { 1, 2 },
    padding = 1, activation = "relu" },
  { op = "conv2d", n = 1, inputs = 3, outputs = 33, size = { 3, 3 }, kernel = { 3, 3 }, no_bias = true },
  { op = "conv2d", n = 8, inputs = 1, outputs = 15, size = { 6, 6 }, kernel = { 3, 3 }, stride = 2,
    padding = 2 },
  { op = "conv2d", n = 16, inputs = 45, outputs = 37, size = { 3, 2 }, kernel = { 3, 3 }, padding = 1 },
  { op = "conv2d", n = 2, inputs = 1, outputs = 1, size = { 1, 1 }, kernel = { 1, 1 }, padding = 2,
    stride = 3 },
  { op = "conv_transpose2d", n = 9, inputs = 3, outputs = 5, size = { 3, 4 }, kernel = { 3, 2 },
    stride = { 3, 1 }, padding = { 1, 0 } },
  { op = "conv_transpose2d", n = 257, inputs = 3, outputs = 1, size = { 2, 3 }, kernel = { 3, 3 },
    stride = 2, padding = 1,
    output_padding = 1, activation = "relu" },
  { op = "conv_transpose2d", n = 17, inputs = 4, outputs = 6, size = { 3, 3 }, kernel = { 3, 3 },
    groups = 2, dilation = 2 },
  { op = "conv_transpose2d", n = 8, inputs = 4, outputs = 9, size = { 2, 2 }, kernel = { 2, 3 },
    stride = { 2, 3 }, activation = "relu" },
  { op = "conv_transpose2d", n = 7, inputs = 2, outputs = 17, size = { 3, 2 }, kernel = { 3, 3 },
    stride = 2, padding = 1,
    output_padding = { 1, 0 }, activation = "relu" },
  { op = "conv_transpose2d", n = 1, inputs = 37, outputs = 3, size = { 1, 1 }, kernel = { 3, 3 },
    padding = 1, no_bias = true },
  { op = "conv_transpose2d", n = 10, inputs = 2, outputs = 3, size = { 3, 2 }, kernel = { 2, 2 },
    stride = { 4, 6 },
    dilation = { 6, 4 }, padding = 2 },
}
for _, case in ipairs(CASES) do complete(case) end

describe("convolution", function()
  it("equals its naive twin in every memory order", function()
    for _, case in ipairs(CASES) do
      check(case, "float32", { "contiguous", "lanes", "channels_last" })
      check(case, "float64", case.n == 9 and { "contiguous", "lanes", "channels_last" } or { "contiguous" })
    end
  end)

  it("gives the same bits for any number of threads", function()
    local wide = complete { op = "conv2d", n = 272, inputs = 4, outputs = 9, size = { 6, 7 }, kernel = { 3,
      3 },
      stride = 2, padding = 1, activation = "relu" }
    local back = complete { op = "conv_transpose2d", n = 48, inputs = 33, outputs = 40, size = { 7, 7 },
      kernel = { 3, 3 },
      padding = 1 }
    for _, case in ipairs { wide, back } do
      local one, three = run(case, "float32", "lanes", 1), run(case, "float32", "lanes", 3)
      assert.are.same(flatten(one.y:totable()), flatten(three.y:totable()))
      for _, name in ipairs { "x", "weight", "bias" } do
        assert.are.same(flatten(one[name].grad:totable()), flatten(three[name].grad:totable()), name)
      end
    end
  end)

  it("never looks at what lies between the samples and the end of a row", function()
    local case = complete { op = "conv2d", n = 9, inputs = 2, outputs = 4, size = { 5, 5 }, kernel = { 3,
      3 }, padding = 1,
      activation = "relu" }
    local clean = run(case, "float32", "lanes")
    for _ = 1, 2 do
      for _, shape in ipairs { case.x_shape, case.y_shape } do   -- blocks that are used again, full of NaN
        local wide = { 16, shape[2], shape[3], shape[4] }
        local blocks = {}
        for i = 1, 6 do blocks[i] = perilune.full(wide, 0 / 0):lanes() end
        assert.are.equal(6, #blocks)
      end
      collectgarbage()
      local dirty = run(case, "float32", "lanes")
      for _, name in ipairs { "x", "weight", "bias" } do
        assert.are.same(clean[name].grad:totable(), dirty[name].grad:totable())
      end
    end
  end)

  it("leaves a gradient alone that somebody else can see", function()
    local case = CASES[2]
    local r = run(case, "float32", "lanes")
    perilune.manual_seed(7)
    perilune.randn(case.x_shape)
    perilune.randn(case.weight_shape)
    perilune.randn({ case.outputs })
    assert.are.same(perilune.randn(case.y_shape):totable(), r.gradient:totable())
  end)

  it("gives an empty result for an empty batch", function()
    for _, op in ipairs { "conv2d", "conv_transpose2d" } do
      local x = perilune.zeros({ 0, 3, 4, 4 }, { dtype = "float32" }):requires_grad_()
      local weight = perilune.ones({ 3, 3, 3, 3 }, { dtype = "float32" }):requires_grad_()
      local bias = perilune.ones({ 3 }, { dtype = "float32" }):requires_grad_()
      local y = core.ops[op](x, weight, bias, { padding = 1 })
      assert.are.same({ 0, 3, 4, 4 }, y.shape)
      y:backward(perilune.zeros({ 0, 3, 4, 4 }, { dtype = "float32" }))
      assert.are.same({ 0, 3, 4, 4 }, x.grad.shape)
      assert.are.same(filled({ 3, 3, 3, 3 }, 0), weight.grad:totable())
      assert.are.same({ 0, 0, 0 }, bias.grad:totable())
    end
  end)

  it("names the shapes that do not fit", function()
    local conv2d, transpose = core.ops.conv2d, core.ops.conv_transpose2d
    local x, weight = perilune.randn({ 2, 3, 5, 5 }), perilune.randn({ 4, 2, 3, 3 })
    assert.matches("conv2d: x is %(2, 3, 5, 5%) but weight is %(4, 2, 3, 3%)", message_of(conv2d, x, weight))
    assert.matches("conv_transpose2d: x is %(2, 3, 5, 5%) but weight is %(4, 2, 3, 3%)",
      message_of(transpose, x, weight))
    weight = perilune.randn({ 4, 3, 3, 3 })
    assert.matches("groups = 3", message_of(conv2d, x, weight, nil, { groups = 3 }))
    assert.matches("groups must be in 1%.%.16777216, but is 0", message_of(conv2d, x, weight, nil, { groups = 0 }))
    assert.matches("bias is %(3%) but weight is %(4, 3, 3, 3%): it must be %(4%)",
      message_of(conv2d, x, weight, perilune.randn({ 3 })))
    assert.matches("stride must be in 1%.%.16777216, but is %(0, 1%)",
      message_of(conv2d, x, weight, nil, { stride = { 0, 1 } }))
    for _, padding in ipairs { -1, 1 << 40, math.maxinteger } do
      assert.matches(("padding must be in 0%%.%%.16777216, but is (%d, %d)"):format(padding, padding):gsub("[-()]", "%%%0"),
        message_of(conv2d, x, weight, nil, { padding = padding }))
    end
    assert.matches("no output is left", message_of(conv2d, x, weight, nil, { dilation = 3 }))
    assert.matches("no output is left", message_of(transpose, x, perilune.randn({ 3, 1, 1, 1 }), nil,
      { padding = 3 }))
    assert.matches("output_padding %(2, 2%) must be smaller",
      message_of(transpose, x, perilune.randn({ 3, 1, 3, 3 }), nil, { stride = 2, output_padding = 2 }))
    assert.matches("x must have 4 dims, but is %(3, 5, 5%)", message_of(conv2d, perilune.randn({ 3, 5,
      5 }), weight))
    assert.matches("float32", message_of(conv2d, x, weight:to("float64")))
    assert.matches("weight is empty", message_of(conv2d, x, perilune.randn({ 0, 3, 3, 3 })))
    assert.matches("stride", message_of(conv2d, x, weight, nil, { strides = 2 }))
  end)
end)
