-- experiments/05_fine_tune.lua in short form: few images, few epochs; and what its networks promise.
package.path = "experiments/?.lua;" .. package.path
local experiment = require "support.experiment"
local perilune = require "perilune"
local tables = require "support.tables"

local function must_run(name, arguments)
  return experiment.must_run(name, "--limit 1200 --test-limit 300 " .. arguments)
end

describe("the transfer experiment", function()
  local root, encoder

  setup(function()
    root = experiment.new_folder()
    encoder = root .. "/cae/cae.safetensors"
    must_run("01_cae", ("-n 4 -d 8 --epochs 2 --batch-size 16 --lr 3e-3 --out %s/cae"):format(root))
  end)
  teardown(function() os.execute("rm -rf " .. root) end)

  it("trains with the encoder, and leaves tables and pictures", function()
    local output = must_run("05_fine_tune", ("--parts head,whole --epochs 4 --encoder %s --out %s/all"):format(encoder,
      root))
    assert.matches("head: test accuracy %d+%.%d+%% after 4 epochs", output)
    local rows = tables.read_csv(root .. "/all/accuracies.csv")
    assert.are.equal(2, #rows)
    for i, name in ipairs { "head", "whole" } do
      local out = ("%s/all/%s/"):format(root, name)
      assert.are.equal(name, rows[i].part)
      assert.is_true(rows[i].test_accuracy > 0.2, rows[i].test_accuracy)   -- by chance it would be 0.1
      local hits, seen = 0, 0
      for k, row in ipairs(tables.read_csv(out .. "confusion.csv")) do
        for class, count in pairs(row) do
          if class ~= "is" then seen = seen + count end
        end
        hits = hits + row[row.is]
        assert.are.equal(row.is, tables.read_csv(out .. "classes.csv")[k].class)
      end
      assert.are.equal(300, seen)
      assert.are.equal(("%.4f"):format(hits / seen), ("%.4f"):format(rows[i].test_accuracy))
      for _, picture in ipairs { "confusion", "classes", "mistakes" } do
        assert.is_true(perilune.image.load(out .. picture .. ".png"):to("float32"):std():item() > 10)
      end
    end
  end)

  it("leaves the encoder as it was where only the head is trained", function()
    local before = perilune.load(encoder)
    local head = perilune.load(root .. "/all/head/network.safetensors")
    local whole = perilune.load(root .. "/all/whole/network.safetensors")
    local compared = 0
    for name, tensor in pairs(before) do
      if name:find("^encoder") then
        assert.is_true(perilune.equal(tensor, head[name]), name)
        assert.is_false(perilune.equal(tensor, whole[name]), name)
        compared = compared + 1
      end
    end
    assert.are.equal(10, compared)
  end)

  it("gives the same bits for any number of threads, and whichever parts run", function()
    must_run("05_fine_tune", ("--parts whole --epochs 4 --threads 3 --encoder %s --out %s/some"):format(encoder, root))
    assert.are.equal(experiment.read(root .. "/all/whole/network.safetensors"),
      experiment.read(root .. "/some/whole/network.safetensors"))
  end)

  it("trains a network from scratch, to the same bits for any number of threads", function()
    for _, threads in ipairs { 1, 3 } do
      experiment.must_run("05_fine_tune", ("--parts scratch --limit 200 --test-limit 50 --epochs 2 --threads %d --out %s/%d")
        :format(threads, root, threads))
    end
    local losses = tables.read_csv(root .. "/1/scratch/losses.csv")
    assert.is_true(losses[2].train_loss < losses[1].train_loss)
    assert.is_true(losses[1].train_loss < 2.4)   -- that of a guess is 2.30
    for _, name in ipairs { "network.safetensors", "confusion.csv", "mistakes.png" } do
      assert.are.equal(experiment.read(root .. "/1/scratch/" .. name), experiment.read(root .. "/3/scratch/" .. name), name)
    end
  end)

  it("passes over parts that are done when it goes on", function()
    local output = must_run("05_fine_tune", ("--parts whole --epochs 4 --resume --encoder %s --out %s/all"):format(encoder,
      root))
    assert.is_nil(output:find("epoch 1/4", 1, true))
    assert.are.equal(experiment.read(root .. "/some/whole/network.safetensors"),
      experiment.read(root .. "/all/whole/network.safetensors"))
  end)

  it("compares the encoder with scratch for few labels", function()
    must_run("05_fine_tune", ("--parts few --steps 20 --repeats 2 --encoder %s --out %s/few"):format(encoder, root))
    local rows = tables.read_csv(root .. "/few/few_labels.csv")
    assert.are.equal(9, #rows)   -- 500 of a class are not among 1200 images
    for i, row in ipairs(rows) do
      assert.are.equal(({ 10, 50, 100 })[(i + 2) // 3], row.labels_a_class)
      assert.are.equal(({ "frozen", "tuned", "scratch" })[(i - 1) % 3 + 1], row.kind)
      assert.is_true(row.mean_accuracy > 0.1 and row.deviation >= 0)
    end
    assert.is_true(perilune.image.load(root .. "/few/few_labels.png"):to("float32"):std():item() > 10)
  end)

  it("ends at Ctrl-C in the middle of the trainings with few labels, and leaves no table", function()
    local Classification = require "support.classification"
    local step, driver, n = Classification.training_step, coroutine.running(), 0
    local function interrupted(self, batch)
      n = n + 1
      if n == 25 then debug.sethook(driver, function()   -- as lua5.4 answers SIGINT
        debug.sethook(driver)
        error("interrupted!")
      end, "crl", 1) end
      return step(self, batch)
    end
    local train = perilune.data.Subset(perilune.datasets.FashionMNIST { split = "test" }, perilune.arange(1, 150))
    Classification.training_step = interrupted
    local fine, complete = pcall(require("support.few_labels").run, train, train,
      { encoder = encoder, steps = 20, repeats = 1, seed = 1, out = root })
    Classification.training_step = step
    assert.is_true(fine, complete)
    assert.is_false(complete)
    assert.are.equal(25, n)   -- the second training ends after this batch, and there is no third
    assert.is_nil(io.open(root .. "/few_labels.csv"))
  end)

  it("says what is wrong", function()
    local output, ok = experiment.run("05_fine_tune", "--parts head,body")
    assert.is_false(ok)
    assert.matches('there is no part "body"', output)
    output, ok = experiment.run("05_fine_tune", ("--parts head --encoder %s/none --out %s/x"):format(root, root))
    assert.is_false(ok)
    assert.matches("make it first: lua5.4 experiments/01_cae.lua", output, 1, true)
  end)
end)

describe("the classifier's images", function()
  local classifier = require "support.classifier"

  it("are shifted by a pixel at most and mirrored by chance", function()
    perilune.manual_seed(1)
    local images = perilune.zeros(200, 1, 28, 28)
    images:narrow(3, 10, 1):narrow(4, 5, 1):fill_(1)
    local labels = perilune.ones(200)
    local made, same = classifier.augment(images, labels)
    assert.is_true(same == labels)
    assert.are.same({ 200, 1, 28, 28 }, made.shape)
    local places = {}
    for _, at in made:nonzero():iter() do
      local _, _, y, x = table.unpack(at:totable())
      places[y .. "," .. x] = (places[y .. "," .. x] or 0) + 1
    end
    local n = 0
    for y = 9, 11 do
      for _, x in ipairs { 4, 5, 6, 23, 24, 25 } do
        n = n + (places[y .. "," .. x] or 0)
        assert.is_true((places[y .. "," .. x] or 0) > 0)
      end
    end
    assert.are.equal(200, n)
  end)

  it("give features that are not negative, of which the top layer makes the logits", function()
    perilune.manual_seed(1)
    local network, images = classifier.network():eval(), perilune.rand(3, 1, 28, 28)
    local features = network.features(images)
    assert.are.same({ 3, 128 }, features.shape)
    assert.is_true(features:min():item() >= 0)
    assert.is_true(perilune.equal(network.top(features), network(images)))
  end)
end)
