-- luacheck lua experiments spec
std = "lua54"
max_line_length = 120
files["lua"] = { not_globals = { "print" } }   -- a library prints nothing
files["spec"] = { std = "+busted" }
files["spec/lint.lua"] = { globals = { "arg" } }
