local perilune = require "perilune"

describe("random numbers", function()
  it("match the published vectors of Philox 4x32-10", function()
    -- Random123's kat_vectors: counter 0, key 0 gives 6627e8d5 e169c58d bc57ac4c 9b00dbd8.
    perilune.manual_seed(0)
    local words = { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 }
    for i, value in ipairs(perilune.rand(4):totable()) do
      assert.are.equal((words[i] >> 8) / 2.0 ^ 24, value)
    end
  end)

  it("repeat for a seed, for any number of threads, and from a saved state", function()
    local threads = perilune.get_num_threads()
    local function draw()
      perilune.manual_seed(7)
      return perilune.rand(70000):totable(), perilune.randn(50001):totable(), perilune.randperm(100):totable()
    end
    perilune.set_num_threads(1)
    local a = { draw() }
    perilune.set_num_threads(3)
    local b = { draw() }
    perilune.set_num_threads(threads)
    assert.are.same(a, b)
    local state = perilune.get_rng_state()
    local first = perilune.rand(5):totable()
    perilune.set_rng_state(state)
    assert.are.same(first, perilune.rand(5):totable())
    perilune.manual_seed(8)
    assert.are_not.same(a[1][1], perilune.rand(1):item())
  end)

  it("have the moments of their distributions", function()
    perilune.manual_seed(1)
    for _, dtype in ipairs { "float32", "float64" } do
      local n = 100000
      local uniform, normal = perilune.rand(n, { dtype = dtype }):totable(), perilune.randn(n, { dtype = dtype }):totable()
      local mean_u, mean_n, var_n, cube = 0, 0, 0, 0
      for i = 1, n do
        assert(uniform[i] >= 0 and uniform[i] < 1)
        mean_u, mean_n = mean_u + uniform[i] / n, mean_n + normal[i] / n
        var_n, cube = var_n + normal[i] ^ 2 / n, cube + normal[i] ^ 3 / n
      end
      -- Five standard errors each.
      assert.is_true(math.abs(mean_u - 0.5) < 5 * math.sqrt(1 / 12 / n))
      assert.is_true(math.abs(mean_n) < 5 / math.sqrt(n))
      assert.is_true(math.abs(var_n - 1) < 5 * math.sqrt(2 / n))
      assert.is_true(math.abs(cube) < 5 * math.sqrt(15 / n))
    end
  end)

  it("integers, permutations, Bernoulli and multinomial draws stay in range", function()
    perilune.manual_seed(3)
    local seen = {}
    for _, value in ipairs(perilune.randint(-2, 3, 1000):totable()) do seen[value] = true end
    for value = -2, 3 do assert.is_true(seen[value]) end
    assert.is_nil(seen[4])
    local sum = 0
    for _, value in ipairs(perilune.randperm(100):totable()) do sum = sum + value end
    assert.are.equal(5050, sum)
    local like = perilune.randint_like(perilune.zeros(20, 50), 3, 4)
    assert.are.same({ 20, 50 }, like.shape)
    assert.are.equal("int64", like.dtype)
    assert.are.same({ 3, 4 }, { like:min():item(), like:max():item() })
    assert.are.same({ 0, 1 }, perilune.bernoulli(perilune.tensor { 0.0, 1.0 }):totable())
    for _, row in ipairs(perilune.multinomial(perilune.tensor { { 0, 1, 1.0 }, { 1.0, 0, 1 } }, 2):totable()) do
      assert.are_not.equal(row[1], row[2])
    end
    local counts = { 0, 0, 0 }
    for _, k in ipairs(perilune.multinomial(perilune.tensor { 1.0, 0.0, 3.0 }, 4000, { replacement = true }):totable()) do
      counts[k] = counts[k] + 1
    end
    assert.are.equal(0, counts[2])
    assert.is_true(math.abs(counts[3] - 3000) < 5 * math.sqrt(4000 * 0.75 * 0.25))
  end)

  it("refuse what makes no sense", function()
    local function message_of(fn, ...) return select(2, pcall(fn, ...)) end
    assert.matches("bernoulli: p has 2", message_of(perilune.bernoulli, perilune.tensor { 2.0 }))
    assert.matches("bernoulli: p has nan", message_of(perilune.bernoulli, perilune.tensor { 0 / 0 }))
    assert.matches("weights must be finite", message_of(perilune.multinomial, perilune.tensor { -1.0 }, 1))
    assert.matches("only 1 weights are above 0", message_of(perilune.multinomial, perilune.tensor { 0.0, 1 }, 2))
    assert.matches("dtype must be float32", message_of(perilune.rand, 2, { dtype = "int64" }))
    assert.matches("must be in 5", message_of(perilune.randint, 5, 4, 1))
    assert.matches("std is %-1", message_of(function() perilune.zeros(2):normal_(0, -1) end))
    assert.matches("std is nan", message_of(function() perilune.zeros(2):normal_(0, 0 / 0) end))
    assert.matches("a weight is nan", message_of(perilune.multinomial, perilune.tensor { 0 / 0 }, 1))
    assert.matches("normal: std is %-1; it must be 0 or more", message_of(perilune.normal, 0, -1, { 3 }))
    assert.matches("normal: std is nan", message_of(perilune.normal, 0, 0 / 0, { 3 }))
    assert.matches("normal: std is below 0", message_of(perilune.normal, 0, perilune.tensor { 1.0, -1 }))
    assert.matches("normal: std must be a number or a tensor, not nil", message_of(perilune.normal, 0))
    assert.matches("randint_like: high is 4; it must be in 5", message_of(perilune.randint_like, perilune.ones(2), 5, 4))
  end)

  it("refuses what is no distribution", function()
    local nan, x = 0 / 0, perilune.ones(2)
    assert.error_matches(function() x:uniform_(1, 0) end, "uniform_: 1 to 0 is no range")
    assert.error_matches(function() x:uniform_(0, math.huge) end, "uniform_: 0 to inf is no range")
    assert.error_matches(function() x:uniform_(nan, 1) end, "uniform_: nan to 1 is no range")
    assert.error_matches(function() x:normal_(nan, 1) end, "normal_: mean is nan")
    assert.error_matches(function() perilune.normal(nan, 1, 2) end, "normal: mean is nan")
    assert.are.same({ 1, 1 }, x:totable())
    assert.are.same({ 3, 3 }, x:uniform_(3, 3):totable())
  end)
end)
