-- Whole small networks against PyTorch: keys, shapes, outputs, gradients, buffers.
local perilune = require "perilune"
local behaviour = require "support.behaviour"
local cjson = require "cjson"
local close = require "support.close"
local reference = require "support.reference"
local nn = perilune.nn

local recorded, metadata = reference.load("spec/reference/nn.safetensors")

local function tensor_of(entry, dtype)
  if entry.dtype == "I64" then dtype = "int64" end
  local flat = perilune.tensor(entry.values, { dtype = dtype })
  return #entry.shape == 0 and flat:reshape({}) or flat:reshape(entry.shape)
end

local function is_zero(values, bound)
  for _, value in ipairs(values) do
    if math.abs(value) > bound then return false end
  end
  return true
end

local function check(name, actual, dtype)
  local expected = recorded[name]
  assert.same(expected.shape, actual.shape, name)
  local tolerance = dtype == "float32" and 2e-5 or 1e-10
  local values = actual:contiguous():reshape({ actual:numel() }):totable()
  if is_zero(expected.values, 1e-13) then   -- the gradient of a bias before a BatchNorm
    assert.is_true(is_zero(values, dtype == "float32" and 1e-6 or 1e-13), name)
    return
  end
  assert.is_nil(close.differs(name, values, expected.values, expected.shape, tolerance))
end

local networks = {}

function networks.autoencoder()
  local n, d = 2, 3
  local encoder = nn.Sequential {
    nn.Conv2d(1, n, 3, { stride = 2, padding = 2 }), nn.ReLU(),
    nn.Conv2d(n, 2 * n, 3, { stride = 2, padding = 1 }), nn.ReLU(),
    nn.Conv2d(2 * n, 4 * n, 3, { stride = 2 }), nn.ReLU(),
    nn.Flatten(), nn.Linear(36 * n, 64), nn.ReLU(), nn.Linear(64, d),
  }
  local decoder = nn.Sequential {
    nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, 36 * n), nn.ReLU(), nn.Unflatten(2, { 4 * n, 3, 3 }),
    nn.ConvTranspose2d(4 * n, 2 * n, 3, { stride = 2 }), nn.ReLU(),
    nn.ConvTranspose2d(2 * n, n, 3, { stride = 2, padding = 1, output_padding = 1 }), nn.ReLU(),
    nn.ConvTranspose2d(n, 1, 3, { stride = 2, padding = 1, output_padding = 1 }), nn.Sigmoid(),
  }
  return nn.Sequential { { "encoder", encoder }, { "decoder", decoder } }, nn.MSELoss()
end

function networks.normed(dtype)
  local weight = perilune.tensor({ 1.0, 2.0, 0.5 }, { dtype = dtype })
  return nn.Sequential {
    nn.Conv2d(2, 4, 3, { padding = 1, bias = false }), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(4, 6, { 3, 1 }, { groups = 2 }), nn.BatchNorm2d(6, { momentum = 0.3 }), nn.LeakyReLU(0.1),
    nn.AvgPool2d(2, { stride = 1 }), nn.Upsample { scale_factor = 2, mode = "bilinear" }, nn.AdaptiveAvgPool2d(2),
    nn.Flatten(), nn.Linear(24, 5), nn.BatchNorm1d(5, { affine = false }), nn.ELU(), nn.Linear(5, 3),
  }, nn.CrossEntropyLoss { weight = weight, label_smoothing = 0.1 }
end

function networks.text()
  local Text = nn.Module:extend("Text")
  function Text:init()
    self.table = nn.Embedding(11, 8, { padding_idx = 3 })
    self.norm = nn.LayerNorm(8)
    self.blocks = nn.ModuleList {
      nn.Sequential { nn.Linear(8, 8), nn.GELU() }, nn.Sequential { nn.Linear(8, 8), nn.SiLU() },
    }
    self.head = nn.Linear(6 * 8, 4)
  end
  function Text:forward(index)
    local x = self.norm(self.table(index))
    for _, block in ipairs(self.blocks) do x = x + block(x) end
    return self.head(x:flatten(2)):log_softmax(2)
  end
  return Text(), nn.NLLLoss()
end

local function fill(model, name, dtype)
  local dict = {}
  for key in pairs(model:state_dict()) do
    local entry = recorded[name .. "/param/" .. key] or recorded[name .. "/buffer/" .. key]
    dict[key] = tensor_of(entry, dtype)
  end
  model:load_state_dict(dict)
