--- reproduce -- the published study in one command, stage by stage.
--
--     make reproduce                        a stage whose result is there and whose inputs did not change is skipped
--     make reproduce ARGS="--quick"         a look in a minute: few images, few epochs; numbers mean nothing
--     make reproduce ARGS="--only cae,vae"  only these stages, of cae, search, vae, classifier, fine_tune,
--                                         samples, latent
--
-- Killed or stopped with Ctrl-C, the same command goes on from where it was.
-- Leaves runs/reproduce/report.html: every number and picture beside the published one, in one file.
local argparse = require "argparse"
local perilune = require "perilune"

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path
local fingerprint = require "support.fingerprint"
local machine = require "support.machine"
local Pipeline = require "support.pipeline"
local report = require "support.report"
local run = require "support.run"
local stages = require "support.stages"

local parser = argparse("reproduce", "Run the whole study and write the report.")
parser:flag("--quick", "a small part of the data and few epochs, into another folder")
parser:flag("--force", "run the stages even if nothing changed")
parser:option("--only", "names of stages, with commas between them")
parser:option("--interpreter", "that runs the stages", "lua5.4")
parser:option("--out", "folder for the results (default runs/reproduce, runs/quick with --quick)")
local flags = parser:parse()

-- What shapes the report and the view, and no number.
local PRESENTATION <const> = { fingerprint = true, html = true, machine = true, pipeline = true, report = true,
  stages = true, view = true }

-- All that may change any number: the library, its binary, and what the experiments share.
local function common_files()
  local library = package.searchpath("perilune", package.path):match("^(.*)/init%.lua$")
  local files = fingerprint.files(library, "%.lua$")
  for _, path in ipairs(fingerprint.files(here .. "/support", "%.lua$")) do
    if not PRESENTATION[path:match("([^/]*)%.lua$")] then files[#files + 1] = path end
  end
  files[#files + 1] = package.searchpath("perilune.core", package.cpath)
  return files
end

local function wanted_stages()
  if not flags.only then return nil end
  local known, only = {}, {}
  for _, stage in ipairs(stages.list(here)) do known[stage.name] = true end
  for name in flags.only:gmatch("[^,]+") do
    if not known[name] then parser:error(("--only: there is no stage %q"):format(name)) end
    only[name] = true
  end
  return only
end

-- What the report says of the stages that are done.
local function described(pipeline)
  local list = {}
  for _, stage in ipairs(pipeline.stages) do
    local stamp = pipeline:finished(stage)
    if stamp then
      local out, figures = pipeline:out(stage), {}
      for i, figure in ipairs(stage.figures) do figures[i] = { path = out .. "/" .. figure[1], caption = figure[2] } end
      list[#list + 1] = { name = stage.name, title = stage.title, question = stage.question, seconds = stamp.seconds,
        finished = stamp.finished,
        command = pipeline:command(stage), numbers = stage.numbers(out), figures = figures }
    end
  end
  return list
end

local function write_report(pipeline, path)
  local page = report.page { title = "Auto-encoders of Fashion-MNIST, reproduced", stages = described(pipeline),
    lead = stages.lead .. (flags.quick and "  THIS IS THE QUICK FORM: its numbers mean nothing." or ""),
    facts = machine.facts(perilune, flags.interpreter) }
  local file = assert(io.open(path .. ".part", "w"))
  assert(file:write(page))
  assert(file:close())
  assert(os.rename(path .. ".part", path))
end

local function main()
  local root = flags.out or (flags.quick and "runs/quick" or "runs/reproduce")
  local pipeline = Pipeline.new(stages.list(here, flags.quick), { root = root, common = common_files(),
    interpreter = flags.interpreter })
  local ok, message = pipeline:run { only = wanted_stages(), force = flags.force }
  if not ok then
    io.stderr:write(message, "\n")
    os.exit(1, true)
  end
  write_report(pipeline, root .. "/report.html")
  print(root .. "/report.html")
end

run(main)
