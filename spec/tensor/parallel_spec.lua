local perilune = require "perilune"

describe("threads", function()
  local before = perilune.get_num_threads()
  after_each(function() perilune.set_num_threads(before) end)

  it("do every part of the work exactly once, however many there are", function()
    local x = perilune.arange(1, 300000):to("float32")
    perilune.set_num_threads(1)
    local expected = ((x * 0.37):sin() + x):sum():item()
    for n = 2, 9 do
      perilune.set_num_threads(n)
      for _ = 1, 50 do assert.are.equal(expected, ((x * 0.37):sin() + x):sum():item()) end
    end
  end)

  it("come and go as their number changes", function()
    local x = perilune.ones(100000)
    for i = 1, 200 do
      perilune.set_num_threads(i % 4 + 1)
      assert.are.equal(200000.0, (x + x):sum():item())
    end
  end)

  it("are at least one", function()
    assert.matches("must be in 1", select(2, pcall(perilune.set_num_threads, 0)))
    assert.matches("must be an integer", select(2, pcall(perilune.set_num_threads, "two")))
  end)
end)
