-- The Trainer's loops: the same numbers as a loop by hand, the order of events, the options, errors.
local perilune = require "perilune"
local core = require "perilune.core"
local nn = perilune.nn

local function new_data(n)
  perilune.manual_seed(3)
  local x = perilune.randn(n, 3)
  return perilune.data.TensorDataset(x, x:sum(2, { keepdim = true }))
end

local Net = nn.Module:extend("Net")
function Net:init() self.layer = nn.Linear(3, 1) end
function Net:forward(x) return self.layer(x) end
function Net:training_step(batch)
  local loss = nn.functional.mse_loss(self(batch[1]), batch[2])
  self:log("loss", loss, { on_epoch = true })
  return loss
end
function Net:validation_step(batch) self:log("val_loss", nn.functional.mse_loss(self(batch[1]), batch[2])) end
function Net:test_step(batch) self:log("test_loss", nn.functional.mse_loss(self(batch[1]), batch[2])) end
function Net:configure_optimizers() return perilune.optim.SGD(self:parameters(), { lr = 0.1 }) end

local function new_net()
  perilune.manual_seed(5)
  return Net()
end

local function trainer(given)
  given.enable_progress_bar = false
  return perilune.Trainer(given)
end

local function loader(n, batch_size, given)
  given = given or {}
  given.batch_size = batch_size
  return perilune.data.DataLoader(new_data(n), given)
end

local function by_hand(net, batches, epochs, window, clip, algorithm)
  local optimizer = net:configure_optimizers()
  for _ = 1, epochs do
    local i = 0
    for x, y in batches:iter() do
      i = i + 1
      if (i - 1) % window == 0 then optimizer:zero_grad() end
      (nn.functional.mse_loss(net(x), y) / window):backward()
      if i % window == 0 or i == #batches then
        if clip then nn.utils["clip_grad_" .. (algorithm or "norm") .. "_"](net:parameters(), clip) end
        optimizer:step()
      end
    end
  end
  return net
end

local function same_weights(a, b)
  for name, tensor in pairs(a:state_dict()) do assert.is_true(perilune.equal(tensor, b:state_dict()[name]), name) end
end

