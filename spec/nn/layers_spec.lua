-- What each layer's constructor accepts, refuses and says of itself.  What they compute: reference_spec.lua and the
-- specs of the operations.
local perilune = require "perilune"
local nn = perilune.nn

local function raises(text, f, ...)
  local fine, message = pcall(f, ...)
  assert.is_false(fine, "no error")
  assert.matches(text, message, 1, true)
end

describe("layers", function()
  it("describe themselves", function()
    local expected = {
      [nn.Conv2d(1, 8, 3, { stride = 2, padding = { 2, 1 } })] =
        "Conv2d(1, 8, kernel_size=(3, 3), stride=(2, 2), padding=(2, 1))",
      [nn.Conv2d(4, 8, { 3, 1 }, { groups = 2, dilation = 2, bias = false })] =
        "Conv2d(4, 8, kernel_size=(3, 1), stride=(1, 1), dilation=(2, 2), groups=2, bias=false)",
      [nn.ConvTranspose2d(4, 2, 3, { stride = 2, output_padding = 1 })] =
        "ConvTranspose2d(4, 2, kernel_size=(3, 3), stride=(2, 2), output_padding=(1, 1))",
      [nn.BatchNorm1d(5)] = "BatchNorm1d(5, eps=1e-05, momentum=0.1, affine=true, track_running_stats=true)",
      [nn.LayerNorm { 3, 4 }] = "LayerNorm((3, 4), eps=1e-05, elementwise_affine=true)",
      [nn.Dropout(0.2)] = "Dropout(p=0.2)",
      [nn.MaxPool2d(2)] = "MaxPool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0), ceil_mode=false)",
      [nn.AdaptiveAvgPool2d { 1, 2 }] = "AdaptiveAvgPool2d(output_size=(1, 2))",
      [nn.Upsample { scale_factor = 2 }] = "Upsample(scale_factor=(2, 2), mode=nearest)",
      [nn.Embedding(10, 3, { padding_idx = 1 })] = "Embedding(10, 3, padding_idx=1)",
      [nn.Unflatten(2, { 4, 3, 3 })] = "Unflatten(dim=2, sizes=(4, 3, 3))",
      [nn.LeakyReLU(0.2)] = "LeakyReLU(negative_slope=0.2)",
      [nn.Softmax(-1)] = "Softmax(dim=-1)",
      [nn.CrossEntropyLoss { reduction = "sum" }] = "CrossEntropyLoss(reduction=sum)",
    }
    for layer, text in pairs(expected) do assert.equal(text, tostring(layer)) end
  end)

  it("refuse bad arguments", function()
    raises("Conv2d: unknown option 'strid'; known: stride, padding, dilation, groups, bias", nn.Conv2d, 1, 8, 3,
      { strid = 2 })
    raises("Conv2d: in_channels must be an integer of at least 1, got 0", nn.Conv2d, 0, 8, 3)
    raises("Conv2d: kernel_size must be an integer or a pair of integers, got nil", nn.Conv2d, 1, 8)
    raises("Conv2d: stride must be at least 1, got 0", nn.Conv2d, 1, 8, 3, { stride = 0 })
    raises("Conv2d: padding must be at least 0, got -1", nn.Conv2d, 1, 8, 3, { padding = -1 })
    raises("in_channels 3 and out_channels 8 must be multiples of groups 2", nn.Conv2d, 3, 8, 3, { groups = 2 })
    raises("ConvTranspose2d: options go into a table", nn.ConvTranspose2d, 1, 8, 3, 2)
    raises("Linear: out_features must be an integer of at least 1, got 2.5", nn.Linear, 3, 2.5)
    raises("BatchNorm2d: momentum must be a number in [0, 1], got 2", nn.BatchNorm2d, 3, { momentum = 2 })
    raises("BatchNorm2d: x has 2 dims, but needs 4 (N, C, H, W)", nn.BatchNorm2d(3), perilune.ones(2, 3))
    raises("Dropout: p must be a number in [0, 1], got 1.5", nn.Dropout, 1.5)
    raises("MaxPool2d: padding 2 is more than half of the kernel 3", nn.MaxPool2d, 3, { padding = 2 })
    raises("Upsample: give either size or scale_factor", nn.Upsample, {})
    raises("Upsample: mode must be one of nearest, bilinear", nn.Upsample, { size = 3, mode = "cubic" })
    raises("Embedding: padding_idx 11 is not in 1 .. 10", nn.Embedding, 10, 3, { padding_idx = 11 })
    raises("Softmax: a dim is needed", nn.Softmax)
    raises("Unflatten: a dim and a table of sizes are needed", nn.Unflatten, 2)
    raises("MSELoss: reduction must be one of none, mean, sum, got \"avg\"", nn.MSELoss, { reduction = "avg" })
    raises("CrossEntropyLoss: option weight must be a tensor", nn.CrossEntropyLoss, { weight = { 1, 2 } })
    raises("CrossEntropyLoss: label_smoothing must be a number in [0, 1], got 1.5", nn.CrossEntropyLoss,
      { label_smoothing = 1.5 })
    raises("SmoothL1Loss: beta must be a number in [0, inf], got -1", nn.SmoothL1Loss, { beta = -1 })
    raises("LayerNorm: eps must be a number in [0, inf], got nan", nn.LayerNorm, 3, { eps = 0 / 0 })
    raises("BatchNorm1d: eps must be a number in [0, inf], got -1", nn.BatchNorm1d, 3, { eps = -1 })
    raises("ELU: alpha must be a number in [-inf, inf], got nan", nn.ELU, { alpha = 0 / 0 })
    raises("LeakyReLU: negative_slope must be a number in [-inf, inf], got nan", nn.LeakyReLU, 0 / 0)
    raises("Softplus: beta must not be 0", nn.Softplus, { beta = 0 })
    raises("Softplus: threshold must be a number in [-inf, inf], got nan", nn.Softplus, { threshold = 0 / 0 })
    local layer = nn.ReLU()
    raises("train: mode must be true or false, got \"x\"", layer.train, layer, "x")
    assert.is_false(layer:train(false).training)
    assert.is_true(layer:train().training)
  end)

  it("are all listed", function()
    local names = {}
    for name in pairs(nn) do names[name] = true end
    for _, name in ipairs { "Module", "Parameter", "Conv2d", "LayerNorm", "KLDivLoss", "init", "functional" } do
      assert.is_true(names[name], name)
    end
    assert.is_nil(nn.Conv3d)
  end)
end)