end

describe("a network of layers", function()
  for name, build in pairs(networks) do
    it(name .. " has PyTorch's keys, in its order", function()
      local keys = {}
      for key in pairs((build("float32")):state_dict()) do keys[#keys + 1] = key end
      assert.same(cjson.decode(metadata[name .. "/keys"]), keys)
    end)

    for _, dtype in ipairs { "float32", "float64" } do
      it(name .. " computes what PyTorch's does in " .. dtype, function()
        local model, criterion = build(dtype)
        model:to(dtype)
        fill(model, name, dtype)
        local x = tensor_of(recorded[name .. "/input"], dtype)
        local is_index = x.dtype == "int64"
        if not is_index then x.requires_grad = true end
        local y = model(x)
        local loss = criterion(y, tensor_of(recorded[name .. "/target"], dtype))
        loss:backward()
        check(name .. "/output", y, dtype)
        check(name .. "/loss", loss, dtype)
        if not is_index then check(name .. "/input_grad", x.grad, dtype) end
        for key, tensor in model:named_parameters() do check(name .. "/grad/" .. key, tensor.grad, dtype) end
        for key, tensor in model:named_buffers() do check(name .. "/after/" .. key, tensor, dtype) end
        model:eval()
        check(name .. "/eval", model(x:detach()), dtype)
      end)
    end
  end
end)

describe("default initialisation", function()
  local expected = cjson.decode(metadata.init)

  -- 1,000 and more draws: the extremes of uniform ones agree to a part in a hundred, spreads to a few.
  local function resembles(name, tensor, uniform)
    local e = expected[name]
    local n = tensor:numel()
    local largest = math.max(tensor:max():item(), -tensor:min():item())
    assert.is_true(math.abs(tensor:mean():item() - e.mean) < 8 * e.std / math.sqrt(n), name .. ": mean")
    assert.is_true(math.abs(tensor:std():item() / e.std - 1) < 6 / math.sqrt(n), name .. ": std")
    if uniform then assert.is_true(math.abs(largest / e.largest - 1) < 0.03, name .. ": largest") end
  end

  it("is PyTorch's", function()
    perilune.manual_seed(1)
    local layers = { Linear = nn.Linear(300, 200), Conv2d = nn.Conv2d(32, 64, { 3, 5 }, { groups = 2 }),
      ConvTranspose2d = nn.ConvTranspose2d(64, 32, { 3, 5 }, { groups = 2 }), Embedding = nn.Embedding(300, 100) }
    for class, layer in pairs(layers) do
      for key, tensor in layer:named_parameters() do
        local name = class .. "." .. key
        assert.same(expected[name].shape, tensor.shape)
        if tensor:numel() > 1000 then
          resembles(name, tensor:detach(), class ~= "Embedding")
        else
          local largest = tensor:detach():abs():max():item()
          assert.is_true(largest <= expected[name].largest * 1.1 and largest > expected[name].largest * 0.8, name)
        end
      end
    end
  end)

  it("has PyTorch's initialisers", function()
    perilune.manual_seed(2)
    local cases = { xavier_uniform_ = 1.5, kaiming_uniform_ = { a = 0.3 },
      kaiming_normal_ = { mode = "fan_out", nonlinearity = "relu" } }
    for _, name in ipairs { "xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_" } do
      local weight = perilune.empty(60, 20, 3, 3)
      assert.equal(weight, nn.init[name](weight, cases[name]))
      resembles("init." .. name, weight, name:find("uniform") ~= nil)
    end
    local weight = nn.init.trunc_normal_(perilune.empty(60, 20, 3, 3), 0, 1.5)
    resembles("init.trunc_normal_", weight, true)
  end)
end)

describe("initialisers", function()
  it("cut a normal distribution off, and come to an end however wide it is", function()
    local function moments(...)
      local t = nn.init.trunc_normal_(perilune.empty(50000), ...):to("float64")
      return t:mean():item(), t:std():item(), t:min():item(), t:max():item()
    end
    -- [0, 2] of N(0, 1): mean (phi(0) - phi(2)) / (Phi(2) - Phi(0)), by scipy.stats.truncnorm.
    local mean, std, low, high = moments(0, 1, 0, 2)
    assert.near(0.72279, mean, 0.01)
    assert.near(0.50131, std, 0.01)
    assert.is_true(low >= 0 and high <= 2)
    mean = moments(-1, 1, 0, 2)
    assert.near(0.51005, mean, 0.01)
    mean, std = moments(0, 1e30, -1, 1)                    -- as good as uniform
    assert.near(0, mean, 0.02)
    assert.near(3 ^ -0.5, std, 0.01)
    assert.same({ 0.5, 0.0, 0.5, 0.5 }, { moments(0.5, 0) })
    assert.error_matches(function() moments(0, -1) end, "trunc_normal_: std must be a number in %[0, inf%]")
  end)

  it("make constants and ranges", function()
    local t = perilune.empty(50, 40)
    assert.equal(2000, nn.init.ones_(t):sum():item())
    assert.equal(0, nn.init.zeros_(t):sum():item())
    assert.equal(2.5, nn.init.constant_(t, 2.5):max():item())
    nn.init.uniform_(t, 2, 3)
    assert.is_true(t:min():item() >= 2 and t:max():item() <= 3)
    nn.init.normal_(t, 5, 0.1)
    assert.is_true(math.abs(t:mean():item() - 5) < 0.02)
  end)

  it("fill parameters that are on the tape", function()
    local layer = nn.Linear(3, 3)
    nn.init.zeros_(layer.weight)
    assert.is_true(layer.weight.requires_grad and layer.weight.is_leaf)
    assert.equal(0, layer.weight:detach():abs():sum():item())
  end)

  it("hand channels on with dirac_, and write the identity", function()
    for i, case in ipairs(behaviour.dirac) do
      local shape = {}
      for d, size in ipairs(case.shape) do shape[d] = math.tointeger(size) end
      local weight = nn.init.dirac_(perilune.randn(shape), math.tointeger(case.groups))
      assert.same(case.values, weight:reshape(-1):totable(), "case " .. i)
    end
    assert.same({ { 1, 0, 0 }, { 0, 1, 0 } }, nn.init.eye_(perilune.randn(2, 3)):totable())
    assert.has_error(function() nn.init.eye_(perilune.ones(3)) end)
    assert.has_error(function() nn.init.dirac_(perilune.ones(3, 3)) end)
    assert.has_error(function() nn.init.dirac_(perilune.ones(3, 2, 1), 2) end)
  end)

  it("leave a share of each column empty with sparse_", function()
    local t = nn.init.sparse_(perilune.ones(50, 40), 0.33, 2)
    for _, zeros in ipairs(t:eq(0):sum(1):totable()) do assert.equal(17, zeros) end
    assert.near(2, t[t:ne(0)]:std():item(), 0.2)
    assert.has_error(function() nn.init.sparse_(t, 1.5) end)
    assert.equal(0, nn.init.sparse_(t, 1):abs():sum():item())
  end)

  it("make orthogonal matrices", function()
    for _, shape in ipairs { { 5, 3 }, { 3, 5 }, { 4, 2, 2 } } do
      local rows = shape[1]
      local q = nn.init.orthogonal_(perilune.empty(shape), 2):reshape(rows, -1)
      local small = rows <= q.shape[2] and q:matmul(q:t()) or q:t():matmul(q)
      local n = small.shape[1]
      assert.is_true((small - perilune.eye(n) * 4):abs():max():item() < 1e-5)
    end
  end)

  it("know gains and fans", function()
    assert.equal(5 / 3, nn.init.calculate_gain("tanh"))
    assert.is_true(math.abs(nn.init.calculate_gain("leaky_relu", 0.2) - math.sqrt(2 / 1.04)) < 1e-12)
    assert.same({ 18, 36 }, { nn.init.calculate_fans(perilune.empty(4, 2, 3, 3)) })
    for _, bad in ipairs {
      function() nn.init.calculate_gain("swish") end,
      function() nn.init.xavier_uniform_(perilune.empty(3)) end,
      function() nn.init.kaiming_normal_(perilune.empty(3, 3), { mode = "fan" }) end,
      function() nn.init.kaiming_normal_(perilune.empty(3, 3), { mod = "fan_in" }) end,
      function() nn.init.trunc_normal_(perilune.empty(3), 100) end,
      function() nn.init.uniform_(3) end,
    } do
      assert.has_error(bad)
    end
  end)
end)
