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

  it("studies, trials, samplers, pruners and storages", function()
    local study = perilune.study
    study.set_verbosity("off")
    local s = study.create { study_name = "cae", sampler = study.samplers.TPE { seed = 3, n_startup_trials = 5 } }
    assert.equal('Study("cae", minimize, 0 trials)', tostring(s))
    s:optimize(function(trial) return trial:suggest_float("x", 0, 0) + 0.25 end, { n_trials = 1 })
    assert.equal('Study("cae", minimize, 1 trial, best_value = 0.25)', tostring(s))
    assert.equal("Trial(0, COMPLETE, value = 0.25, params = { x = 0 })", tostring(s.trials[1]))
    local trial = s:ask()
    assert.equal("Trial(1, RUNNING)", tostring(trial))
    trial:suggest_categorical("kind", { "a" })
    assert.equal('Trial(1, RUNNING, params = { kind = "a" })', tostring(trial))
    assert.equal('Trial(1, RUNNING, params = { kind = "a" })', tostring(s.trials[2]))
    local two = study.create { directions = { "minimize", "maximize" } }
    two:optimize(function() return 1, 2 end, { n_trials = 1 })
    assert.equal('Study("study", minimize, maximize, 1 trial)', tostring(two))
    assert.equal("Trial(0, COMPLETE, values = { 1, 2 })", tostring(two.trials[1]))
    assert.equal("TPESampler(seed = 3, n_startup_trials = 5)", tostring(s.sampler))
    assert.equal("GridSampler(6 points of x, y, seed = 4)", tostring(study.samplers.Grid({ x = { 1, 2 }, y = { 1, 2, 3 } },
      { seed = 4 })))
    assert.equal("PartialFixedSampler({ x = 1 }, RandomSampler(seed = 1))",
      tostring(study.samplers.PartialFixed({ x = 1 }, study.samplers.Random { seed = 1 })))
    assert.equal("QMCSampler(qmc_type = \"halton\", seed = 2)", tostring(study.samplers.QMC { qmc_type = "halton", seed = 2 }))
    assert.equal("PercentilePruner(50, n_startup_trials = 3)", tostring(study.pruners.Median { n_startup_trials = 3 }))
    assert.equal("HyperbandPruner(max_resource = 30)", tostring(study.pruners.Hyperband { max_resource = 30 }))
    assert.equal("PatientPruner(NopPruner(), patience = 2)", tostring(study.pruners.Patient(study.pruners.Nop(), 2)))
    assert.equal("FloatDistribution(0.0001, 1, log = true)", tostring(study.FloatDistribution(1e-4, 1, { log = true })))
    assert.equal("IntDistribution(1, 9, step = 2)", tostring(study.IntDistribution(1, 10, { step = 2 })))
    assert.equal("IntDistribution(1, 10)", tostring(study.IntDistribution(1, 10)))
    assert.equal('CategoricalDistribution({ "a", true, null })',
      tostring(study.CategoricalDistribution { "a", true, study.null }))
    assert.equal("InMemoryStorage(1 study)", tostring(s.storage))
    local path = os.tmpname()
    assert.equal(('RDBStorage("sqlite:///%s", max_retry = 1)'):format(path),
      tostring(study.storages.RDB("sqlite:///" .. path, { max_retry = 1 })))
    os.remove(path)
    study.set_verbosity("warning")
  end)

  it("the tables of the library", function()
    assert.matches("^perilune %d[%d.]+: autograd, data, .*nn, optim, .*Trainer, %.%.%.; print%(perilune%.help%(%)%)",
      tostring(perilune))
    assert.equal("perilune.data: DataLoader, Subset, TensorDataset, random_split; perilune.help(perilune.data) tells more",
      tostring(data))
    for _, path in ipairs { "nn", "nn.functional", "nn.init", "nn.utils", "optim", "optim.lr_scheduler", "data", "datasets",
      "image", "state", "linalg", "autograd", "decomposition", "distributions", "manifold", "metrics", "plot", "callbacks",
      "loggers", "study", "study.samplers", "study.pruners", "study.storages", "study.importance", "study.visualization" } do
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