describe("Trainer", function()
  it("learns what a loop by hand learns, windows and clipping included", function()
    for _, case in ipairs { { 1 }, { 3 }, { 2, 0.1 }, { 2, 0.1, "value" } } do
      local window, clip, algorithm = table.unpack(case)
      local expected = by_hand(new_net(), loader(20, 4), 3, window, clip, algorithm)
      local net = new_net()
      local run = trainer { max_epochs = 3, accumulate_grad_batches = window, gradient_clip_val = clip or 0,
        gradient_clip_algorithm = algorithm }
      run:fit(net, loader(20, 4))
      same_weights(expected, net)
      assert.equal(3 * ((5 + window - 1) // window), run.global_step)
      assert.equal(run.estimated_stepping_batches, run.global_step)
    end
  end)

  it("weights the mean of an epoch by the size of the batches", function()
    local net, total = new_net(), 0
    local run = trainer { max_epochs = 1 }
    local batches = loader(10, 4)
    for x, y in batches:iter() do total = total + nn.functional.mse_loss(net(x), y):item() * #x end
    local result = run:validate(net, loader(10, 4))
    assert.near(total / 10, result[1].val_loss, 1e-6)
    assert.near(total / 10, run:test(net, loader(10, 4))[1].test_loss, 1e-6)
    assert.equal(run.callback_metrics.test_loss, run:test(nil, loader(10, 4))[1].test_loss)
  end)

  it("logs all values of a table", function()
    local net = new_net()
    function net:validation_step(_, i) self:log_dict({ one = i, two = perilune.tensor(2.0) }, { reduce_fx = "sum" }) end
    assert.same({ { one = 1 + 2, two = 4 } }, trainer {}:validate(net, loader(4, 2)))
    nn.Linear(1, 1):log_dict { alone = 1 }    -- without a Trainer: nothing
  end)

  it("reduces what an epoch logged as it is told", function()
    local net = new_net()
    function net:validation_step(_, i)
      for _, kind in ipairs { "mean", "sum", "min", "max" } do self:log(kind, ({ 3, 1, 8 })[i], { reduce_fx = kind }) end
    end
    local found = trainer {}:validate(net, loader(6, 2))[1]
    assert.same({ mean = 4.0, sum = 12.0, min = 1.0, max = 8.0 }, found)
  end)

  it("goes on in the middle of an epoch where the loader cannot tell its place", function()
    local function plain_loader()
      local batches = {}
      for x, y in loader(20, 4):iter() do batches[#batches + 1] = { x, y } end
      function batches.iter()
        local i = 0
        return function()
          i = i + 1
          if batches[i] then return table.unpack(batches[i]) end
        end
      end
      return batches
    end
    local path, whole, parts = os.tmpname(), new_net(), new_net()
    trainer { max_epochs = 2 }:fit(whole, plain_loader())
    local run = trainer { max_steps = 3 }
    run:fit(parts, plain_loader())
    assert(run:save_checkpoint(path))
    parts = new_net()
    trainer { max_epochs = 2 }:fit(parts, plain_loader(), nil, { ckpt_path = path })
    same_weights(whole, parts)
    os.remove(path)
  end)

  it("predicts in evaluation mode and without gradients; the modes come back", function()
    local net = nn.Sequential { nn.Linear(3, 2), nn.Dropout { p = 0.5 } }
    net[1]:eval()
    local run = trainer {}
    local outputs = run:predict(net, loader(10, 4))
    assert.equal(3, #outputs)
    assert.same({ 4, 2 }, outputs[1].shape)
    assert.is_false(outputs[1].requires_grad)
    local x = loader(10, 4):iter()()
    assert.is_true(perilune.equal(outputs[1], net[1](x)))   -- Dropout did nothing
    assert.is_false(net[1].training)
    assert.is_true(net[2].training and net.training)
  end)

  it("calls hooks in Lightning's order", function()
    local seen = {}
    local callback = { on_validation_end = false }
    for _, name in ipairs { "setup", "on_fit_start", "on_train_start", "on_train_epoch_start", "on_train_batch_start",
      "on_before_zero_grad", "on_before_backward", "on_after_backward", "on_before_optimizer_step", "on_train_batch_end",
      "on_validation_start", "on_validation_batch_end", "on_validation_end", "on_train_epoch_end", "on_train_end",
      "on_fit_end", "teardown" } do
      callback[name] = function(_, run, module)
        assert.equal(run.module, module)
        seen[#seen + 1] = name
      end
    end
    local net = new_net()
    function net:on_train_start() seen[#seen + 1] = "own on_train_start" end -- luacheck: ignore
    trainer { max_epochs = 1, num_sanity_val_steps = 0, callbacks = { callback } }:fit(net, loader(2, 1), loader(1, 1))
    local batch = { "on_train_batch_start", "on_before_zero_grad", "on_before_backward", "on_after_backward",
      "on_before_optimizer_step", "on_train_batch_end" }
    local expected = { "setup", "on_fit_start", "on_train_start", "own on_train_start", "on_train_epoch_start" }
    table.move(batch, 1, 6, 6, expected)
    table.move(batch, 1, 6, 12, expected)
    table.move({ "on_validation_start", "on_validation_batch_end", "on_validation_end", "on_train_epoch_end",
      "on_train_end", "on_fit_end", "teardown" }, 1, 7, 18, expected)
    assert.same(expected, seen)
  end)

  it("stops at max_steps, in the middle of an epoch; limits the batches; validates when told to", function()
    local validations = {}
    local callback = { on_validation_end = function(_, run)
      if not run.sanity_checking then validations[#validations + 1] = run.global_step end
    end }
    local run = trainer { max_epochs = 2, val_check_interval = 0.5, limit_train_batches = 4, callbacks = { callback } }
    run:fit(new_net(), loader(20, 2), loader(4, 2))
    assert.same({ 2, 4, 6, 8 }, validations)
    run = trainer { max_steps = 7 }
    run:fit(new_net(), loader(20, 4))
    assert.same({ 7, 2 }, { run.global_step, run.current_epoch })
    validations = {}
    trainer { max_epochs = 2, val_check_interval = 3, callbacks = { callback } }
      :fit(new_net(), loader(20, 4), loader(4, 2))
    assert.same({ 3, 8 }, validations)
    validations = {}
    trainer { max_epochs = 4, check_val_every_n_epoch = 2, callbacks = { callback } }
      :fit(new_net(), loader(4, 2), loader(4, 2))
    assert.same({ 4, 8 }, validations)
    run = trainer { fast_dev_run = true, default_root_dir = "/nowhere/at/all" }
    run:fit(new_net(), loader(20, 4), loader(4, 2))
    assert.equal(1, run.global_step)
  end)

  it("limits the batches of every stage, by a number or a share", function()
    local counts, callback = {}, {}
    for _, stage in ipairs { "train", "validation", "test", "predict" } do
      callback["on_" .. stage .. "_batch_end"] = function() counts[stage] = (counts[stage] or 0) + 1 end
    end
    local run, net = trainer { max_epochs = 1, num_sanity_val_steps = 0, limit_train_batches = 0.5, limit_val_batches = 3,
      limit_test_batches = 0.26, limit_predict_batches = 1, callbacks = { callback } }, new_net()
    run:fit(net, loader(20, 2), loader(20, 2))
    run:test(net, loader(20, 2))
    run:predict(net, loader(20, 2))
    assert.same({ train = 5, validation = 3, test = 2, predict = 1 }, counts)
    run:validate(net, loader(20, 2))
    assert.equal(6, counts.validation)
  end)

  it("goes on to min_steps when a callback asks it to stop", function()
    local run = trainer { max_epochs = 4, min_steps = 7,
      callbacks = { { on_train_batch_end = function(_, run) run.should_stop = true end } } }
    run:fit(new_net(), loader(20, 4))
    assert.equal(7, run.global_step)
  end)

  it("leaves a sanity check no trace", function()
    local nets = {}
    for i, n in ipairs { 0, 2 } do
      nets[i] = new_net()
      local run = trainer { max_epochs = 1, num_sanity_val_steps = n }
      perilune.manual_seed(9)
      run:fit(nets[i], loader(20, 4, { shuffle = true }), loader(6, 2, { shuffle = true }))
    end
    same_weights(nets[1], nets[2])
  end)

  it("steps schedules after epochs or steps, and plateaus on what they watch", function()
    local rates = {}
    local function fit(make)
      local net = new_net()
      function net.configure_optimizers(self)
        local optimizer = perilune.optim.SGD(self:parameters(), { lr = 1.0 })
        return make(optimizer)
      end
      rates = {}
      trainer { max_epochs = 2, callbacks = { { on_train_batch_end = function(_, run)
        rates[#rates + 1] = run.optimizer.param_groups[1].lr
      end } } }:fit(net, loader(4, 2), loader(4, 2))
      return rates
    end
    local schedulers = perilune.optim.lr_scheduler
    local function step_lr(optimizer) return schedulers.StepLR(optimizer, { step_size = 1, gamma = 0.5 }) end
    assert.same({ 1, 1, 0.5, 0.5 }, fit(function(o) return o, step_lr(o) end))
    assert.same({ 0.5, 0.25, 0.125, 0.0625 }, fit(function(o)
      return { optimizer = o, lr_scheduler = { scheduler = step_lr(o), interval = "step" } }
    end))
    assert.same({ 1, 0.5, 0.5, 0.25 }, fit(function(o)
      return { optimizer = o, lr_scheduler = { scheduler = step_lr(o), interval = "step", frequency = 2 } }
    end))
    assert.same({ 1, 1, 0.1, 0.1 }, fit(function(o)
      local plateau = schedulers.ReduceLROnPlateau(o, { mode = "max", threshold = 1e9, patience = 0,
        threshold_mode = "abs" })
      plateau.best = 1e9
      return { optimizer = o, lr_scheduler = { scheduler = plateau, monitor = "val_loss" } }
    end))
    assert.error_matches(function()
      fit(function(o) return { optimizer = o, lr_scheduler = { scheduler = schedulers.ReduceLROnPlateau(o),
        monitor = "nothing" } } end)
    end, "watches 'nothing', which was not logged; logged: loss")
  end)

  it("does not move frozen parameters, and makes no gradients for them", function()
    local Frozen = Net:extend("Frozen")
    function Frozen:init()
      self.body, self.head = nn.Linear(3, 4), nn.Linear(4, 1)
      self.body:requires_grad_(false)
    end
    function Frozen:forward(x)
      local code = self.body(x)
      self.recorded = code.requires_grad
      return self.head(code)
    end
    local net = Frozen()
    local body, head = net.body.weight:clone(), net.head.weight:clone()
    trainer { max_epochs = 2 }:fit(net, loader(8, 4))
    assert.is_true(perilune.equal(body, net.body.weight))
    assert.is_false(perilune.equal(head, net.head.weight))
    assert.is_nil(net.body.weight.grad)
    assert.is_false(net.recorded)   -- its backward is not even on the tape
  end)

  it("frees what a step makes, unless it is kept", function()
    local net, held = new_net(), {}
    local step = net.training_step
    function net.training_step(self, batch)
      held[1], held[2] = self(batch[1]), self.trainer:keep(self(batch[1]))
      return step(self, batch)
    end
    trainer { max_epochs = 1 }:fit(net, loader(4, 4))
    assert.error_matches(function() return held[1] + 1 end, "freed")
    assert.same({ 4, 1 }, held[2].shape)
  end)

  it("ends at a NaN with the operation's name in anomaly mode, and calls on_exception and teardown", function()
    local net, told = new_net(), {}
    function net.training_step(self, batch) return (self(batch[1]):abs() * -1 - 1):log():mean() end
    local run = trainer { max_epochs = 1, detect_anomaly = true, callbacks = { {
      on_exception = function(_, _, _, message) told[1] = message end, teardown = function() told[2] = true end } } }
    local before = net.layer.weight:clone()
    assert.error_matches(function() run:fit(net, loader(4, 2)) end, "log: the result has a NaN")
    assert.matches("log: the result has a NaN", told[1])
    assert.matches("training_step", run.traceback)
    assert.is_true(told[2])
    assert.is_true(perilune.equal(before, net.layer.weight))
    assert.is_true(perilune.tensor { -1.0 }:log():ne(0):item())   -- the mode is off again
  end)

  it("ends at a loss that is not finite, before it reaches the weights", function()
    local net, step = new_net(), new_net().training_step
    function net.training_step(self, batch, i)
      local loss = step(self, batch)
      return i == 2 and self.trainer.current_epoch == 2 and loss * math.huge or loss
    end
    local held
    local run = trainer { max_epochs = 3, callbacks = { {
      on_train_batch_end = function(_, self) held = self:keep(net.layer.weight:clone()) end } } }
    local fine, message = pcall(run.fit, run, net, loader(6, 2))
    assert.is_false(fine)
    assert.matches("training_step: the loss is inf in epoch 2, batch 2, after 4 optimizer steps; .*detect_anomaly", message)
    assert.equal(4, run.global_step)
    assert.is_true(perilune.equal(held, net.layer.weight))

    function net.training_step(self, batch) return step(self, batch) * (0 / 0) end
    assert.error_matches(function() run:fit(net, loader(6, 2)) end, "the loss is nan in epoch 1, batch 1")
    run = trainer { max_epochs = 1, terminate_on_nan = false }
    run:fit(net, loader(6, 2))   -- as far as it goes
    assert.equal(3, run.global_step)
    assert.is_true(net.layer.weight:isnan():all():item())
  end)

  it("takes a logger that can do no more than log", function()
    local steps, folder = {}, os.tmpname()
    local plain = { log_metrics = function(_, values, at) steps[#steps + 1] = values.loss_step and at end }
    local run = trainer { max_epochs = 1, logger = plain, log_every_n_steps = 1 }
    run:fit(new_net(), loader(4, 2))
    assert.same({ 1, 2 }, steps)
    assert(run:save_checkpoint(folder))
    run = trainer { max_epochs = 2, logger = { plain }, log_every_n_steps = 1 }
    run:fit(new_net(), loader(4, 2), nil, { ckpt_path = folder })
    assert.same({ 1, 2, 3, 4 }, steps)
    os.remove(folder)
    assert.error_matches(function() trainer { logger = { plain, {} } } end, "logger 2 has no log_metrics")
  end)

  it("raises the first error, calls every teardown and closes every logger", function()
    local seen = {}
    local function logger(raises)
      return { log_metrics = function() error("the first") end, finalize = function(_, status)
        seen[#seen + 1] = status
        if raises then error("a later one") end
      end }
    end
    local run = trainer { max_epochs = 1, log_every_n_steps = 1, logger = { logger(true), logger(false) },
      callbacks = { { on_exception = function() error("a later one") end, teardown = function(_, _, _, stage)
        seen[#seen + 1] = stage
        error("a later one")
      end } } }
    assert.error_matches(function() run:fit(new_net(), loader(4, 2)) end, "the first")
    assert.same({ "fit", "failed", "failed" }, seen)
  end)

  it("passes over batches for which training_step returns nil, but not over a whole epoch of them", function()
    local net, learns = new_net(), { true, false, true }
    function net:training_step(batch, i)
      local loss = nn.functional.mse_loss(self(batch[1]), batch[2])
      if i == 2 and learns[self.trainer.current_epoch] then return loss end
    end
    local run = trainer { max_epochs = 3 }
    local fine, message = pcall(run.fit, run, net, loader(6, 2))
    assert.is_false(fine)
    assert.matches("training_step: it returned nil for every batch of epoch 2, so nothing was learnt", message)
    assert.equal(1, run.global_step)
    learns[2] = true
    run:fit(net, loader(6, 2))
    assert.equal(3, run.global_step)
  end)

  it("says what is wrong", function()
    local function fails(pattern, call, ...)
      local fine, message = pcall(call, ...)
      assert.is_false(fine)
      assert.matches(pattern, message)
      assert.matches("trainer_spec.lua:%d+: ", message)
    end
    fails("unknown option 'epochs'; known: max_epochs", function() trainer { epochs = 1 } end)
    fails("val_check_interval must be a number in %[0, 1%]", function() trainer { val_check_interval = 1.5 } end)
    fails("function 'on_epoch_end', which no event calls; known: .*, on_predict_batch_end$", function()
      trainer { callbacks = { { on_epoch_end = function() end } } }
    end)
    local run = trainer { max_epochs = 1 }
    fails("fit: Module has no training_step", function() run:fit(nn.Module(), loader(4, 2)) end)
    fails("a DataLoader is needed .* got nil", function() run:fit(new_net()) end)
    fails("got a data set: data.DataLoader%(dataset", function() run:fit(new_net(), new_data(4)) end)
    for _, name in ipairs { "last", "best" } do
      fails('fit: ckpt_path = "' .. name .. '" needs the callback that', function()
        run:fit(new_net(), loader(4, 2), nil, { ckpt_path = name })
      end)
      fails("validate: ckpt_path .* without enable_checkpointing = false", function()
        trainer { enable_checkpointing = false, callbacks = perilune.callbacks.ModelCheckpoint { dirpath = "none" } }
          :validate(new_net(), loader(4, 2), { ckpt_path = name })
      end)
    end
    fails("no 'best' checkpoint", function()
      trainer { callbacks = perilune.callbacks.ModelCheckpoint { dirpath = "none" } }
        :fit(new_net(), loader(4, 2), nil, { ckpt_path = "best" })
    end)
    local net = new_net()
    local function step_fails(pattern, step)
      net.training_step = step
      local line = debug.getinfo(1, "l").currentline + 1
      local fine, message = pcall(function() run:fit(net, loader(4, 2)) end)
      assert.is_false(fine)
      assert.matches("^[^\n]-trainer_spec.lua:" .. line .. ": " .. pattern, message)
    end
    step_fails("training_step: it must return the loss, .* got 3$", function() return 3 end)
    step_fails(".*got a table whose loss is nil$", function() return { losses = 1 } end)
    step_fails(".*got a tensor %(2, 1%) float32$", function(self, batch) return self(batch[1]) end)
    step_fails(".*no parameter that requires a gradient", function() return perilune.tensor(1.0) end)
    step_fails("training_step: it returned nil for every batch of epoch 1", function() end)
    step_fails("training_step: the loss is nan in epoch 1, batch 1", function(self, batch)
      return self(batch[1]):sum() * (0 / 0)
    end)
    assert.equal("", (coroutine.wrap(core.position)()))   -- no longer the line of a run that is over
    fails("the loader has no batches", function() run:fit(new_net(), loader(1, 2, { drop_last = true })) end)
    fails("val_check_interval = 3 is more than the 2 batches", function()
      trainer { max_epochs = 1, val_check_interval = 3 }:fit(new_net(), loader(4, 2), loader(4, 2))
    end)
    net.training_step = function(self) self:log("x", perilune.ones(2)) end
    assert.error_matches(function() run:fit(net, loader(4, 2)) end, "log: x must be a number or a tensor of one")
    net.training_step = function() error({ code = 7 }) end
    local _, value = pcall(run.fit, run, net, loader(4, 2))
    assert.same({ code = 7 }, value)
  end)
end)
