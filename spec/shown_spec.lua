-- What the REPL shows of an object: one line with its class and what matters.
local perilune = require "perilune"
local shown = require "perilune.shown"
local data, optim, callbacks = perilune.data, perilune.optim, perilune.callbacks
local schedules = optim.lr_scheduler

local function parameters(n)
  local list = {}
  for i = 1, n do list[i] = perilune.nn.Parameter(perilune.ones(1)) end
  return list
end

describe("an object prints", function()
  it("data sets and loaders", function()
    local pairs_of = data.TensorDataset(perilune.ones(5, 2), perilune.arange(1, 5))
    assert.equal("TensorDataset(5 samples, tensor (5, 2) float32, tensor (5) int64)", tostring(pairs_of))
    assert.equal("Subset(2 samples of " .. tostring(pairs_of) .. ")", tostring(data.Subset(pairs_of, { 1, 2 })))
    local test = perilune.datasets.FashionMNIST { split = "test" }
    assert.equal("FashionMNIST(test, 10000 images of 1x28x28)", tostring(test))
    assert.equal("DataLoader(79 batches of FashionMNIST(test, 10000 images of 1x28x28), batch_size = 128, shuffle = true)",
      tostring(data.DataLoader(test, { batch_size = 128, shuffle = true })))
    assert.equal("DataLoader(0 batches of a table)", tostring(data.DataLoader { get = function() end }))
  end)

  it("optimizers and schedules, as they are now", function()
    local sgd = optim.SGD(parameters(2))
    local rest = "momentum = 0, dampening = 0, weight_decay = 0, nesterov = false, maximize = false"
    assert.equal("SGD(2 parameters, lr = 0.001, " .. rest .. ")", tostring(sgd))
    local schedule = schedules.StepLR(sgd, { step_size = 1 })
    schedule:step()
    assert.equal("StepLR(epoch 1, lr = 0.0001, step_size = 1)", tostring(schedule))
    sgd:add_param_group { params = parameters(1), lr = 2 }
    assert.equal("SGD(\n  group 1: 2 parameters, lr = 0.0001, " .. rest .. "\n  group 2: 1 parameter, lr = 2, " .. rest
      .. "\n)", tostring(sgd))
    local adam = optim.Adam(parameters(1))
    assert.matches("betas = { 0.9, 0.999 }, eps = 1e-08", tostring(adam), 1, true)
    for name in pairs(schedules) do assert.equal("lr_scheduler." .. name, tostring(schedules[name])) end
  end)

  it("Trainer, callbacks and loggers", function()
    local stop = callbacks.EarlyStopping { monitor = "loss", patience = 5 }
    assert.equal("Trainer(max_epochs = 1000, callbacks = { EarlyStopping(monitor = \"loss\", patience = 5), a table })",
      tostring(perilune.Trainer { callbacks = { stop, {} } }))
    assert.equal("Timer(duration = 3)", tostring(callbacks.Timer { duration = 3 }))
    assert.equal("Mine()", tostring(callbacks.Callback:extend("Mine")()))
    assert.equal("Early(monitor = \"x\")", tostring(stop:extend("Early") { monitor = "x" }))
    local folder = os.tmpname()
    os.remove(folder)
    local logger = perilune.loggers.CSVLogger(folder, { name = "", version = "a" })
    assert.equal(("CSVLogger(%q)"):format(folder .. "/a"), tostring(logger))
    assert.equal("Mine()", tostring(perilune.loggers.Logger:extend("Mine")()))
  end)

  it("PCA, TSNE and distributions", function()
    assert.equal("PCA()", tostring(perilune.decomposition.PCA()))
    assert.equal("PCA(n_components = 2, whiten = true)",
      tostring(perilune.decomposition.PCA { n_components = 2, whiten = true }))
    assert.equal("TSNE()", tostring(perilune.manifold.TSNE()))
    assert.equal("TSNE(perplexity = 10, init = tensor (3, 2) float32, callbacks = { a function })",
      tostring(perilune.manifold.TSNE { perplexity = 10, init = perilune.ones(3, 2), callbacks = print }))
    assert.equal("Normal(loc = 0.5, scale = tensor (3) float32)",
      tostring(perilune.distributions.Normal(perilune.tensor(0.5), perilune.ones(3))))
  end)

  it("the tables of the library", function()
    assert.matches("^perilune %d[%d.]+: autograd, data, .*nn, optim, .*Trainer, %.%.%.; print%(perilune%.help%(%)%)",
      tostring(perilune))
    assert.equal("perilune.data: DataLoader, Subset, TensorDataset, random_split; perilune.help(perilune.data) tells more",
      tostring(data))
    for _, path in ipairs { "nn", "nn.functional", "nn.init", "nn.utils", "optim", "optim.lr_scheduler", "data", "datasets",
      "image", "state", "linalg", "autograd", "decomposition", "distributions", "manifold", "metrics", "plot", "callbacks",
      "loggers" } do
      local place = perilune
      for name in path:gmatch("[^.]+") do place = place[name] end
      assert.equal("perilune." .. path .. ": ", tostring(place):match("^[^:]*: "))
    end
  end)

  it("on a line of bounded length", function()
    local numbers = {}
    for i = 1, 1000 do numbers[i] = i end
    assert.equal("{ 1, 2, 3, 4, ... }", shown.value(numbers))
    assert.is_true(#shown.value(("x"):rep(1000)) < 80)
    assert.equal("{ a table, \"b\" }", shown.value { { 1 }, "b" })
  end)
end)
