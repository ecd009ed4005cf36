-- experiments/02_search.lua in short form: few images, few trials.
local perilune = require "perilune"
local experiment = require "support.experiment"

describe("the search experiment", function()
  local root

  setup(function() root = experiment.new_folder() end)
  teardown(function() os.execute("rm -rf " .. root) end)

  local SMALL <const> = "--limit 240 --epochs 2 --final-epochs 1 --batch-size 40 --threads 1"

  local function trials(name)
    local study = perilune.study.load { study_name = name, storage = ("sqlite:///%s/a/study.db"):format(root) }
    return study.trials
  end

  it("leaves studies, pictures and the best weights, and goes on with the studies it finds", function()
    experiment.must_run("02_search", ("%s --trials 2 --out %s/a --studies random"):format(SMALL, root))
    local before = trials("random")
    assert.equal(2, #before)
    local output = experiment.must_run("02_search", ("%s --trials 3 --out %s/a"):format(SMALL, root))
    assert.matches("Study random %(random, median pruner%):%s+Number of finished trials:  3", output)
    assert.matches("Best trial:%s+Value:  0%.%d+", output)
    assert.matches("test MSE 0%.%d+ with the setting of trial %d of %l+, trained 1 epochs", output)
    local after = trials("random")
    assert.equal(3, #after)
    for i = 1, 2 do assert.same({ before[i].params, before[i].value }, { after[i].params, after[i].value }) end
    assert.equal(3, #trials("tpe"))
    for _, path in ipairs { "edf.png", "reconstructions.png", "random/slice.png", "random/contour.png",
      "tpe/intermediate_values.png", "tpe/optimization_history.png", "tpe/timeline.png" } do
      assert(perilune.image.load(("%s/a/%s"):format(root, path)))
    end
    local best = perilune.load(root .. "/a/cae.safetensors")
    assert.is_true(best["encoder.0.weight"].shape[1] >= 4)
    assert.equal(3, select(2, experiment.read(root .. "/a/search.csv"):gsub("\n", "")))
  end)

  it("trains only where the optimizer has momentum with one", function()
    for _, name in ipairs { "random", "tpe" } do
      for _, trial in ipairs(trials(name)) do
        assert.equal(trial.params.optimizer ~= "Adam", trial.params.momentum ~= nil)
      end
    end
  end)
end)
