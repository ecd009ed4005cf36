rockspec_format = "3.0"
package = "perilune"
version = "scm-1"
source = { url = "git+https://github.com/perilune/perilune.git" }
description = {
  summary = "Deep learning inside Lua: tensors, autograd, layers, optimizers and data",
  detailed = "C modules on OpenBLAS, libpng and zlib, and PyTorch's names in Lua.  Embeddable, reproducible to the bit.",
  license = "MIT",
  labels = { "machine-learning", "tensor", "autograd", "neural-network" },
}
supported_platforms = { "linux" }
-- The library needs Lua alone until a Trainer writes files; the experiments read flags and make folders.
dependencies = { "lua ~> 5.4", "argparse >= 0.7.1", "luafilesystem >= 1.8.0" }
external_dependencies = { PNG = { header = "png.h" }, ZLIB = { header = "zlib.h" } }   -- OpenBLAS: by pkg-config
build = {
  type = "make",
  build_target = "all",
  install_target = "install",
  build_variables = { LUA_CFLAGS = "-I$(LUA_INCDIR)" },
  install_variables = { LUA_CFLAGS = "-I$(LUA_INCDIR)", LUA_LIBDIR = "$(LIBDIR)", LUA_LUADIR = "$(LUADIR)" },
}
-- busted is not a test dependency here: `luarocks test` would fetch it even where Debian's lua-busted is installed.
-- `make test` looks for it, and says what to install.
test = { type = "command", command = "make test" }
