-- perilune.help has something to say of every public name.
local perilune = require "perilune"
local help = perilune.help

local PARTS = { "nn", "optim", "data", "datasets", "image", "state", "linalg", "autograd", "decomposition", "distributions",
  "manifold", "metrics", "plot", "study", "save", "load", "save_npy", "load_npy", "help", "progress", "Trainer", "callbacks",
  "loggers" }

local function check_all(path, place)
  for name, value in pairs(place) do
    if type(name) == "string" and name:sub(1, 1) ~= "_" then
      local fine, text = pcall(help, value)
      assert.is_true(fine, ("help(perilune.%s%s): %s"):format(path, name, text))
      assert.is_true(#text > 10, path .. name)
      assert.is_nil(text:find("@class", 1, true), path .. name)
    end
  end
end

local function first_line(subject) return help(subject):match("^[^\n]*") end

describe("help", function()
  it("has a text for every public name", function()
    for _, name in ipairs(PARTS) do assert.is_not_nil(perilune[name], name) end
    check_all("", perilune)
    for _, path in ipairs { "nn", "optim", "data", "datasets", "image", "state", "linalg", "autograd", "decomposition",
      "distributions", "manifold", "metrics", "plot", "study", "callbacks", "loggers" } do
      check_all(path .. ".", perilune[path])
    end
    check_all("study.samplers.", perilune.study.samplers)
    check_all("study.pruners.", perilune.study.pruners)
    check_all("study.importance.", perilune.study.importance)
    check_all("study.visualization.", perilune.study.visualization)
    check_all("study.storages.", perilune.study.storages)
    check_all("nn.functional.", perilune.nn.functional)
    check_all("nn.init.", perilune.nn.init)
    check_all("nn.utils.", perilune.nn.utils)
    check_all("optim.lr_scheduler.", perilune.optim.lr_scheduler)
  end)

  it("begins with name and arguments of a class", function()
    local nn, optim = perilune.nn, perilune.optim
    assert.equal("Conv2d(in_channels, out_channels, kernel_size, { options })", first_line(nn.Conv2d))
    assert.equal("Softmax(dim)", first_line(nn.Softmax))
    assert.matches("exp(x) / sum of exp(x) along dim", help(nn.Softmax), 1, true)
    assert.equal("MSELoss({ options })", first_line(nn.MSELoss))
    assert.matches("(input - target)^2", help(nn.MSELoss), 1, true)
    assert.equal("ReLU()", first_line(nn.ReLU))
    assert.matches("^SGD%(parameters, { lr = 0%.001, momentum", help(optim.SGD))
    assert.matches("Options: lr = 1e-3, momentum = 0", help(optim.SGD), 1, true)
    assert.equal("StepLR(optimizer, { step_size, gamma = 0.1 })", first_line(optim.lr_scheduler.StepLR))
    for name in pairs(optim.lr_scheduler) do
      assert.matches("^" .. name .. "%(optimizer, .*\n\nOptions: ", help(optim.lr_scheduler[name]))
    end
    assert.equal("zeros(sizes..., { dtype, requires_grad }) -> tensor", first_line(perilune.zeros))
  end)

  it("knows objects, names and tables", function()
    local nn = perilune.nn
    local layer = nn.Linear(2, 3)
    assert.equal(help(nn.Linear), help(layer))
    assert.equal(help(nn.Linear), help("nn.Linear"))
    assert.equal(help(nn.Linear), help("Linear"))
    assert.equal(help(perilune.randn), help("randn"))
    local optimizer = perilune.optim.Adam(layer:parameters())
    assert.equal(help(perilune.optim.Adam), help(optimizer))
    assert.matches("^a figure: ", help(perilune.plot.line { y = { 1 } }))
    assert.matches("^Points%.", help(perilune.plot.scatter))
    assert.equal(help("StepLR"), help(perilune.optim.lr_scheduler.StepLR(optimizer, { step_size = 1 })))
    assert.matches("^a tensor of shape %(2, 3%), float32\n.*reshape", help(perilune.ones(2, 3)))
    assert.matches("^nn: modules and losses\n.*Conv2d", help(nn))
    local Net = nn.Module:extend("Net")
    assert.matches("^Net%(%)", help(Net))
    assert.matches("parameters, register_buffer", help(nn.Module))
    assert.matches("add_param_group", help(perilune.optim.Optimizer))
    assert.is_string(help(perilune.data.DataLoader(perilune.data.TensorDataset(perilune.ones(2)))))
  end)

  it("tells of the methods of studies and trials, by name and by function, and of what makes trials", function()
    local study = perilune.study
    local s = study.create { sampler = "random" }
    local trial = s:ask()
    for class, object in pairs { Study = s, Trial = trial } do
      local text = help(object)
      assert.equal(text, help(class))
      for name in text:match("Methods: (.-)%."):gmatch("[%w_]+") do
        local method = help(class .. "." .. name)
        assert.equal(method, help(object[name]), name)
        assert.is_true(#method > 30, name)
      end
      for name in text:match("Fields: (.*)%.$"):gsub("%b()", ""):gmatch("[%w_]+") do
        local fine, message = pcall(function() return object[name] end)
        assert.is_true(fine or message:find("no trial is complete yet", 1, true) ~= nil, name)
      end
    end
    assert.matches("objective(trial) returns a number", help(s.optimize), 1, true)
    assert.equal(help(s.optimize), help("study.Study.optimize"))
    assert.equal(help(study.samplers.TPE), help(study.samplers.TPE()))
    assert.equal(help(study.pruners.Hyperband), help(study.pruners.Hyperband()))
    assert.equal(help(study.importance.Fanova), help(study.importance.Fanova()))
  end)

  it("lists everything without an argument", function()
    local text = help()
    for _, name in ipairs { "conv2d", "randn", "Conv2d", "MSELoss", "AdamW", "OneCycleLR", "DataLoader", "no_grad" } do
      assert.matches("%f[%w]" .. name .. "%f[%W]", text)
    end
  end)

  it("finds every public name by the last parts of its path, with or without perilune.", function()
    local manifold, callbacks = perilune.manifold, perilune.callbacks
    for _, place in ipairs { "callbacks", "datasets", "loggers", "manifold", "nn.utils", "study.visualization" } do
      local found = perilune
      for part in place:gmatch("[^.]+") do found = found[part] end
      for name, value in pairs(found) do
        if name ~= "timeline" then
          assert.equal(help(value), help(place .. "." .. name))
          assert.equal(help(value), help("perilune." .. place .. "." .. name))
        end
      end
    end
    assert.equal(help(callbacks.EarlyStopping), help("EarlyStopping"))
    assert.equal(help(perilune.datasets.FashionMNIST), help("FashionMNIST"))
    assert.equal(help(manifold.TSNE), help(manifold.TSNE {}))
    assert.matches("\n\nmethods: fit, fit_transform, transform$", help("TSNE"))
    assert.matches("methods: .*fit_transform.*transform$", help(perilune.decomposition.PCA))
    assert.matches("methods: .*step, zero_grad$", help("Adam"))
    assert.matches("methods: iter, load_state_dict, state_dict$", help("DataLoader"))
    assert.matches("^Writes path, a .png or .svg", help("Figure.save"))
    assert.matches("^The coordinates of the rows of x", help("PCA.transform"))
    assert.matches("^One step along the gradients", help("Adam.step"))
    assert.matches("^One pass of test_step", help("Trainer.test"))
    assert.equal(help("StepLR.get_last_lr"), help("get_last_lr"))
    assert.equal(help(), help("perilune"))
  end)

  it("has a text for every method of a tensor", function()
    for _, name in ipairs { "item", "size", "backward" } do assert.matches("^t:" .. name .. "%(", help(name)) end
    for name in help("Tensor"):match("Methods: (.*)"):gmatch("[%w_]+") do
      local text = help("Tensor." .. name)
      assert.is_true(#text > 15 and not text:find("^Tensor%."), name)
    end
    assert.matches("^In place, .*\n\nadd%(a, b%)", help("add_"))
  end)

  it("lists the things that bear one name, and the names next to one that nothing bears", function()
    local fits = help("fit")
    for _, path in ipairs { "Trainer", "decomposition.PCA", "manifold.TSNE" } do
      assert.matches("\n" .. path .. ".fit: ", fits, 1, true)
      assert.is_string(help(path .. ".fit"))
    end
    assert.matches("\nTrainer.fit: Trains the module.\n", fits, 1, true)
    assert.matches("also: image.save, plot.Figure.save", help("save"), 1, true)
    for wrong, right in pairs { ["nn.Linea"] = "nn.Linear", zeroes = "zeros", stopping = "callbacks.EarlyStopping",
      ["TSNE.fit_transfrom"] = "manifold.TSNE.fit_transform" } do
      local _, message = pcall(help, wrong)
      assert.matches("nothing is named '" .. wrong .. "'; nearest: .*" .. right .. ".*perilune.help%(%)", message)
    end
  end)

  it("has no lines that a terminal must break", function()
    for _, subject in ipairs { "perilune", "nn", "Tensor", "AdamW", "TSNE", "Study" } do
      for line in help(subject):gmatch("[^\n]+") do assert.is_true(#line <= 116, line) end
    end
  end)

  it("refuses what it does not know", function()
    for subject, message in pairs { nothing = "nothing is named 'nothing'", [3] = "nothing is known" } do
      local fine, text = pcall(help, subject)
      assert.is_false(fine)
      assert.matches(message, text, 1, true)
    end
    assert.is_false((pcall(help, nil)))
    assert.is_false((pcall(help, {})))
  end)
end)
