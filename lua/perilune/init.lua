--- perilune: tensors, autograd, layers, optimizers and experiments inside Lua 5.4.
--
-- Sets no globals and prints nothing.  Parts are loaded when they are first used, so that `require` stays quick.

local core = require "perilune.core"

-- Errors are reported at the nearest line that does not lie in this folder.
core.set_library((debug.getinfo(1, "S").source:gsub("init%.lua$", "")))

local perilune = { _VERSION = "perilune " .. core.version }

for _, name in ipairs {
  "scope", "memory", "reset_peak_memory", "trim_memory", "set_memory_cap", "set_num_threads", "get_num_threads",
  "no_grad", "enable_grad", "detect_anomaly", "is_grad_enabled", "set_detect_anomaly", "is_tensor",
} do
  perilune[name] = core[name]
end
for name, make in pairs(core.create) do perilune[name] = make end
for name, draw in pairs(core.random) do perilune[name] = draw end

perilune.grad = require "perilune.gradients"
require("perilune.tensor")(perilune, core)

-- Modules that are loaded on first use, and functions that live in one.
local parts = {
  nn = "perilune.nn", optim = "perilune.optim", data = "perilune.data", datasets = "perilune.datasets",
  image = "perilune.image", state = "perilune.state", linalg = "perilune.linalg", autograd = "perilune.autograd",
  decomposition = "perilune.decomposition", manifold = "perilune.manifold",
  distributions = "perilune.distributions",
  metrics = "perilune.metrics", study = "perilune.study", plot = "perilune.plot",
}
local functions = {
  save = "perilune.serialize", load = "perilune.serialize",
  save_npy = "perilune.serialize", load_npy = "perilune.serialize",
  help = "perilune.help", progress = "perilune.progress",
  Trainer = "perilune.train", callbacks = "perilune.train", loggers = "perilune.train",
}

local function text()
  return ("%s: %s, Trainer, ...; print(perilune.help()) lists all"):format(perilune._VERSION,
    table.concat(require("perilune.sorted_keys")(parts), ", "))
end

return setmetatable(perilune, {
  __tostring = text,
  __index = function(self, name)
    local value
    if parts[name] then
      value = require(parts[name])
    elseif functions[name] then
      value = require(functions[name])[name]
    end
    if value ~= nil then rawset(self, name, value) end
    return value
  end,
})
