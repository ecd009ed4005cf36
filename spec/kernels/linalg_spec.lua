-- Linear algebra on LAPACK: factors multiply back to what they came from; bad matrices are errors with their reason.
local perilune = require "perilune"

local linalg = perilune.linalg

local function message_of(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return message
end

local function close(a, b, tolerance)
  assert.are.same(a.shape, b.shape)
  local x, y = a:reshape(-1):totable(), b:reshape(-1):totable()
  for i = 1, #x do
    local difference = math.abs(x[i] - y[i])
    if difference > tolerance or difference ~= difference then return false end
  end
  return true
end

local TOLERANCE = { float32 = 2e-4, float64 = 1e-11 }

local function normal(dtype, ...) return perilune.randn(...):to(dtype) end
local function turned(t) return t:transpose(-2, -1) end
local function spd(dtype, ...)
  local shape = { ... }
  local x = normal(dtype, ...)
  return x:matmul(turned(x)):add(perilune.eye(shape[#shape]):to(dtype))
end

for _, dtype in ipairs { "float32", "float64" } do
  describe("linalg in " .. dtype, function()
    local tolerance = TOLERANCE[dtype]
    before_each(function() perilune.manual_seed(11) end)

    it("svd multiplies back, with singular values descending", function()
      for _, shape in ipairs { { 4, 4 }, { 7, 3 }, { 3, 7 }, { 2, 3, 5, 4 }, { 40, 30 }, { 1, 1 } } do
        local x = normal(dtype, table.unpack(shape))
        local u, s, vh = linalg.svd(x)
        assert.is_true(close(u:mul(s:unsqueeze(-2)):matmul(vh), x, tolerance))
        local values = s:reshape(-1, s.shape[#s.shape])[1]:totable()
        for i = 2, #values do assert.is_true(values[i] <= values[i - 1]) end
        assert.is_true(close(linalg.svdvals(x), s, tolerance))
        local k = u.shape[#u.shape]
        local identity = perilune.eye(k):to(dtype):expand(turned(u):matmul(u).shape)
        assert.is_true(close(turned(u):matmul(u), identity, tolerance))
      end
      local u, _, vh = linalg.svd(normal(dtype, 5, 2), { full_matrices = true })
      assert.are.same({ 5, 5 }, u.shape)
      assert.are.same({ 2, 2 }, vh.shape)
      assert.is_true(close(u:matmul(turned(u)), perilune.eye(5):to(dtype), tolerance))
    end)

    it("eigh multiplies back, with eigenvalues ascending and the largest item of a vector positive", function()
      for _, shape in ipairs { { 4, 4 }, { 2, 3, 3 }, { 30, 30 } } do
        local x = spd(dtype, table.unpack(shape))
        local w, v = linalg.eigh(x)
        assert.is_true(close(v:mul(w:unsqueeze(-2)):matmul(turned(v)), x, 10 * tolerance))
        assert.is_true(close(linalg.eigvalsh(x), w, 10 * tolerance))
        for _, column in ipairs(turned(v):reshape(-1, v.shape[#v.shape]):totable()) do
          table.sort(column, function(a, b) return math.abs(a) < math.abs(b) end)
          assert.is_true(column[#column] > 0)
        end
      end
    end)

    it("qr multiplies back, R upper triangular, also for wide matrices", function()
      for _, shape in ipairs { { 4, 4 }, { 7, 3 }, { 3, 7 }, { 2, 5, 4 } } do
        local x = normal(dtype, table.unpack(shape))
        local q, r = linalg.qr(x)
        assert.is_true(close(q:matmul(r), x, tolerance))
        assert.are.equal(0, r:reshape(-1, r.shape[#r.shape])[2][1]:item())
      end
    end)

    it("cholesky, inv, solve and det agree with products", function()
      local x = spd(dtype, 3, 5, 5)
      local l = linalg.cholesky(x)
      assert.is_true(close(l:matmul(turned(l)), x, 10 * tolerance))
      assert.are.equal(0, l[1][1][2]:item())
      local identity = perilune.eye(5):to(dtype):expand(3, 5, 5)
      assert.is_true(close(linalg.inv(x):matmul(x), identity, 50 * tolerance))
      local b = normal(dtype, 3, 5, 2)
      assert.is_true(close(x:matmul(linalg.solve(x, b)), b, 50 * tolerance))
      local vectors = normal(dtype, 3, 5)
      assert.are.same({ 3, 5 }, linalg.solve(x, vectors).shape)
      local sign, logabsdet = linalg.slogdet(x)
      for i = 1, 3 do
        assert.are.equal(1, sign[i]:item())
        local det = linalg.det(x)[i]:item()
        assert.is_true(math.abs(math.log(det) - logabsdet[i]:item()) < tolerance)
      end
      local swap = perilune.tensor { { 0., 1. }, { 2., 0. } }:to(dtype)
      assert.are.equal(-2, linalg.det(swap):item())
      assert.are.equal(-1, (linalg.slogdet(swap)):item())
    end)

    it("lstsq solves tall, wide and rank-deficient systems", function()
      local a, y = normal(dtype, 9, 3), normal(dtype, 3, 2)
      assert.is_true(close(linalg.lstsq(a, a:matmul(y)), y, tolerance))
      local wide, b = normal(dtype, 3, 9), normal(dtype, 3)
      assert.is_true(close(wide:matmul(linalg.lstsq(wide, b)), b, tolerance))
      local same = perilune.ones(4, 2):to(dtype)
      assert.is_true(close(linalg.lstsq(same, perilune.full({ 4 }, 2.0):to(dtype)), perilune.ones(2):to(dtype), tolerance))
    end)

    it("takes matrices of size zero", function()
      local none = perilune.zeros(0, 0):to(dtype)
      assert.are.equal(1, linalg.det(none):item())
      assert.are.same({ 0, 0 }, linalg.inv(none).shape)
      assert.are.same({ 0, 0 }, linalg.cholesky(none).shape)
      assert.are.same({ 0 }, (linalg.eigh(none)).shape)
      assert.are.same({ 0, 3, 3 }, linalg.inv(perilune.zeros(0, 3, 3):to(dtype)).shape)
    end)

    it("says why a matrix is refused", function()
      local singular = perilune.tensor { { 1., 2. }, { 2., 4. } }:to(dtype)
      assert.matches("linalg_spec.lua:%d+: inv: x is singular: pivot 2 is zero",
                     message_of(function() return linalg.inv(singular) end))
      assert.matches("solve: a is singular: pivot 2 is zero", message_of(linalg.solve, singular, singular))
      assert.matches("inv: x is singular: pivot 2 is zero %(matrix 2 of 2%)",
                     message_of(linalg.inv, perilune.stack { perilune.eye(2):to(dtype), singular }))
      assert.are.equal(0, linalg.det(singular):item())
      local sign, logabsdet = linalg.slogdet(singular)
      assert.are.equal(0, sign:item())
      assert.are.equal(-math.huge, logabsdet:item())
      assert.matches("cholesky: x is not positive definite: the leading minor of order 2 is not positive",
                     message_of(linalg.cholesky, perilune.tensor { { 1., 2. }, { 2., 1. } }:to(dtype)))
      assert.matches("inv: x must be square in its last two dims, but is %(2, 3%)",
                     message_of(linalg.inv, normal(dtype, 2, 3)))
      assert.matches("inv: x must have at least 2 dims, but is %(3%)", message_of(linalg.inv, normal(dtype, 3)))
      assert.matches("solve: a is %(2, 2%) but b is %(3%)", message_of(linalg.solve, singular, normal(dtype, 3)))
    end)

    it("refuses NaN and infinity instead of hanging", function()
      for _, bad in ipairs { 0 / 0, math.huge } do
        local x = perilune.full({ 3, 3 }, bad):to(dtype)
        for _, name in ipairs { "svd", "svdvals", "eigh", "eigvalsh", "qr", "cholesky", "inv", "det", "slogdet" } do
          assert.matches(name .. ": x contains NaN or infinity", message_of(linalg[name], x))
        end
        local identity = perilune.eye(3):to(dtype)
        assert.matches("solve: b contains NaN or infinity", message_of(linalg.solve, identity, x))
        assert.matches("lstsq: b contains NaN or infinity", message_of(linalg.lstsq, identity, x))
      end
    end)

    it("says where a gradient is missing", function()
      local x = normal(dtype, 3, 5):requires_grad_(true)
      assert.matches("qr: x is %(3, 5%): the gradient is there for at least as many rows", message_of(linalg.qr, x))
      assert.matches("lstsq: has no gradient", message_of(linalg.lstsq, x, normal(dtype, 3)))
      assert.matches("svd: with full_matrices there is no gradient",
                     message_of(linalg.svd, x, { full_matrices = true }))
    end)
  end)
end

describe("linalg on integers", function()
  it("is refused", function()
    assert.matches("inv: x is int64; it must be float32 or float64",
                   message_of(linalg.inv, perilune.eye(2):to("int64")))
  end)
end)

describe("the SVD of matrices without items", function()
  it("has no singular values, and the vectors of PyTorch", function()
    for _, dtype in ipairs { "float32", "float64" } do
      for _, case in ipairs { { { 3, 0 }, { 3, 0 }, { 0 }, { 0, 0 } }, { { 0, 3 }, { 0, 0 }, { 0 }, { 0, 3 } },
                              { { 2, 3, 0 }, { 2, 3, 0 }, { 2, 0 }, { 2, 0, 0 } } } do
        local x = perilune.zeros(case[1], { dtype = dtype, requires_grad = true })
        local u, s, vh = x:svd()
        assert.are.same({ case[2], case[3], case[4] }, { u.shape, s.shape, vh.shape })
        assert.are.same(case[3], x:svdvals().shape)
        local total = u:sum() + s:sum()
        total:backward()
        assert.are.same(case[1], x.grad.shape)
      end
      local u = perilune.zeros(3, 0, { dtype = dtype }):svd({ full_matrices = true })
      assert.are.same({ { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } }, u:totable())
      local _, _, vh = perilune.zeros(2, 0, 2, { dtype = dtype }):svd({ full_matrices = true })
      assert.are.same({ { { 1, 0 }, { 0, 1 } }, { { 1, 0 }, { 0, 1 } } }, vh:totable())
    end
  end)
end)
