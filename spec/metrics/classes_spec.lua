-- accuracy, confusion_matrix, per_class_accuracy: by hand.
local perilune = require "perilune"
local metrics = perilune.metrics

local function raises(text, f, ...)
  local fine, message = pcall(f, ...)
  assert.is_false(fine, "no error")
  assert.matches(text, message, 1, true)
  assert.matches("classes_spec.lua:%d+: ", message)
end

local function rows_of(t)
  local rows = {}
  for i, row in t:iter() do rows[i] = row:totable() end
  return rows
end

describe("metrics of classes", function()
  local predicted = perilune.tensor { 1, 2, 2, 3, 1, 3 }
  local wanted = perilune.tensor { 1, 2, 3, 3, 2, 3 }
  local scores = perilune.tensor { { 9, 1, 0 }, { 0, 2, 1 }, { 0, 5, 5 }, { 0, 0, 1 }, { 1, 1, 1 }, { 0, 0, 2 } }
    :to("float32")

  it("accuracy counts hits, of classes or of scores", function()
    assert.equal(4 / 6, metrics.accuracy(predicted, wanted))
    assert.equal(4 / 6, metrics.accuracy(scores, wanted))
    assert.equal(1, metrics.accuracy(wanted, wanted))
  end)

  it("confusion_matrix has the true class in the row", function()
    local counts = metrics.confusion_matrix(predicted, wanted)
    assert.equal("int64", counts.dtype)
    assert.same({ { 1, 0, 0 }, { 1, 1, 0 }, { 0, 1, 2 } }, rows_of(counts))
    assert.same(rows_of(counts), rows_of(metrics.confusion_matrix(scores, wanted)))
    assert.same({ 4, 4 }, metrics.confusion_matrix(predicted, wanted, { num_classes = 4 }).shape)
    local few = metrics.confusion_matrix(scores:narrow(1, 1, 1), wanted:narrow(1, 1, 1))
    assert.same({ 3, 3 }, few.shape)   -- the scores' K
  end)

  it("confusion_matrix normalizes", function()
    local function shares(how)
      return rows_of(metrics.confusion_matrix(predicted, wanted, { normalize = how, num_classes = 4 }))
    end
    assert.same({ 0.5, 0.5, 0, 0 }, shares("true")[2])
    assert.same({ 0, 0, 0, 0 }, shares("true")[4])
    assert.same({ 0, 0.5, 0, 0 }, { shares("pred")[1][2], shares("pred")[2][2], 0, 0 })
    assert.equal(1, shares("pred")[3][3])
    assert.is_true(math.abs(shares("all")[3][3] - 2 / 6) < 1e-7)
  end)

  it("per_class_accuracy is the diagonal", function()
    local shares = metrics.per_class_accuracy(predicted, wanted, { num_classes = 4 }):totable()
    assert.same({ 1, 0.5, 0 }, { shares[1], shares[2], shares[4] })
    assert.is_true(math.abs(shares[3] - 2 / 3) < 1e-7)
  end)

  it("refuse what is not classes", function()
    raises("accuracy: 6 predictions but 5 targets", metrics.accuracy, predicted, wanted:narrow(1, 1, 5))
    raises("accuracy: targets must be classes (N) int64, got (6) float32", metrics.accuracy, predicted,
      wanted:to("float32"))
    raises("accuracy: predictions must be a tensor, got a table", metrics.accuracy, {}, wanted)
    raises("confusion_matrix: predictions have the class 0; classes are numbers from 1", metrics.confusion_matrix,
      predicted - 1, wanted)
    raises("accuracy: targets are empty", metrics.accuracy, predicted, wanted[{ { 1, 0 } }])
    raises("confusion_matrix: num_classes is 2 but class 3 occurs", metrics.confusion_matrix, predicted, wanted,
      { num_classes = 2 })
    raises("confusion_matrix: normalize must be one of none, true, pred, all", metrics.confusion_matrix, predicted,
      wanted, { normalize = "rows" })
    raises("unknown option 'classes'; known: num_classes", metrics.per_class_accuracy, predicted, wanted,
      { classes = 2 })
  end)
end)
