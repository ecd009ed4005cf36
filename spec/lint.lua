-- lint.lua -- the rules of the house that no compiler knows.
--   lua5.4 spec/lint.lua [ROOT [OBJECT...]]
-- ROOT (default ".") holds csrc/; in each OBJECT, a built .so or .o, mutable statics are looked for, and core.so must
-- be small.
-- Prints "FILE:LINE: RULE: what was found" for each breach and exits with 1 if there was one.

local root, objects = arg[1] or ".", { table.unpack(arg, 2) }

-- A folder may include its own files and those of the folders above it; formats only tensor's.
local LAYERS = { "tensor", "kernels", "autograd", "decomposition", "manifold", "study", "formats", "canvas", "bind" }
local ONLY = { formats = { tensor = true }, canvas = {} }
local LEVEL = {}
for level, folder in ipairs(LAYERS) do LEVEL[folder] = level end

-- Calls that a guest in somebody else's process does not make, and calls that have one home.
local FORBIDDEN = "exit _exit _Exit quick_exit abort assert atexit signal printf vprintf puts putchar putc fputs "
  .. "fprintf vfprintf perror srand rand random drand48 system setenv putenv setlocale"
local HOME = {
  { pattern = "%f[%w_](cblas_[%w_]+)", files = { "kernels/blas.c" }, rule = "BLAS is called through kernels/blas.h" },
  { pattern = "%f[%w_](openblas_[%w_]+)", files = { "kernels/blas.c" },
    rule = "BLAS is called through kernels/blas.h" },
  { pattern = "%f[%w_](omp_set_[%w_]+)", files = { "kernels/blas.c", "tensor/pool.c" }, rule = "OpenMP's settings are the host's" },
  { pattern = "#%s*pragma%s+(omp%s+parallel)", files = {}, rule = "threads are started by parallel_for" },
  { pattern = "%f[%w_](pthread_create)%s*%(", files = { "tensor/pool.c" },
    rule = "threads are started by parallel_for" },
  { pattern = "%f[%w_]([cm]alloc)%s*%(", files = { "tensor/allocator.c", "tensor/context.c", "tensor/pool.c" },
    rule = "memory comes from context_get" },
  { pattern = "%f[%w_](realloc)%s*%(", files = {}, rule = "memory comes from context_get" },
  { pattern = "%f[%w_](strn?dup)%s*%(", files = {}, rule = "memory comes from context_get" },
}
-- What compilers put into .data and .bss of every library, gcc's table of processor features, and the one state
-- of ours that is as wide as the process, because OpenBLAS's thread setting is.
local STATICS_ALLOWED = { ["__dso_handle"] = true, ["completed.0"] = true, ["__TMC_END__"] = true,
  ["__cpu_model"] = true, ["__cpu_features2"] = true, ["blas.c:guard"] = true }
local LUA_HEADERS = { ["lua.h"] = true, ["lauxlib.h"] = true, ["lualib.h"] = true, ["luaconf.h"] = true }
local COLUMNS = 120

local breaches = 0
local function report(where, rule, found)
  breaches = breaches + 1
  print(("%s: %s: %s"):format(where, rule, found))
end

local function lines_of(command)
  local lines, pipe = {}, assert(io.popen(command))
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  return lines
end

local function blank(text) return (text:gsub("[^\n]", " ")) end

