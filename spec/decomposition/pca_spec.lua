-- perilune.decomposition.PCA against scikit-learn (spec/reference/pca.py).
local perilune = require "perilune"
local compare = require "support.close"
local serialize = require "perilune.serialize"
local PCA = perilune.decomposition.PCA

local reference = assert(perilune.load("spec/reference/pca.safetensors", { flat = true }))

local function assert_close(actual, expected, what, tolerance)
  assert.are.same(expected.shape, actual.shape, what)
  local message = compare.differs(what, actual:flatten():totable(), expected:flatten():totable(), { expected:numel() },
    tolerance)
  assert.is_nil(message)
end

local FIELDS = { "components_", "explained_variance_", "explained_variance_ratio_", "singular_values_", "mean_" }

local function assert_fitted(pca, prefix, tolerance, skip)
  for _, name in ipairs(FIELDS) do
    if name ~= skip then assert_close(pca[name], reference[prefix .. "." .. name], prefix .. "." .. name, tolerance) end
  end
  local noise = reference[prefix .. ".noise_variance_"]:item()
  assert.is_true(math.abs(pca.noise_variance_ - noise) <= tolerance * math.max(noise, 1e-6), prefix)
end

describe("PCA", function()
  local x = reference.x

  for _, solver in ipairs { "full", "covariance_eigh" } do
    for name, n_components in pairs { all = false, three = 3, part = 0.9 } do
      it(("equals scikit-learn's: %s, %s"):format(solver, name), function()
        local pca = PCA { n_components = n_components or nil, svd_solver = solver }
        local z = pca:fit_transform(x)
        local prefix = solver .. "." .. name
        -- scikit-learn's covariance is a difference of large numbers where means are large: it has fewer digits.
        assert_fitted(pca, prefix, solver == "full" and 1e-8 or 1e-5)
        assert_close(z, reference[prefix .. ".z"], prefix .. ".z", solver == "full" and 1e-8 or 1e-5)
        assert_close(pca:inverse_transform(z), reference[prefix .. ".back"], prefix .. ".back", 1e-8)
      end)
    end
  end

  it("whitens as scikit-learn does", function()
    local pca = PCA { n_components = 4, whiten = true }
    local z = pca:fit_transform(x)
    assert_close(z, reference["white.z"], "white.z", 1e-8)
    assert_close(pca:inverse_transform(z), reference["white.back"], "white.back", 1e-8)
  end)

  it("takes fewer samples than features", function()
    local pca = PCA {}
    local z = pca:fit_transform(x:narrow(1, 1, 5))
    -- The last component has no variance: its direction is rounding's.
    assert_close(z:narrow(2, 1, 4), reference["wide.z"]:narrow(2, 1, 4), "wide.z", 1e-8)
    assert_close(pca.components_:narrow(1, 1, 4), reference["wide.components_"]:narrow(1, 1, 4), "wide", 1e-8)
    assert.are.equal(5, pca.n_components_)
  end)

  it("takes them with the covariance too, whose noise is spread over all features", function()
    local pca = PCA({ n_components = 2, svd_solver = "covariance_eigh" }):fit(x:narrow(1, 1, 5))
    -- scikit-learn's covariance is a difference of large numbers where means are large.
    assert_fitted(pca, "wide_eigh", 1e-5)
  end)

  it("is right to 1e-4 on images, uint8 or float32, whatever the number of threads", function()
    local images = perilune.datasets.FashionMNIST({ split = "test" }):images():flatten(2):narrow(1, 1, 2000)
    local before, found = perilune.get_num_threads(), {}
    for i, threads in ipairs { 1, 3 } do
      perilune.set_num_threads(threads)
      found[i] = PCA({ n_components = 8, svd_solver = "covariance_eigh" }):fit(i == 1 and images or images:to("float32"))
    end
    perilune.set_num_threads(before)
    assert_fitted(found[1], "images", 1e-4)
    assert_close(found[1]:transform(images:narrow(1, 1, 20)), reference["images.z"], "images.z", 1e-4)
    for _, name in ipairs(FIELDS) do assert.is_true(found[1][name]:eq(found[2][name]):all():item(), name) end
  end)

  it("finds the same with the randomized solver, and draws from a generator of its own", function()
    local images = perilune.datasets.FashionMNIST({ split = "test" }):images():flatten(2):narrow(1, 1, 2000)
    perilune.manual_seed(1)
    local state = perilune.get_rng_state()
    local pca = PCA { n_components = 8, svd_solver = "randomized", random_state = 3 }:fit(images)
    assert.are.same(state, perilune.get_rng_state())
    assert_fitted(pca, "images", 2e-3)
    local again = PCA { n_components = 8, svd_solver = "randomized", random_state = 3 }:fit(images)
    assert.is_true(again.components_:eq(pca.components_):all():item())
  end)

  it("finds the same with the randomized solver, of few rows of many features", function()
    perilune.manual_seed(6)
    local codes = perilune.randn(60, 5) * perilune.tensor { 16.0, 8.0, 4.0, 2.0, 1.0 }
    local few = codes:matmul(perilune.randn(5, 500)) + 0.1 * perilune.randn(60, 500)
    local full = PCA({ n_components = 5, svd_solver = "full" }):fit(few)
    local pca = PCA({ n_components = 5, svd_solver = "randomized", random_state = 3 }):fit(few)
    for _, name in ipairs(FIELDS) do assert_close(pca[name], full[name], name, 2e-3) end
    assert.is_true(math.abs(pca.noise_variance_ - full.noise_variance_) < 0.05 * full.noise_variance_)
  end)

  it("keeps its digits over many rows with a large mean", function()
    perilune.manual_seed(2)
    local rows = perilune.randn(70000, 3) * perilune.tensor { 3.0, 2.0, 1.0 }
    local exact = PCA { svd_solver = "covariance_eigh" }:fit(rows:to("float64"))
    -- 4096: the float32 grid there is 0.0005 wide.
    local shifted = PCA { svd_solver = "covariance_eigh" }:fit(rows + 4096)
    assert_close(shifted.explained_variance_, exact.explained_variance_:to("float32"), "variance", 1e-5)
    assert_close(shifted.mean_, (exact.mean_ + 4096):to("float32"), "mean", 1e-6)
  end)

  it("does not need the first rows to be like the others", function()
    perilune.manual_seed(4)
    local rows = perilune.randn(9000, 3, { dtype = "float64" })
    rows = rows + perilune.linspace(0, 50, 9000, { dtype = "float64" }):unsqueeze(2)
    local full = PCA({ svd_solver = "full" }):fit(rows)
    local blocks = PCA({ svd_solver = "covariance_eigh" }):fit(rows)
    assert_close(blocks.explained_variance_, full.explained_variance_, "variance", 1e-9)
    assert_close(blocks.mean_, full.mean_, "mean", 1e-12)
  end)

  it("chooses its solver as scikit-learn does, and fixes the signs of each", function()
    perilune.manual_seed(3)
    local some = perilune.randn(600, 40)
    local whole = PCA { n_components = 5 }:fit(some)
    local full = PCA { n_components = 5, svd_solver = "full" }:fit(some)
    assert_close(whole.components_, full.components_, "components", 1e-3)
    local largest = whole.components_:gather(2, whole.components_:abs():argmax(2, { keepdim = true }))
    assert.is_true(largest:gt(0):all():item())
  end)

  it("leaves nothing to explain in constant data", function()
    for _, solver in ipairs { "full", "covariance_eigh", "randomized" } do
      local pca = PCA { n_components = 2, svd_solver = solver }:fit(perilune.full({ 10, 3 }, 7.0))
      assert.are.same({ 0.0, 0.0 }, pca.explained_variance_:totable())
      assert.are.same({ 0.0, 0.0 }, pca.explained_variance_ratio_:totable())
      assert.are.equal(0.0, pca.noise_variance_)
      assert.is_true(pca:transform(perilune.full({ 1, 3 }, 7.0)):eq(0):all():item())
    end
  end)

  it("is saved and loaded", function()
    local pca = PCA { n_components = 3, whiten = true }:fit(x)
    local state = assert(serialize.loads(serialize.dumps(pca:state_dict())))
    local back = PCA({}):load_state_dict(state)
    assert.is_true(back:transform(x):eq(pca:transform(x)):all():item())
    assert.are.equal(pca.noise_variance_, back.noise_variance_)
    assert.error_matches(function() back:load_state_dict {} end, "no tensor \"counts\"")
  end)

  it("says what is wrong", function()
    local function fails(pattern, f, ...) assert.error_matches(f, pattern, nil, nil, ...) end
    local fit = function(options, data) return function() return PCA(options):fit(data) end end
    fails("n_components must be", function() PCA { n_components = 1.5 } end)
    fails("n_components must be", function() PCA { n_components = 0 } end)
    fails("svd_solver must be", function() PCA { svd_solver = "arpack" } end)
    fails("unknown option 'n'", function() PCA { n = 2 } end)
    fails("x must be a tensor", fit({}, 3))
    fails("%(samples, features%)", fit({}, perilune.rand(3)))
    fails("float32, float64 or uint8, got int64", fit({}, perilune.arange(1, 6):view(2, 3)))
    fails("at least 2", fit({}, perilune.rand(1, 3)))
    fails("no features", fit({}, perilune.rand(3, 0)))
    fails("n_components is 4 but 5 samples of 3 features", fit({ n_components = 4 }, perilune.rand(5, 3)))
    fails("a fraction", fit({ n_components = 0.5, svd_solver = "randomized" }, perilune.rand(5, 3)))
    for _, bad in ipairs { 0 / 0, math.huge } do
      for _, solver in ipairs { "full", "covariance_eigh", "randomized" } do
        local data = perilune.rand(5, 3)
        data[2][3] = bad
        fails("NaN or infinite", fit({ svd_solver = solver }, data))
      end
    end
    for _, bad in ipairs { 0 / 0, -math.huge } do
      local data = x:clone()
      data[2][3] = bad
      fails("PCA.transform: x has NaN or infinite", function() PCA({}):fit(x):transform(data) end)
    end
    fails("beyond float32", fit({ svd_solver = "covariance_eigh" }, perilune.rand(5, 3) * 1e30))
    fails("call fit", function() PCA({}):transform(x) end)
    fails("x has 5 features but the analysis was fitted with 6", function()
      PCA({}):fit(x):transform(perilune.rand(2, 5, { dtype = "float64" }))
    end)
  end)
end)
