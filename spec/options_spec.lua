require "perilune"   -- says where the library lies
local core = require "perilune.core"
local options = require "perilune.options"

local function message_of(f, ...)
  local fine, message = pcall(f, ...)
  assert.is_false(fine)
  return message
end

describe("options.reader", function()
  local read = options.reader("Layer", { { "stride", 1, "pair" }, { "bias", true }, { "rate", 0.5 },
    { "count", nil, "integer" }, { "betas", { 1, 2 } }, { "weight", nil, "tensor" }, { "mode", "a" } })

  it("fills in defaults and keeps what is given", function()
    assert.same({ stride = 1, bias = true, rate = 0.5, betas = { 1, 2 }, mode = "a" }, read())
    assert.same({ stride = { 2, 3 }, bias = false, rate = 1, count = 4, betas = { 1, 2 }, mode = "b" },
      read { stride = { 2, 3 }, bias = false, rate = 1, count = 4, mode = "b" })
    assert.is_true(core.is_tensor(read { weight = core.create.ones(2) }.weight))
  end)

  it("does not hand out its own default tables", function()
    read().betas[1] = 7
    assert.same({ 1, 2 }, read().betas)
  end)

  it("lists the known options for an unknown one", function()
    assert.matches("Layer: unknown option 'strid'; known: stride, bias, rate, count, betas, weight, mode",
      message_of(read, { strid = 2 }), 1, true)
    assert.matches("unknown option '1'", message_of(read, { 2 }), 1, true)
  end)

  it("says what an option must be", function()
    assert.matches("Layer: option bias must be true or false, got 1", message_of(read, { bias = 1 }), 1, true)
    assert.matches("option stride must be an integer or a pair of integers, got \"x\"",
      message_of(read, { stride = "x" }), 1, true)
    assert.matches("option stride must be", message_of(read, { stride = { 1, 2, 3 } }), 1, true)
    assert.matches("option count must be an integer, got 1.5", message_of(read, { count = 1.5 }), 1, true)
    assert.matches("option weight must be a tensor, got a table", message_of(read, { weight = {} }), 1, true)
    assert.matches("options go into a table such as { stride = ... }, got 3", message_of(read, 3), 1, true)
  end)

  it("names the user's line", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local message = message_of(function() read { strid = 1 } end)
    assert.matches("options_spec.lua:" .. line .. ": ", message, 1, true)
  end)
end)

describe("checks of values", function()
  it("accept what is in range", function()
    assert.equal(3, options.integer("f", "n", 3))
    assert.same({ 2, 2 }, options.pair("f", "k", 2))
    assert.same({ 2, 5 }, options.pair("f", "k", { 2, 5 }))
    assert.equal(0.5, options.number("f", "p", 0.5, 0, 1))
    assert.equal("b", options.choice("f", "mode", "b", { "a", "b" }))
  end)

  it("raise for everything else", function()
    assert.matches("f: n must be an integer of at least 1, got 0", message_of(options.integer, "f", "n", 0), 1, true)
    assert.matches("got 2.0", message_of(options.integer, "f", "n", 2.0), 1, true)
    assert.matches("f: k must be at least 1, got 0", message_of(options.pair, "f", "k", { 3, 0 }, 1), 1, true)
    assert.matches("f: p must be a number in [0, 1], got 2", message_of(options.number, "f", "p", 2, 0, 1), 1, true)
    assert.matches("f: p must be", message_of(options.number, "f", "p", 0 / 0, 0, 1), 1, true)
    assert.matches("f: mode must be one of a, b, got \"c\"", message_of(options.choice, "f", "mode", "c", { "a", "b" }),
      1, true)
  end)
end)
