--- gallery -- what does each kind of plot look like, on real data?
--
-- One figure for each function of perilune.plot, of the Fashion-MNIST test images and of made-up trials; whoever
-- changes the theme, the layout or a mark looks at them before and after.
--
--     lua5.4 experiments/gallery.lua            leaves runs/gallery/KIND.png and .svg, in seconds
local argparse = require "argparse"
local perilune = require "perilune"

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path
local folder = require "support.folder"
local run = require "support.run"

local parser = argparse("gallery", "Draw one figure of each kind.")
parser:option("--out", "folder for the figures", "runs/gallery")
local flags = parser:parse()
run(folder.make, flags.out)

local plot = perilune.plot
local NAMES = { "T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Boot" }

perilune.manual_seed(1)
local test = perilune.datasets.FashionMNIST { split = "test" }
local images, labels = test:images(), test:labels()
local pixels = images:to("float32"):flatten(2) / 255
local map = perilune.decomposition.PCA { n_components = 2 }:fit_transform(pixels)
local x, y = map:select(2, 1), map:select(2, 2)

--- Trials of a search, and the loss that a learning rate and a width have: a bowl in the logarithm of the rate.
local function loss_of(rate, width, optimizer)
  return 0.012 + 0.004 * (math.log(rate, 10) + 2.6) ^ 2 + 0.12 / width ^ 1.3 + (optimizer == "SGD" and 0.008 or 0)
end

local trials = { rate = {}, width = {}, optimizer = {}, loss = {}, best = {}, start = {}, seconds = {}, state = {} }
for i, draw in ipairs(perilune.rand(80, 4):totable()) do
  local rate, width = 10 ^ (3 * draw[1] - 4), 2 + math.floor(31 * draw[2])
  local optimizer = ({ "Adam", "RMSprop", "SGD" })[1 + math.floor(3 * draw[3])]
  trials.rate[i], trials.width[i], trials.optimizer[i] = rate, width, optimizer
  trials.loss[i] = loss_of(rate, width, optimizer)
  trials.best[i] = math.min(trials.loss[i], trials.best[i - 1] or math.huge)
  trials.start[i], trials.seconds[i] = 4 * i, 10 + 20 * draw[4]
  trials.state[i] = trials.loss[i] > 0.03 and "pruned" or "complete"
end

local rates, widths, surface = {}, {}, {}
for i = 1, 40 do rates[i] = 10 ^ (3 * (i - 1) / 39 - 4) end
for j = 1, 31 do
  widths[j], surface[j] = j + 1, {}
  for i = 1, 40 do surface[j][i] = loss_of(rates[i], widths[j], "Adam") end
end

local figures = {}

figures.scatter = plot.scatter { x = x, y = y, label = labels, names = NAMES, title = "Two principal components",
  xlabel = "component 1", ylabel = "component 2" }

figures.image_scatter = plot.image_scatter { x = x, y = y, images = images, label = labels, names = NAMES,
  title = "Test images where they lie" }

figures.line = plot.line { title = "History of a search", xlabel = "trial", ylabel = "loss", series = {
  { y = trials.loss, label = "trial", marker = true, line_width = 0 },
  { y = trials.best, label = "best so far", step = true } } }

local brightness, means = pixels:mean(2), {}
for class = 1, 10 do means[class] = brightness:masked_select(labels:eq(class)):mean():item() end
figures.bar = plot.bar { names = NAMES, values = means, value_labels = "%.2f", title = "Brightness of the classes",
  ylabel = "mean of the pixels" }

figures.histogram = plot.histogram { title = "The first component", xlabel = "component 1", series = {
  { x = x:masked_select(labels:eq(8)), label = "Sneaker" },
  { x = x:masked_select(labels:eq(3)), label = "Pullover" } } }

-- The class whose mean is nearest in the plane.
local centres = {}
for class = 1, 10 do
  local mask = labels:eq(class)
  centres[class] = { x:masked_select(mask):mean():item(), y:masked_select(mask):mean():item() }
end
local away = {}
for class = 1, 10 do away[class] = (x - centres[class][1]):square() + (y - centres[class][2]):square() end
local guesses = perilune.stack(away, 2):argmin(2)
figures.heatmap = plot.heatmap { values = perilune.metrics.confusion_matrix(guesses, labels), rows = NAMES,
  columns = NAMES, colormap = "blues", title = "The nearest centre in the plane", xlabel = "predicted",
  ylabel = "true" }

figures.contour = plot.contour { x = rates, y = widths, values = surface, xscale = "log", title = "Loss with Adam",
  xlabel = "learning rate", ylabel = "width", color_label = "loss", points = { x = trials.rate, y = trials.width } }

-- Which of three centres is nearest, asked on a grid.
local shown = { [1] = "Trouser", [2] = "Sandal", [3] = "Pullover" }
local kept, grid = { x = {}, y = {}, label = {} }, {}
local class_of = { [2] = 1, [6] = 2, [3] = 3 }
for i = 1, 900 do
  local class = class_of[labels[i]:item()]
  if class then
    kept.x[#kept.x + 1], kept.y[#kept.y + 1], kept.label[#kept.label + 1] = x[i]:item(), y[i]:item(), class
  end
end
local wide, high = perilune.linspace(-9, 12, 106):totable(), perilune.linspace(-8, 9, 86):totable()
for r, at_y in ipairs(high) do
  grid[r] = {}
  for c, at_x in ipairs(wide) do
    local best = math.huge
    for class, own in pairs(class_of) do
      local distance = (at_x - centres[class][1]) ^ 2 + (at_y - centres[class][2]) ^ 2
      if distance < best then best, grid[r][c] = distance, own end
    end
  end
end
figures.regions = plot.regions { x = wide, y = high, values = grid, points = kept, names = shown, equal = true,
  title = "The nearest of three centres", xlabel = "component 1", ylabel = "component 2" }

figures.parallel_coordinates = plot.parallel_coordinates { title = "Trials", color = trials.loss, color_label = "loss",
  axes = { { name = "learning rate", values = trials.rate, scale = "log" }, { name = "width", values = trials.width },
    { name = "optimizer", values = trials.optimizer, scale = "category" },
    { name = "loss", values = trials.loss } } }

figures.timeline = plot.timeline { start = trials.start, length = trials.seconds, label = trials.state,
  title = "When the trials ran", xlabel = "seconds", ylabel = "trial" }

local captions = {}
for i = 1, 24 do captions[i] = NAMES[labels[i]:item()] end
figures.image_grid = plot.image_grid { images = images:narrow(1, 1, 24), captions = captions, columns = 8,
  title = "Test images" }

figures.subplots = plot.subplots { figures.line, figures.contour, figures.bar, figures.histogram,
  title = "Four at once", width = 1000, height = 760 }

for kind in pairs(plot) do
  local figure = figures[kind] or error("the gallery has no " .. kind)
  assert(figure:save(("%s/%s.png"):format(flags.out, kind)))
  assert(figure:save(("%s/%s.svg"):format(flags.out, kind)))
end
print("figures in " .. flags.out)
