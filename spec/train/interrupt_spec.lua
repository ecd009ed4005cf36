-- Ctrl-C: a real SIGINT at a child, as a script and in the REPL.
local interrupt = require "perilune.train.interrupt"

local BUILD = os.getenv("PERILUNE_BUILD") or "build"

-- The child says "started" before it is interrupted; what comes after fit goes through its standard input.
local SCRIPT = [[
export LUA_PATH='./lua/?.lua;./lua/?/init.lua;;' LUA_CPATH='./%s/?.so;;'
mkfifo %s/in
lua5.4 -i <%s/in >%s/out 2>&1 &
child=$!
exec 3>%s/in
echo 'arg = { "%s", "1000", "slow" }; trainer = dofile "spec/support/training_run.lua"' >&3
n=0; until grep -q started %s/out || [ $n -gt 100 ]; do sleep 0.05; n=$((n + 1)); done
sleep 0.3
kill -INT $child
echo 'print("alive", trainer.interrupted, trainer.global_step > 0)' >&3
exec 3>&-
wait $child
]]

local function shell(command)
  local pipe = assert(io.popen("(" .. command .. ") 2>&1"))
  local output = pipe:read("a")
  pipe:close()
  return output
end

describe("Ctrl-C", function()
  local root

  before_each(function() root = shell("mktemp -d"):match("%S+") end)
  after_each(function() shell("rm -rf " .. root) end)

  it("stops after the batch, saves, and leaves the REPL alive", function()
    shell(SCRIPT:format(BUILD, root, root, root, root, root, root))
    local file = assert(io.open(root .. "/out"))
    local output = file:read("a")
    file:close()
    assert.matches("interrupted\t%d+\t%d+", output)
    assert.matches("alive\ttrue\ttrue", output)
    local step = math.tointeger(output:match("interrupted\t%d+\t(%d+)"))
    local contents = assert(require "perilune.train.checkpoint".load(root .. "/last.safetensors"))
    assert.equal(step, contents.loop.global_step)
  end)

  -- lua5.4's hook, as it comes in the middle of a batch: on the coroutine that drives.
  it("strikes between two steps only", function()
    local steps, seen = {}, nil
    local driver = coroutine.running()
    interrupt.run(function(boundary)
      for i = 1, 5 do
        if i == 2 then debug.sethook(driver, function()
          debug.sethook(driver)
          error("interrupted!")
        end, "crl", 1) end
        steps[#steps + 1] = i
        if boundary() then seen = i break end
      end
    end, function() end)
    assert.same({ 1, 2 }, steps)
    assert.equal(2, seen)
  end)

  it("within a validation leaves that validation to the run that goes on", function()
    local perilune = require "perilune"
    local Net = perilune.nn.Module:extend("Net")
    function Net:init() self.layer = perilune.nn.Linear(1, 1) end
    function Net:training_step(batch) return (self.layer(batch[1]) - 3):square():mean() end
    function Net:validation_step(batch) self:log("val_loss", self.layer(batch[1]):mean()) end
    function Net:configure_optimizers() return perilune.optim.SGD(self:parameters(), { lr = 0.1 }) end
    local function fit(folder, strike, ckpt_path)
      perilune.manual_seed(1)
      local data = perilune.data.TensorDataset(perilune.randn(8, 1))
      local loader = perilune.data.DataLoader(data, { batch_size = 2, shuffle = true })
      local val_loader = perilune.data.DataLoader(data, { batch_size = 2, shuffle = true })
      local driver, n = coroutine.running(), 0
      local callback = { on_validation_batch_end = function()
        n = n + 1
        if strike and n == 6 then debug.sethook(driver, function()
          debug.sethook(driver)
          error("interrupted!")
        end, "crl", 1) end
      end }
      local trainer = perilune.Trainer { max_epochs = 3, num_sanity_val_steps = 0, enable_progress_bar = false,
        callbacks = { callback, perilune.callbacks.ModelCheckpoint { dirpath = root .. folder, save_last = true } } }
      trainer:fit(Net(), loader, val_loader, { ckpt_path = ckpt_path })
      return trainer, n
    end
    local whole = fit("/whole")
    local struck = fit("/struck", true)
    assert.is_true(struck.interrupted)
    assert.equal(2, struck.current_epoch)
    local resumed, n_validated = fit("/struck", false, "last")
    assert.equal(8, n_validated)
    assert.is_true(perilune.equal(whole.module.layer.weight, resumed.module.layer.weight))
    assert.equal(whole.callback_metrics.val_loss, resumed.callback_metrics.val_loss)
  end)

  it("passes on what other hooks raise, after the body has ended", function()
    local driver, ended = coroutine.running(), false
    local fine, message = pcall(interrupt.run, function(boundary)
      debug.sethook(driver, function()
        debug.sethook(driver)
        error("too long", 0)
      end, "crl", 1)
      ended = boundary()
    end, function() end)
    assert.is_false(fine)
    assert.equal("too long", message)
    assert.is_true(ended)
  end)

  it("passes on the errors of the body as they are", function()
    local value, text = { code = 1 }, nil
    local _, got = pcall(interrupt.run, function() error(value) end, function(traceback) text = traceback end)
    assert.equal(value, got)
    assert.matches("traceback", text)
  end)
end)