-- Comments become spaces, and so do the contents of string literals unless they are includes.
local function code_of(source)
  local out, at = {}, 1
  while at <= #source do
    local from = source:find("[/\"']", at)
    if not from then out[#out + 1] = source:sub(at) break end
    out[#out + 1] = source:sub(at, from - 1)
    local two, one = source:sub(from, from + 1), source:sub(from, from)
    local stop
    if two == "/*" then stop = select(2, source:find("*/", from + 2, true))
    elseif two == "//" then stop = (source:find("\n", from, true) or #source + 1) - 1
    elseif one == "/" then stop = from
    else
      stop = from + 1
      while stop <= #source and source:sub(stop, stop) ~= one do
        stop = stop + (source:sub(stop, stop) == "\\" and 2 or 1)
      end
    end
    stop = stop or #source
    local piece = source:sub(from, stop)
    local line = source:sub(1, from - 1):match("[^\n]*$")
    out[#out + 1] = (piece == "/" or line:match("^%s*#%s*include")) and piece or blank(piece)
    at = stop + 1
  end
  return table.concat(out)
end

local function check_include(where, folder, line)
  local name = line:match("^%s*#%s*include%s*[<\"]([^>\"]+)[>\"]")
  if not name then return end
  if LUA_HEADERS[name] then
    if folder ~= "bind" and folder ~= "perilune.h" then report(where, "lua.h belongs to bind", name) end
  elseif line:match('"') then
    local other = name:match("^%.%./([%w_]+)/") or name:match("^([%w_]+)/")
    local mine, theirs = LEVEL[folder], LEVEL[other]
    if name == "../perilune.h" and folder ~= "bind" then
      report(where, "only bind includes perilune.h", name)
    elseif mine and other and other ~= folder then
      local allowed = ONLY[folder] and ONLY[folder][other] or not ONLY[folder] and theirs and theirs < mine
      if not allowed then report(where, "layering", folder .. " must not include " .. name) end
    end
  end
end

local function check_calls(where, path, line)
  for name in FORBIDDEN:gmatch("%S+") do
    if line:find("%f[%w_]" .. name .. "%s*%(") then report(where, "a guest does not call this", name) end
  end
  for _, home in ipairs(HOME) do
    local found, at_home = line:match(home.pattern), false
    for _, file in ipairs(home.files) do at_home = at_home or path == file end
    if found and not at_home then report(where, home.rule, found) end
  end
end

local function check_file(path)
  local handle = assert(io.open(root .. "/csrc/" .. path, "rb"))
  local source = handle:read("a")
  handle:close()
  local folder, number = path:match("^([^/]+)"), 0
  local raw = source:gmatch("([^\n]*)\n")
  for line in (code_of(source) .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    local where = ("csrc/%s:%d"):format(path, number)
    check_include(where, folder, line)
    check_calls(where, path, line)
    local text = raw() or ""
    if not text:find('"') and (utf8.len(text) or 0) > COLUMNS then   -- help texts may be as long as they are
      report(where, "line is longer than 120 columns", #text)
    end
    if text:find("\t") or text:find("%s$") then report(where, "tab or trailing space", text) end
  end
end

-- A header comment, so that a reader knows what the file is about.
local function check_header(path)
  local handle = assert(io.open(root .. "/csrc/" .. path))
  local first, name = handle:read("l") or "", path:match("[^/]+$")
  handle:close()
  if first:sub(1, #name + 3) ~= "/* " .. name then
    report("csrc/" .. path .. ":1", "a file begins with /* " .. name .. " -- ...", first)
  end
end

-- The symbol table is exact where a grep would guess: anything in .data, .bss or thread-local storage is
-- mutable.  (Constant tables of pointers are in .data.rel.ro.)
local function check_statics(file)
  local source = "?"
  for _, line in ipairs(lines_of("objdump -t '" .. file .. "'")) do
    source = line:match("df %*ABS%*%s+%S+%s+(%S+)") or source
    local debugging, section, name = line:match("^%x+ .....(.). (%S+)%s+%x+%s.-(%S+)$")
    local mutable = debugging == " " and (section:match("^%.t?data") or section:match("^%.t?bss"))
      and not section:match("^%.data%.rel%.ro")
    if mutable and not STATICS_ALLOWED[name] and not STATICS_ALLOWED[source .. ":" .. name] then
      report(source, "mutable static", name .. " in " .. section)
    end
  end
end

-- A clone for another instruction set costs tens of kilobytes: what a guest brings along is bounded.  The file as it is
-- built, its symbols included; what -g adds is not counted.
local LARGEST_CORE_BYTES <const> = 2000000
local function check_size(file)
  local total = 0
  for _, line in ipairs(lines_of("readelf -SW '" .. file .. "'")) do
    local section, kind, size = line:match("^%s+%[%s*%d+%] (%S+)%s+(%S+)%s+%x+ %x+ (%x+)")
    if size and kind ~= "NOBITS" and not section:find("^%.debug") then total = total + tonumber(size, 16) end
  end
  if total > LARGEST_CORE_BYTES then
    report(file, ("larger than %d bytes"):format(LARGEST_CORE_BYTES), total)
  end
end

for _, path in ipairs(lines_of("cd '" .. root .. "/csrc' && find . -name '*.[ch]' | sed 's,^[.]/,,' | sort")) do
  check_file(path)
  check_header(path)
end
for _, object in ipairs(objects) do
  check_statics(object)
  if object:find("core%.so$") then check_size(object) end
end
os.exit(breaches == 0 and 0 or 1)
