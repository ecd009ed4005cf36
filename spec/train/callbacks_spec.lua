-- Every callback, on runs of a few steps.
local perilune = require "perilune"
local nn, callbacks = perilune.nn, perilune.callbacks

-- A module whose val_loss is what the list says, epoch by epoch.
local Scripted = nn.Module:extend("Scripted")
function Scripted:init(script) self.script, self.layer = script, nn.Linear(1, 1) end
function Scripted:training_step(batch)
  local loss = self.layer(batch[1]):square():mean()
  self:log("loss", loss, { prog_bar = true })
  return loss
end
function Scripted:validation_step() self:log("val_loss", self.script[self.trainer.current_epoch] or 0.0) end
function Scripted:configure_optimizers() return perilune.optim.SGD(self:parameters(), { lr = 0.25 }) end

local function loader() return perilune.data.DataLoader(perilune.data.TensorDataset(perilune.ones(4, 1)), { batch_size = 2 }) end

local function fit(script, given, fit_options)
  given.enable_progress_bar = given.enable_progress_bar or false
  local trainer = perilune.Trainer(given)
  trainer:fit(Scripted(script), loader(), loader(), fit_options)
  return trainer
end

local function shell(command)
  local pipe = assert(io.popen(command))
  local output = pipe:read("a")
  pipe:close()
  return output
end

