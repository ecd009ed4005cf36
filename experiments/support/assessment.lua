--- How good a classifier is on the test images: tables and pictures in a folder.
local perilune = require "perilune"
local metrics, plot = perilune.metrics, perilune.plot
local fashion = require "support.fashion"
local folder = require "support.folder"
local tables = require "support.tables"

local M = {}

local MISTAKES <const>, COLUMNS <const> = 24, 6

local function save_confusion(predicted, labels, classes, out, title)
  local counts, rows = metrics.confusion_matrix(predicted, labels, { num_classes = 10 }), {}
  for i, row in counts:iter() do rows[i] = { classes[i], table.unpack(row:totable()) } end
  tables.write_csv(out .. "/confusion.csv", { "is", table.unpack(classes) }, rows)
  assert(plot.heatmap { values = counts, rows = classes, columns = classes, colormap = "blues", title = title,
    xlabel = "taken for", ylabel = "is", width = 640, height = 520,
  }:save(out .. "/confusion.png"))
end

local function save_classes(predicted, labels, classes, out, title)
  local shares, rows = metrics.per_class_accuracy(predicted, labels, { num_classes = 10 }):totable(), {}
  for i, share in ipairs(shares) do rows[i] = { classes[i], ("%.4f"):format(share) } end
  tables.write_csv(out .. "/classes.csv", { "class", "accuracy" }, rows)
  assert(plot.bar { names = classes, values = shares, horizontal = true, value_labels = "%.3f", title = title,
    xlabel = "accuracy", xlim = { 0, 1.08 } }:save(out .. "/classes.png"))
end

-- The wrong answers that the network was surest of.
local function save_mistakes(scores, predicted, test, out, title)
  local labels, classes = fashion.labels(test), fashion.classes(test)
  local wrong = predicted:ne(labels):nonzero():flatten()
  local sure = scores:amax(2):index_select(1, wrong)
  local _, order = sure:topk(math.min(MISTAKES, #wrong))
  local chosen, captions = wrong:index_select(1, order), {}
  for i, at in ipairs(chosen:totable()) do
    captions[i] = ("%s? %s"):format(classes[predicted[at]:item()], classes[labels[at]:item()])
  end
  assert(plot.image_grid { images = fashion.images(test):index_select(1, chosen), captions = captions,
    columns = COLUMNS, size = 110, title = title .. ", its surest mistakes (answer? truth)",
  }:save(out .. "/mistakes.png"))
end

--- Leaves confusion.csv and .png, classes.csv and .png (the accuracy of each class) and mistakes.png.
---@param scores tensor  (N, 10), the larger the likelier, comparable between images
---@param test table     the data set, in the same order
---@param out string     folder
---@param title string   what the network is
---@return number accuracy
function M.save(scores, test, out, title)
  local predicted, labels, classes = scores:argmax(2), fashion.labels(test), fashion.classes(test)
  local accuracy = metrics.accuracy(predicted, labels)
  title = ("%s: %.2f%%"):format(title, 100 * accuracy)
  folder.make(out)
  save_confusion(predicted, labels, classes, out, title)
  save_classes(predicted, labels, classes, out, title)
  if accuracy < 1 then save_mistakes(scores, predicted, test, out, title) end
  return accuracy
end

return M
