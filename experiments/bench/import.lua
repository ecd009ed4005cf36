--- How long does require "perilune" take in a fresh process, and how large is the library?  Peer: import_pytorch.py.
package.path = (arg[0]:match("^(.*/)") or "./") .. "?.lua;" .. package.path
local timing = require "support.timing"

-- The clock is in the library itself: the whole process is timed, and an empty one subtracted.
local function process(code)
  return function() assert(os.execute(("%s -e %q"):format(arg[-1], code))) end
end

local with = timing.seconds(process 'require "perilune"', 15)
local without = timing.seconds(process "", 15)
timing.report("import", (with - without) * 1e3, "ms")

local path = assert(package.searchpath("perilune.core", package.cpath))
local file = assert(io.open(path, "rb"))
timing.report("shared library", file:seek("end") / 2 ^ 20, "MiB")
file:close()
