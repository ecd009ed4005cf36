-- terminal/ -- pictures in a terminal.  A method is one file: a function of (picture, columns, stream) that writes it.
-- picture is a tensor (3, H, W) uint8; columns is how many character cells wide it becomes.
local core = require "perilune.core"
local options = require "perilune.options"

local terminal = {}

local METHODS = { "kitty", "sixel", "blocks" }
local KITTY = { ghostty = true, WezTerm = true }
local SIXEL = { ["foot"] = true, ["foot-extra"] = true, ["mlterm"] = true, ["yaft-256color"] = true,
  ["contour"] = true }

--- The best method for a terminal, from what the environment says of it.
---@param environment? fun(name: string): string|nil  default os.getenv
---@return string  "kitty", "sixel" or "blocks"
function terminal.method(environment)
  environment = environment or os.getenv
  local term, program = environment "TERM" or "", environment "TERM_PROGRAM" or ""
  -- tmux and screen swallow what they do not know.
  if term:find("^screen") or term:find("^tmux") then return "blocks" end
  if environment "KITTY_WINDOW_ID" or term == "xterm-kitty" or KITTY[program] then return "kitty" end
  if SIXEL[term] or term:find("sixel", 1, true) then return "sixel" end
  return "blocks"
end

local read = options.reader("show", { { "method", nil, "string" }, { "columns", nil, "integer" },
  { "stream", nil, "any" } })

--- Writes the picture to the terminal; where stdout is none, one line that says so.
---@param picture tensor  (3, H, W) uint8
---@param given? { method: string, columns: integer, stream: file* }
function terminal.show(picture, given)
  local option = read(given)
  local stream, height, width = option.stream or io.stdout, picture.shape[2], picture.shape[3]
  if not option.stream and not option.method and not core.terminal.is_interactive(1) then
    stream:write(("a picture of %d x %d pixels; stdout is no terminal that could show it\n"):format(width, height))
    return
  end
  local method = options.choice("show", "option method", option.method or terminal.method(), METHODS)
  local room = core.terminal.columns() or 80
  local columns = options.integer("show", "option columns", option.columns or math.min(width, room, 120))
  require("perilune.terminal." .. method)(picture, columns, stream)
  stream:flush()
end

return terminal
