--- Every registered operation at its bench samples (its first sample where none is marked), float32: microseconds of
-- the forward and the backward, GFLOP/s or GB/s of the forward, and the same of PyTorch where it has the operation.
-- A row is a line on the terminal and in runs/ops.csv.
--   PERILUNE_PYTHON=python-with-torch lua5.4 experiments/bench/ops.lua [NAME ...]
-- GB/s counts each operand once and each result once.
local folder = arg[0]:match("^(.*/)") or "./"
local root = folder .. "../../"
package.path = table.concat({ folder .. "?.lua", root .. "spec/?.lua", package.path }, ";")
local core = require "perilune.core"
local perilune = require "perilune"
local operands = require "support.operands"
local samples = require "support.sample"
local timing = require "support.timing"

local BUDGET_S = 0.1
local BYTES = { float32 = 4, float64 = 8, int64 = 8, uint8 = 1, bool = 1 }

local wanted = {}
for _, name in ipairs(arg) do wanted[name] = true end

--- "NAME|SAMPLE" -> { forward seconds, backward seconds or nil }.
local function peer_times()
  local times, python = {}, os.getenv("PERILUNE_PYTHON")
  if not python or python == "" then return times end
  local command = ("%s %sops_pytorch.py %s"):format(python, folder, table.concat(arg, " "))
  local pipe = assert(io.popen(command))
  for line in pipe:lines() do
    local name, text, forward, backward = line:match("^(.-)\t(.-)\t(.-)\t(.-)$")
    if name then times[name .. "|" .. text] = { tonumber(forward), tonumber(backward) } end
  end
  pipe:close()
  return times
end

local function bytes_of(tensors)
  local sum = 0
  for _, t in ipairs(tensors) do sum = sum + t:numel() * BYTES[t.dtype] end
  return sum
end

local function random_tensors(sample)
  local tensors = {}
  for i, operand in ipairs(sample.tensors) do tensors[i] = operands.random(operand.spec, "float32") end
  return tensors
end

local function time_forward(operation, sample, tensors)
  local arguments, n = operands.arguments(operation, sample, tensors)
  local f = core.ops[operation.name]
  return perilune.no_grad(function()
    return timing.calibrated(function() local _ <close> = f(table.unpack(arguments, 1, n)) end, BUDGET_S)
  end)
end

--- nil where nothing can be differentiated.
local function time_backward(operation, sample, tensors)
  if not operation.differentiable then return nil end
  for i, operand in ipairs(sample.tensors) do
    if operand.spec.dtype == nil then tensors[i]:requires_grad_(true) end
  end
  local y = operands.call(operation, sample, tensors)
  if not y.requires_grad then return nil end
  local inputs = {}
  for i, operand in ipairs(sample.tensors) do
    if operand.spec.dtype == nil then inputs[#inputs + 1] = tensors[i] end
  end
  local gradient = perilune.ones_like(y)
  return timing.calibrated(function()
    local _ <close> = perilune.scope() -- as a training loop does: the next call finds the blocks of this one
    perilune.grad({ y }, inputs, { grad_outputs = { gradient }, retain_graph = true, allow_unused = true })
  end, BUDGET_S)
end

local function measure(operation, sample)
  perilune.manual_seed(1)
  local row = { name = operation.name, sample = sample.text }
  local tensors = random_tensors(sample)
  row.forward = time_forward(operation, sample, tensors)
  local outputs = { operands.call(operation, sample, tensors) }
  row.rate = (bytes_of(tensors) + bytes_of(outputs)) / row.forward / 1e9
  row.unit = "GB/s"
  if operation.has_flops then
    local arguments, n = operands.arguments(operation, sample, tensors)
    row.rate, row.unit = core.flops[operation.name](table.unpack(arguments, 1, n)) / row.forward / 1e9, "GFLOP/s"
  end
  row.backward = time_backward(operation, sample, tensors)
  return row
end

local function us(seconds) return seconds and ("%.2f"):format(seconds * 1e6) or "" end
local function ratio(ours, peer) return ours and peer and ("%.2f"):format(peer / ours) or "" end

local function print_row(name, forward, rate, unit, backward, times_forward, times_backward, sample)
  print(("%-18s %11s %9s %-8s %11s %8s %8s  %s"):format(name, forward, rate, unit, backward, times_forward,
                                                       times_backward, sample))
end

local function benched(operation)
  local list = {}
  for _, text in ipairs(operation.samples) do
    local sample = samples.parse(operation, text)
    if sample.bench then list[#list + 1] = sample end
  end
  if #list == 0 and operation.samples[1] then list[1] = samples.parse(operation, operation.samples[1]) end
  return list
end

local function main()
  os.execute(("mkdir -p %sruns"):format(root))
  local csv = assert(io.open(root .. "runs/ops.csv", "w"))
  csv:write("operation,sample,forward_us,rate,unit,backward_us,pytorch_forward_us,pytorch_backward_us\n")
  local peers = peer_times()
  print_row("operation", "forward us", "rate", "", "backward us", "PT/ours", "PT/ours", "sample")
  for _, operation in ipairs(core.registry()) do
    if next(wanted) == nil or wanted[operation.name] then
      for _, sample in ipairs(benched(operation)) do
        local ok, row = pcall(measure, operation, sample)
        local peer = peers[operation.name .. "|" .. sample.text] or {}
        if ok then
          print_row(row.name, us(row.forward), ("%.1f"):format(row.rate), row.unit, us(row.backward),
                    ratio(row.forward, peer[1]), ratio(row.backward, peer[2]), row.sample)
          csv:write(("%s,%q,%s,%.2f,%s,%s,%s,%s\n"):format(row.name, row.sample, us(row.forward), row.rate, row.unit,
                                                          us(row.backward), us(peer[1]), us(peer[2])))
        else
          io.stderr:write(("%s, %s: %s\n"):format(operation.name, sample.text, row))
        end
      end
    end
  end
  csv:close()
end

main()