local function files(folder)
  local list = {}
  for name in shell("ls " .. folder):gmatch("[^\n]+") do list[#list + 1] = name end
  return list
end

describe("EarlyStopping", function()
  local function epochs(script, given)
    given.monitor = "val_loss"
    local stopping = callbacks.EarlyStopping(given)
    return fit(script, { max_epochs = #script, callbacks = { stopping } }).current_epoch, stopping
  end

  it("waits for patience checks without an improvement", function()
    local last, stopping = epochs({ 5, 4, 4, 4.5, 3, 2 }, { patience = 2 })
    assert.equal(4, last)
    assert.same({ 4, 4, 2 }, { stopping.stopped_epoch, stopping.best_score, stopping.wait_count })
    assert.equal(6, (epochs({ 5, 4, 4, 3, 3, 2 }, { patience = 2 })))
    assert.equal(3, (epochs({ 1, 2, 2, 3 }, { patience = 1, mode = "max" })))
    assert.equal(3, (epochs({ 5, 4.0, 3.9, 3.8 }, { patience = 1, min_delta = 0.5 })))
  end)

  it("stops at what is not finite, good enough or hopeless", function()
    assert.equal(2, (epochs({ 5, 0 / 0, 3 }, {})))
    assert.equal(3, (epochs({ 5, 0 / 0, 3 }, { check_finite = false })))
    assert.equal(2, (epochs({ 5, 1, 0.5 }, { stopping_threshold = 2 })))
    assert.equal(2, (epochs({ 5, 10, 0.5 }, { divergence_threshold = 9 })))
  end)

  it("checks after each validation where these are within epochs, or when it is told to", function()
    local function steps(given)
      given.monitor, given.patience = "val_loss", 2
      return fit({ 5, 5, 5, 5 }, { max_epochs = 4, val_check_interval = 1,
        callbacks = { callbacks.EarlyStopping(given) } }).global_step
    end
    assert.equal(3, steps {})   -- in the middle of the second epoch
    assert.equal(6, steps { check_on_train_epoch_end = true })
  end)

  it("respects min_epochs, keeps its count in a state, and names what was logged", function()
    local stopping = callbacks.EarlyStopping { monitor = "val_loss", patience = 1 }
    assert.equal(4, fit({ 1, 2, 3, 4, 5 }, { max_epochs = 5, min_epochs = 4, callbacks = { stopping } }).current_epoch)
    local other = callbacks.EarlyStopping { monitor = "val_loss" }
    other:load_state_dict(stopping:state_dict())
    assert.equal(stopping.wait_count, other.wait_count)
    assert.error_matches(function()
      fit({}, { max_epochs = 1, callbacks = { callbacks.EarlyStopping { monitor = "nothing" } } })
    end, "'nothing' was not logged; logged: loss, val_loss")
    local _, message = pcall(fit, {}, { max_epochs = 1, callbacks = callbacks.EarlyStopping { monitor = "nothing" } })
    assert.matches("callbacks_spec.lua:%d+: EarlyStopping: 'nothing'", message)   -- the line of fit
    assert.error_matches(function() callbacks.EarlyStopping {} end, "monitor is needed")
  end)
end)

describe("ModelCheckpoint", function()
  local root
  before_each(function() root = shell("mktemp -d"):match("%S+") end)
  after_each(function() shell("rm -rf " .. root) end)

  local function run(script, given, more)
    given.dirpath = root
    local checkpoint = callbacks.ModelCheckpoint(given)
    more = more or {}
    more.callbacks, more.max_epochs = { checkpoint }, #script
    return checkpoint, fit(script, more)
  end

  it("keeps the best, under names with their metrics", function()
    local checkpoint = run({ 3, 1, 2, 4 }, { monitor = "val_loss", save_top_k = 2, filename = "{epoch:02d}-{val_loss:.1f}",
      save_last = true })
    assert.same({ "epoch=02-val_loss=1.0.safetensors", "epoch=03-val_loss=2.0.safetensors", "last.safetensors" },
      files(root))
    assert.equal(root .. "/epoch=02-val_loss=1.0.safetensors", checkpoint.best_model_path)
    assert.equal(1, checkpoint.best_model_score)
    assert.equal(checkpoint.best_model_path, callbacks.ModelCheckpoint { dirpath = root, monitor = "val_loss" }:find("best"))
    run({ 3, 1, 0 / 0 }, { monitor = "val_loss", mode = "max", filename = "b{epoch}", auto_insert_metric_name = false })
    assert.equal("b1.safetensors", files(root)[1])
  end)

  it("takes anything for better than NaN", function()
    assert.equal(2, run({ 0 / 0, 2, 3 }, { monitor = "val_loss" }).best_model_score)
    assert.equal(3, run({ 0 / 0, 2, 3 }, { monitor = "val_loss", mode = "max" }).best_model_score)
  end)

  it("saves after each validation where these are within epochs, or when it is told to", function()
    run({ 1, 1 }, { save_top_k = -1, filename = "{step}" }, { val_check_interval = 1 })
    assert.same({ "step=1.safetensors", "step=2.safetensors", "step=3.safetensors", "step=4.safetensors" }, files(root))
    run({ 1, 1 }, { save_top_k = -1, filename = "e{step}", save_on_train_epoch_end = true }, { val_check_interval = 1 })
    assert.same({ "estep=2.safetensors", "estep=4.safetensors" }, { table.unpack(files(root), 1, 2) })
    assert.equal(6, #files(root))
  end)

  it("without a metric keeps the newest, all, or none", function()
    run({ 1, 1, 1 }, {})
    assert.same({ "epoch=3-step=6.safetensors" }, files(root))
    run({ 1, 1, 1 }, { save_top_k = -1 })
    assert.same({ "epoch=1-step=2.safetensors", "epoch=2-step=4.safetensors", "epoch=3-step=6-v1.safetensors",
      "epoch=3-step=6.safetensors" }, files(root))
    shell("rm " .. root .. "/*")
    run({ 1, 1, 1 }, { save_top_k = 0 })
    assert.same({}, files(root))
    run({ 1, 1, 1 }, { save_top_k = 0 }, { enable_checkpointing = false })
    assert.error_matches(function() callbacks.ModelCheckpoint { save_top_k = 3 } end, "needs monitor")
  end)

  it("saves after steps or every few epochs", function()
    run({ 1, 1, 1 }, { every_n_train_steps = 3, save_top_k = -1 })
    assert.same({ "epoch=2-step=3.safetensors", "epoch=3-step=6.safetensors" }, files(root))
    shell("rm " .. root .. "/*")
    run({ 1, 1, 1 }, { every_n_epochs = 2, save_top_k = -1 })
    assert.same({ "epoch=2-step=4.safetensors" }, files(root))
  end)

  it("loads for fit and test; weights alone are not enough for fit", function()
    local checkpoint, trainer = run({ 2, 1, 3 }, { monitor = "val_loss", save_last = true })
    local other = Scripted {}
    trainer:validate(other, loader(), { ckpt_path = "best" })
    local best = require "perilune.train.checkpoint".load(checkpoint.best_model_path)
    assert.is_true(perilune.equal(best.state_dict["layer.weight"], other.layer.weight))
    assert.equal(4, best.loop.global_step)
    local again = fit({ 2, 1, 3 }, { max_epochs = 3, callbacks = { callbacks.ModelCheckpoint { dirpath = root } } },
      { ckpt_path = checkpoint.best_model_path })
    assert.is_true(perilune.equal(trainer.module.layer.weight, again.module.layer.weight))
    assert(trainer:save_checkpoint(root .. "/w.safetensors", { weights_only = true }))
    assert.error_matches(function() fit({}, { max_epochs = 1 }, { ckpt_path = root .. "/w.safetensors" }) end,
      "holds weights only")
    assert.error_matches(function() fit({}, { max_epochs = 1 }, { ckpt_path = root .. "/none" }) end, "none")
    assert.is_nil((trainer:save_checkpoint(root .. "/no/such/folder")))
  end)

  it("gives its weights to a module, and says how where it was loaded as weights", function()
    local checkpoint = run({ 2, 1, 3 }, { monitor = "val_loss" })
    local best = Scripted {}
    local before = best.layer.weight:item()
    best:load_from_checkpoint(checkpoint.best_model_path)
    local expected = perilune.load(checkpoint.best_model_path)["state_dict/layer.weight"]
    assert.is_true(perilune.equal(expected, best.layer.weight))
    assert.not_equal(before, best.layer.weight:item())
    local weights = root .. "/weights.safetensors"
    assert(perilune.save(weights, best:state_dict()))
    assert.error_matches(function() fit({}, { max_epochs = 1 }, { ckpt_path = weights }) end,
      "weights.safetensors: this is not a checkpoint of a Trainer; model:load_from_checkpoint%(path%) loads a file")
    assert.error_matches(function() best:load_state_dict(perilune.load(checkpoint.best_model_path)) end,
      "load_state_dict: this is a Trainer's checkpoint; model:load_from_checkpoint%(path%) takes")
  end)

  it("that does not fit leaves the run as it was", function()
    local checkpoint = run({ 2, 1, 3 }, { monitor = "val_loss", save_last = true })
    local other, batches = Scripted {}, loader()
    local optimizer = perilune.optim.Adam(other:parameters())
    local weight, epoch = other.layer.weight:item(), batches.epoch
    other.layer.weight.grad = perilune.full({ 1, 1 }, 7.0)
    function other.configure_optimizers() return optimizer end
    local function refused(pattern)
      local trainer = perilune.Trainer { max_epochs = 3, enable_progress_bar = false }
      local fine, message = pcall(trainer.fit, trainer, other, batches, loader(), { ckpt_path = checkpoint.last_model_path })
      assert.is_false(fine)
      assert.matches("the checkpoint is not one of this run: " .. pattern, message)
      assert.equal(weight, other.layer.weight:item())
      assert.equal(7, other.layer.weight.grad:item())
      assert.same({ 0.9, 0.999 }, optimizer.param_groups[1].betas)
      assert.same({ {}, epoch }, { optimizer:state_dict().state, batches.epoch })
    end
    refused("it has the state of the optimizer SGD, and configure_optimizers made Adam$")
    optimizer.class_name = "SGD"   -- as if the file did not say whose it is
    refused("load_state_dict: group 1 has no betas, which SGD needs; it has dampening, .*: is it of another optimizer%?")
    optimizer.class_name = nil
    function other.configure_optimizers() return perilune.optim.SGD(other:parameters(), { lr = 3 }) end
    other.more = nn.Parameter(perilune.ones(1))
    refused("load_state_dict: the table does not fit Scripted\n  missing: more$")
    optimizer = perilune.optim.SGD({ other.layer.weight, other.layer.bias }, { lr = 3 })   -- only the weights do not fit
    function other.configure_optimizers() return optimizer end
    local fine, message = pcall(function()
      local trainer = perilune.Trainer { max_epochs = 3, enable_progress_bar = false }
      trainer:fit(other, batches, loader(), { ckpt_path = checkpoint.last_model_path })
    end)
    assert.is_false(fine)
    assert.matches("missing: more", message, 1, true)
    assert.same({ 3, weight, epoch }, { optimizer.param_groups[1].lr, other.layer.weight:item(), batches.epoch })
  end)

  it("removes what killed saves have left, and nothing else", function()
    local lfs = require "lfs"
    local nobody = 1
    while lfs.attributes("/proc/" .. nobody) do nobody = nobody + 1 end
    local self_ = lfs.symlinkattributes("/proc/self", "target") or nobody
    local function leave(name, age_s)
      local file = assert(io.open(root .. "/" .. name, "w"))
      file:close()
      lfs.touch(root .. "/" .. name, os.time() - age_s)
    end
    local kept = { ["a.safetensors.tmp-" .. nobody .. "-0"] = 5,         -- perhaps of another machine
      ["b.safetensors.tmp-" .. self_ .. "-0"] = 1000, ["c.safetensors"] = 1000, ["d.tmp-1-0.txt"] = 1000,
      ["e.npy.tmp-" .. nobody .. "-0"] = 1000 }
    for name, age_s in pairs(kept) do leave(name, age_s) end
    leave("last.safetensors.tmp-" .. nobody .. "-0", 1000)
    leave("epoch=1.safetensors.tmp-" .. nobody .. "-12", 1000)
    fit({}, { max_epochs = 1, callbacks = { callbacks.ModelCheckpoint { dirpath = root, save_top_k = 0, save_last = true } } })
    local left = {}
    for name in lfs.dir(root) do left[name] = true end
    for name in pairs(kept) do assert.is_true(left[name], name) end
    assert.is_nil(left["last.safetensors.tmp-" .. nobody .. "-0"])
    assert.is_nil(left["epoch=1.safetensors.tmp-" .. nobody .. "-12"])
  end)

  for _, detect_anomaly in ipairs { true, false } do
    it("leaves the last good checkpoint when a loss is NaN, detect_anomaly = " .. tostring(detect_anomaly), function()
      local trainer = perilune.Trainer { max_epochs = 3, detect_anomaly = detect_anomaly, enable_progress_bar = false,
        callbacks = { callbacks.ModelCheckpoint { dirpath = root, save_last = true } } }
      local module = Scripted {}
      function module.training_step(self, batch)
        local sign = self.trainer.current_epoch == 2 and -1 or 1
        return (self.layer(batch[1]):abs() * sign + sign):log():mean()
      end
      local fine, message = pcall(trainer.fit, trainer, module, loader())
      assert.is_false(fine)
      assert.matches(detect_anomaly and "log: the result has a NaN" or "the loss is %-?nan in epoch 2, batch 1", message)
      assert.matches("the last good checkpoint is " .. root .. "/last.safetensors", message, 1, true)
      local contents = require "perilune.train.checkpoint".load(root .. "/last.safetensors")
      assert.is_true(contents.state_dict["layer.weight"]:isfinite():all():item())
    end)
  end

  it("does not call a checkpoint good whose weights are NaN", function()
    local checkpoint = callbacks.ModelCheckpoint { dirpath = root, save_last = true, every_n_train_steps = 1 }
    local trainer = perilune.Trainer { max_epochs = 3, enable_progress_bar = false, callbacks = { checkpoint } }
    local module = Scripted {}
    -- The loss is finite, its gradient is not.
    function module.training_step(self, batch) return (self.layer(batch[1]) * 0):sqrt():sum() end
    local fine, message = pcall(trainer.fit, trainer, module, loader())
    assert.is_false(fine)
    assert.matches("the loss is %-?nan", message)
    assert.equal(root .. "/last.safetensors", checkpoint:find("last"))
    assert.is_nil(message:find("last good checkpoint"))
  end)
end)

describe("LearningRateMonitor", function()
  it("logs the rate of each group", function()
    local trainer = fit({}, { max_epochs = 1, callbacks = { callbacks.LearningRateMonitor { log_momentum = true } } })
    assert.equal(0.25, trainer.callback_metrics["lr-SGD"])
    assert.equal(0, trainer.callback_metrics["lr-SGD-momentum"])
    assert.equal(0.25, trainer.logged_metrics["lr-SGD"])
    local rows = {}
    local logger = perilune.loggers.Logger:extend("Rows")()
    function logger.log_metrics(_, values, step) if values["lr-SGD"] then rows[#rows + 1] = step end end
    fit({}, { max_epochs = 2, log_every_n_steps = 2, logger = logger,
      callbacks = { callbacks.LearningRateMonitor { logging_interval = "step" } } })
    assert.same({ 0, 2 }, rows)
  end)
end)

describe("Timer", function()
  it("with interval = \"epoch\" lets the epoch end first", function()
    local function steps(interval)
      local now = 0
      local tick = { on_train_batch_start = function() now = now + 1 end }
      local timer = callbacks.Timer { duration = 3, interval = interval, clock = function() return now end }
      return fit({}, { max_epochs = 10, callbacks = { tick, timer } }).global_step
    end
    assert.equal(3, steps("step"))
    assert.equal(4, steps("epoch"))
  end)

  it("measures, ends the run, and counts on from a state", function()
    local now = 0
    local timer = callbacks.Timer { duration = "00:00:00:03", clock = function() return now end }
    local tick = { on_train_batch_start = function() now = now + 1 end }
    local trainer = fit({}, { max_epochs = 10, callbacks = { tick, timer } })
    assert.equal(3, trainer.global_step)
    assert.same({ 3, 0 }, { timer:time_elapsed(), timer:time_remaining() })
    local other = callbacks.Timer { duration = 4 }
    other:load_state_dict(timer:state_dict())
    assert.equal(1, other:time_remaining())
    assert.error_matches(function() callbacks.Timer { duration = "soon" } end, "duration must be")
  end)
end)

describe("ProgressBar", function()
  it("shows epochs, metrics and the rate; plain lines where there is no terminal", function()
    local lines = {}
    local stream = { write = function(_, ...) lines[#lines + 1] = table.concat { ... } end, flush = function() end }
    local bar = callbacks.ProgressBar { stream = stream }
    local trainer = fit({}, { max_epochs = 2, callbacks = { bar }, num_sanity_val_steps = 0 })
    assert.equal(2, #lines)
    assert.matches("^epoch 1/2  2/2  .* it/s  00:00  loss=%d", lines[1])
    trainer:validate(nil, loader())
    assert.matches("^validate  2/2", lines[3])
  end)
end)

describe("the progress bar's metrics", function()
  it("are those of step and epoch where both are logged, else the one", function()
    for _, case in ipairs {
      { { on_step = true, on_epoch = true }, { "loss_epoch", "loss_step" } },
      { { on_epoch = true }, { "loss_epoch", "loss_step" } },   -- a training step's on_step is true
      { { on_step = false, on_epoch = true }, { "loss" } }, { {}, { "loss" } },
    } do
      local module, trainer = Scripted {}, perilune.Trainer { max_epochs = 1, enable_progress_bar = false }
      function module:training_step(batch)
        local loss = self.layer(batch[1]):square():mean()
        case[1].prog_bar = true
        self:log("loss", loss, case[1])
        return loss
      end
      trainer:fit(module, loader())
      local names = {}
      for name in pairs(trainer.progress_bar_metrics) do names[#names + 1] = name end
      table.sort(names)
      assert.same(case[2], names)
      assert.is_number(trainer.callback_metrics.loss)
    end
  end)
end)

describe("a callback of one's own", function()
  it("has its state in the checkpoint, and a say in it", function()
    local path = os.tmpname()
    local Counter = callbacks.Callback:extend("Counter")
    function Counter:init() self.count = 0 end
    function Counter:on_train_batch_end() self.count = self.count + 1 end
    function Counter:state_dict() return { count = self.count } end
    function Counter:load_state_dict(dict) self.count = dict.count end
    function Counter.on_save_checkpoint(_, _, _, contents) contents.note = "mine" end
    function Counter:on_load_checkpoint(_, _, contents) self.note = contents.note end
    local trainer = fit({}, { max_epochs = 2, callbacks = { Counter() } })
    assert(trainer:save_checkpoint(path))
    local counter = Counter()
    fit({}, { max_epochs = 3, callbacks = { counter } }, { ckpt_path = path })
    os.remove(path)
    assert.same({ 6, "mine" }, { counter.count, counter.note })
  end)
end)

describe("a Trainer's callbacks", function()
  it("may be one that is not in a list", function()
    local stopping = callbacks.EarlyStopping { monitor = "val_loss", patience = 1 }
    assert.equal(2, fit({ 1, 2, 3 }, { max_epochs = 3, callbacks = stopping }).current_epoch)
    local epochs = 0
    fit({ 1, 2 }, { max_epochs = 2, callbacks = { on_train_epoch_end = function() epochs = epochs + 1 end } })
    assert.equal(2, epochs)
  end)
end)

describe("Pruning", function()
  -- A pruner that gives a trial up at values over 4.
  local function study()
    return perilune.study.create { pruner = { prune = function(_, _, record)
      local values = record.intermediate_values
      return values[#values] > 4
    end } }
  end

  local function objective(trial)
    local script = trial.number == 0 and { 3, 2, 1 } or { 3, 5, 1 }
    local trainer = fit(script, { max_epochs = 3, callbacks = { callbacks.Pruning(trial, { monitor = "val_loss" }) } })
    return trainer.callback_metrics.val_loss
  end

  it("reports each validation, and ends the fit and the objective of a hopeless trial", function()
    local search = study()
    search:optimize(objective, { n_trials = 2 })
    local kept, pruned = search.trials[1], search.trials[2]
    assert.same({ "COMPLETE", { 3, 2, 1 } }, { kept.state, kept.intermediate_values })
    assert.same({ "PRUNED", { 3, 5 }, 5 }, { pruned.state, pruned.intermediate_values, pruned.value })
  end)

  it("reports each epoch where there is no validation, and not what validate() finds", function()
    local search, module = study(), Scripted {}
    search:optimize(function(trial)
      local trainer = perilune.Trainer { max_epochs = 2, enable_progress_bar = false,
        callbacks = { callbacks.Pruning(trial, { monitor = "loss" }) } }
      trainer:fit(module, loader())
      trainer:validate(module, loader())
      return 1
    end, { n_trials = 1 })
    assert.equal(2, #search.trials[1].intermediate_values)
  end)

  it("says what is missing", function()
    assert.error_matches(function() callbacks.Pruning(3, { monitor = "loss" }) end, "Pruning: the first argument must be")
    assert.error_matches(function() callbacks.Pruning(study():ask()) end, "Pruning: monitor is needed")
    local trial = study():ask()
    assert.error_matches(function()
      fit({ 1 }, { max_epochs = 1, callbacks = { callbacks.Pruning(trial, { monitor = "accuracy" }) } })
    end, "Pruning: 'accuracy' was not logged; logged: loss, val_loss")
  end)
end)