describe("nn.BatchNorm2d", function()
  it("counts batches and averages over all of them with momentum = false", function()
    local norm = nn.BatchNorm2d(2, { momentum = false })
    local a, b = perilune.randn(4, 2, 3, 3), perilune.randn(4, 2, 3, 3) + 3
    norm(a)
    norm(b)
    assert.equal(2, norm.num_batches_tracked:item())
    local expected = (a:mean({ 1, 3, 4 }) + b:mean({ 1, 3, 4 })) / 2
    assert.is_true((norm.running_mean - expected):abs():max():item() < 1e-6)
  end)

  it("does not count a batch that it refuses", function()
    for _, momentum in ipairs { 0.1, false } do
      local norm = nn.BatchNorm2d(2, { momentum = momentum })
      raises("batch_norm", norm, perilune.randn(4, 3, 2, 2))
      assert.equal(0, norm.num_batches_tracked:item())
    end
  end)

  it("leaves its statistics alone in evaluation mode", function()
    local norm = nn.BatchNorm2d(2):eval()
    local x = perilune.randn(4, 2, 3, 3)
    assert.is_true((norm(x) - x):abs():max():item() < 1e-4)
    assert.equal(0, norm.num_batches_tracked:item())
    local free = nn.BatchNorm2d(2, { track_running_stats = false, affine = false })
    assert.equal(0, #free:parameters())
    local y = free:eval()(x)
    assert.is_true(y:mean({ 1, 3, 4 }):abs():max():item() < 1e-5)
  end)
end)

describe("nn.Dropout", function()
  it("takes p as a number or an option", function()
    assert.equal(0.1, nn.Dropout { p = 0.1 }.p)
    assert.equal(0.1, nn.Dropout(0.1).p)
    assert.equal(0.5, nn.Dropout().p)
    raises("Dropout: unknown option 'q'; known: p", nn.Dropout, { q = 0.1 })
    raises("Dropout: p must be a number in [0, 1], got 2", nn.Dropout, { p = 2 })
    raises("Dropout: option p must be a number, got \"x\"", nn.Dropout, "x")
  end)

  it("scales what it keeps, and passes on in evaluation mode", function()
    perilune.manual_seed(3)
    local layer = nn.Dropout(0.25)
    local x = perilune.ones(100, 100)
    local y = layer(x)
    local kept = y:ne(0):to("float32"):mean():item()
    assert.is_true(math.abs(kept - 0.75) < 0.03)
    assert.is_true(math.abs(y:max():item() - 1 / 0.75) < 1e-6)
    assert.is_true(rawequal(x, layer:eval()(x)))
  end)
end)

describe("nn.Upsample", function()
  it("takes a size or a factor", function()
    local x = perilune.ones(1, 1, 3, 4)
    assert.same({ 1, 1, 6, 8 }, nn.Upsample { scale_factor = 2 } (x).shape)
    assert.same({ 1, 1, 4, 10 }, nn.Upsample { scale_factor = { 1.5, 2.5 }, mode = "bilinear" } (x).shape)
    assert.same({ 1, 1, 5, 7 }, nn.Upsample { size = { 5, 7 }, mode = "bilinear", align_corners = true } (x).shape)
  end)
end)

describe("losses", function()
  it("reduce as they are told", function()
    local x, y = perilune.tensor { { 1.0, 2.0 } }, perilune.tensor { { 0.0, 0.0 } }
    assert.equal(2.5, nn.MSELoss()(x, y):item())
    assert.equal(5, nn.MSELoss { reduction = "sum" } (x, y):item())
    assert.same({ { 1, 4 } }, nn.MSELoss { reduction = "none" } (x, y):totable())
    assert.equal(1.5, nn.L1Loss()(x, y):item())
    assert.equal(1, nn.SmoothL1Loss()(x, y):item())
    assert.is_true(math.abs(nn.BCEWithLogitsLoss()(y, y):item() - math.log(2)) < 1e-6)
    assert.is_true(math.abs(nn.BCELoss()(y + 0.5, y):item() - math.log(2)) < 1e-6)
    assert.equal(0, nn.KLDivLoss { reduction = "batchmean" } (y, y + 1):item())
  end)

  it("keep weights as buffers, which to() converts", function()
    local loss = nn.CrossEntropyLoss { weight = perilune.ones(3) }:to("float64")
    assert.equal("float64", loss.weight.dtype)
    local logits = perilune.zeros({ 2, 3 }, { dtype = "float64" })
    assert.is_true(math.abs(loss(logits, perilune.tensor { 1, 3 }):item() - math.log(3)) < 1e-12)
  end)
end)

describe("Conv2d", function()
  it("keeps the size with padding = same", function()
    local layer = nn.Conv2d(2, 3, { 5, 3 }, { padding = "same", dilation = { 1, 2 } })
    assert.same({ 2, 2 }, layer.padding)
    assert.same({ 1, 3, 6, 9 }, layer(perilune.zeros(1, 2, 6, 9)).shape)
    assert.same({ 1, 3, 2, 5 }, nn.Conv2d(2, 3, { 5, 5 }, { padding = "valid" })(perilune.zeros(1, 2, 6, 9)).shape)
    raises("padding = \"same\" needs stride 1", nn.Conv2d, 1, 1, 3, { padding = "same", stride = 2 })
    raises("padding = \"same\" needs stride 1", nn.Conv2d, 1, 1, 2, { padding = "same" })
    raises("padding must be an integer or a pair of integers, got \"full\"", nn.Conv2d, 1, 1, 2, { padding = "full" })
  end)
end)

describe("nn.utils", function()
  it("clips gradients", function()
    local a, b = nn.Parameter(perilune.ones(2)), nn.Parameter(perilune.ones(2))
    local total = (a * 3):sum()
    total:backward()
    assert.is_true(math.abs(nn.utils.clip_grad_norm_({ a, b }, 1) - math.sqrt(18)) < 1e-5)
    assert.is_true(math.abs(a.grad:norm():item() - 1) < 1e-4)
    nn.utils.clip_grad_value_(a, 0.1)
    assert.is_true(a.grad:max():item() <= 0.1 + 1e-6)
    raises("clip_grad_norm_: a list of parameters is needed", nn.utils.clip_grad_norm_, 3, 1)
    a.grad = perilune.tensor { 3.0, -4.0 }
    assert.equal(4, nn.utils.clip_grad_norm_(a, 10, { norm_type = math.huge }))
    assert.equal(7, nn.utils.clip_grad_norm_(a, 10, 1))
    a.grad = perilune.tensor { 3.0, 1 / 0 }
    raises("clip_grad_norm_: the norm of gradient 1 is inf", nn.utils.clip_grad_norm_, a, 1,
      { error_if_nonfinite = true })
    assert.same({ 3, 1 / 0 }, a.grad:totable())
    assert.equal(1 / 0, nn.utils.clip_grad_norm_(a, 1))
    raises("unknown option 'norm'", nn.utils.clip_grad_norm_, a, 1, { norm = 1 })
  end)
end)
