--- How long is a training step of another network?  3x32x32 input, five 3x3 convolutions of 32 to 128 channels with
-- BatchNorm and ReLU, two poolings, batch 128, cross entropy, Adam.  Peer: convnet_pytorch.py.
package.path = (arg[0]:match("^(.*/)") or "./") .. "?.lua;" .. package.path
local perilune = require "perilune"
local networks = require "support.networks"
local timing = require "support.timing"

perilune.manual_seed(1)
local model = networks.convnet()
local criterion = perilune.nn.CrossEntropyLoss()
local optimizer = perilune.optim.Adam(model:parameters(), { lr = 1e-3 })
local x = perilune.randn { 128, 3, 32, 32 }
local y = perilune.randint(1, 10, { 128 })

local function step()
  local loss = criterion(model(x), y)
  optimizer:zero_grad()
  loss:backward()
  optimizer:step()
end

timing.report("step", timing.seconds(step, 7) * 1e3, "ms")
