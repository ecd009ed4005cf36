-- luacheck lua experiments spec
std = "lua54"
max_line_length = 120
max_string_line_length = false   -- help texts may be as long as they are
files["lua"] = { not_globals = { "print" } }   -- a library prints nothing
files["spec"] = { std = "+busted", max_line_length = 140, ignore = { "231", "581" } }   -- holds, and NaN
files["spec/lint.lua"] = { globals = { "arg" } }
exclude_files = { "lua/perilune/meta" }   -- declarations for editors: nothing in them runs
