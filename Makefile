# perilune -- `make help` lists the targets.
# Everything is built out of tree: build/perilune/core.so, or build/asan/perilune/core.so under sanitizers.

CC          ?= cc
LUA         ?= lua5.4
PYTHON      ?= python3
BUILD       ?= build
PREFIX      ?= /usr/local
LUA_LIBDIR  ?= $(PREFIX)/lib/lua/5.4
LUA_LUADIR  ?= $(PREFIX)/share/lua/5.4

# What Debian 12 calls the things that building and testing need; and what only lint and the rock need.
PACKAGES      := gcc libc6-dev pkg-config lua5.4 liblua5.4-dev libopenblas-dev libpng-dev zlib1g-dev \
                 libcairo2-dev lua-busted lua-argparse lua-cjson lua-filesystem lua-sql-sqlite3 dataset-fashion-mnist
TOOL_PACKAGES := clang cppcheck lua-check luarocks

# Asked once, and only when a recipe needs it: pkg-config itself may be installed by `deps`.
LUA_CFLAGS = $(eval LUA_CFLAGS := $$(shell pkg-config --cflags lua5.4))$(LUA_CFLAGS)
LUA_LIBS   = $(eval LUA_LIBS := $$(shell pkg-config --libs lua5.4))$(LUA_LIBS)
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags openblas libpng zlib))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $$(shell pkg-config --libs openblas libpng zlib))$(PKG_LIBS)

# The flags.  NaN and infinity keep their meaning (no -ffast-math); one binary runs on every x86-64 (no
# -march=native): hot kernels choose their instruction set at run time.  liblua is not linked: the host has it.
STANDARD  := -std=c11 -D_DEFAULT_SOURCE -D_XOPEN_SOURCE=700
WARNINGS  := -Wall -Wextra
# Where no loop is hot, -O3 would only be larger.  gcc would follow each vector loop by narrower ones for what is left
# over, three times: 50 KB for a few nanoseconds a call.
LEVEL      = $(if $(filter bind/% formats/% autograd/%,$(@:$(BUILD)/obj/%=%)),-O2,-O3)
SMALL     := $(if $(findstring clang,$(shell $(CC) --version 2>/dev/null)),,--param vect-epilogues-nomask=0)
OPTIMIZE   = $(LEVEL) -fno-math-errno -fno-trapping-math -ffp-contract=fast
ALL_CFLAGS = $(STANDARD) $(WARNINGS) $(OPTIMIZE) -fPIC -pthread -fvisibility=hidden \
             $(SANITIZE) $(LUA_CFLAGS) $(PKG_CFLAGS) $(CFLAGS)
STRICT    := -Werror -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
             -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wundef

# Plots alone need Cairo: they have a module of their own, which is built where Cairo is.
CAIRO          := $(shell pkg-config --exists cairo 2>/dev/null && echo yes)
CAIRO_CFLAGS    = $(eval CAIRO_CFLAGS := $$(shell pkg-config --cflags cairo))$(CAIRO_CFLAGS)
CAIRO_LIBS      = $(eval CAIRO_LIBS := $$(shell pkg-config --libs cairo))$(CAIRO_LIBS)
CANVAS_SOURCES := $(sort $(wildcard csrc/canvas/*.c)) csrc/bind/canvas.c
CANVAS_OBJECTS := $(CANVAS_SOURCES:csrc/%.c=$(BUILD)/obj/%.o)
CANVAS         := $(if $(CAIRO),$(BUILD)/perilune/canvas.so)

SOURCES := $(filter-out $(CANVAS_SOURCES),$(sort $(wildcard csrc/*/*.c)))
OBJECTS := $(SOURCES:csrc/%.c=$(BUILD)/obj/%.o)
CORE    := $(BUILD)/perilune/core.so
HOSTS   := $(patsubst spec/embedding/%.c,$(BUILD)/embedding/%,$(wildcard spec/embedding/*.c))

ENVIRONMENT = LUA_PATH="$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;;" LUA_CPATH="$(CURDIR)/$(BUILD)/?.so;;"

all: $(CORE) $(CANVAS)  ## build the library

LINK      = $(CC) $(ALL_CFLAGS) -shared -Wl,-z,nodelete,-z,now,-z,pack-relative-relocs \
            -Wl,--version-script=$(BUILD)/exports.map
LINK_LIBS = $(LDFLAGS) $(PKG_LIBS) -lm -lpthread

# nodelete: lua_close unloads the library, and OpenBLAS with it, while OpenBLAS's threads still sleep in its code.
# pack-relative-relocs: 53 KB less (needs glibc 2.36; a linker that does not know it says so and goes on).
# The linker hides what -fvisibility=hidden leaves: gcc exports the symbols of target_clones.
$(CORE): $(OBJECTS)
	@mkdir -p $(@D)
	@echo '{ global: luaopen_perilune_core; perilune_*; local: *; };' > $(BUILD)/exports.map
	@echo "link $@"
	@$(LINK) -o $@ $^ $(LINK_LIBS)

# nodelete: fontconfig keeps what it has read of the fonts until the process ends.
$(CANVAS): $(CANVAS_OBJECTS)
	@mkdir -p $(@D)
	@echo "link $@"
	@$(CC) $(ALL_CFLAGS) -shared -Wl,-z,nodelete,-z,now -o $@ $^ $(LDFLAGS) $(CAIRO_LIBS) -lm

$(CANVAS_OBJECTS): ALL_CFLAGS += $(CAIRO_CFLAGS)
$(BUILD)/obj/%.o: csrc/%.c Makefile
	@mkdir -p $(@D)
	@echo "compile $<"
	@$(CC) $(ALL_CFLAGS) $(SMALL) -MMD -MP -c -o $@ $<

$(BUILD)/embedding/%: spec/embedding/%.c $(CORE)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^ -Wl,-rpath,$(abspath $(BUILD)/perilune) $(LDFLAGS) $(LUA_LIBS) $(PKG_LIBS) -lm -lpthread

test: deps  ## run the specs (SPEC=spec/x_spec.lua for one of them)
	@+$(MAKE) -s specs

SPEC ?= spec
specs: $(CORE) $(CANVAS) $(HOSTS)  ## the same, without looking for missing packages
	PERILUNE_BUILD=$(BUILD) busted --lua="$$(command -v $(LUA))" $(SPEC)

# lua5.4 is not instrumented, so the sanitizer's library is loaded before it.  Clones are resolved by ifuncs,
# which run before ASan is ready: they are left out.
asan: deps  ## rebuild with Address-, Leak- and UndefinedBehaviorSanitizer and run the specs
	@+$(MAKE) -s BUILD=build/asan OPTIMIZE="-O1 -g -fno-omit-frame-pointer -DPERILUNE_NO_CLONES" \
	  SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all" sanitized-specs

sanitized-specs: $(CORE) $(CANVAS) $(HOSTS)
	PERILUNE_BUILD=$(BUILD) LD_PRELOAD="$$($(CC) -print-file-name=libasan.so)" \
	  ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 \
	  LSAN_OPTIONS=suppressions=spec/leaks.supp:print_suppressions=0 busted --lua="$$(command -v $(LUA))" $(SPEC)

# The kernels' specs, or SPEC, on the clones that processors without AVX-512, and without AVX2, run.
older: older-avx2 older-base  ## run the specs of the kernels as older processors do
older-base: OLDER := -DOLDER_THAN_AVX2
older-%: $(CORE) $(CANVAS)
	@mkdir -p $(BUILD)/$*/perilune
	@$(CC) $(ALL_CFLAGS) $(OLDER) -c -o $(BUILD)/$*/processor.o spec/support/processor.c
	@echo "link $(BUILD)/$*/perilune/core.so"
	@$(LINK) -Wl,--wrap=__cpu_indicator_init -o $(BUILD)/$*/perilune/core.so $(OBJECTS) $(BUILD)/$*/processor.o $(LINK_LIBS)
	@$(if $(CANVAS),cp $(CANVAS) $(BUILD)/$*/perilune/)
	PERILUNE_BUILD=$(BUILD)/$* busted --lua="$$(command -v $(LUA))" $(if $(filter spec,$(SPEC)),spec/kernels,$(SPEC))

lint: all  ## warnings as errors on gcc and clang, cppcheck, luacheck, the rules of spec/lint.lua
	@+$(MAKE) -s tools
	@+$(MAKE) -s -k --output-sync=target lint-gcc lint-clang lint-cppcheck lint-lua lint-house

lint-gcc lint-clang: lint-%:
	@echo "$*: all warnings as errors"
	@$* $(ALL_CFLAGS) $(STRICT) -fsyntax-only $(SOURCES) $(wildcard spec/embedding/*.c) $(if $(filter gcc,$*),spec/support/processor.c)
	@$(if $(CAIRO),$* $(ALL_CFLAGS) $(CAIRO_CFLAGS) $(STRICT) -fsyntax-only $(CANVAS_SOURCES))
lint-cppcheck:
	@echo "cppcheck"
	@cppcheck -q --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	  --suppress=missingIncludeSystem --suppress=invalidFunctionArg --suppress=internalAstError \
	  --suppress=invalidPointerCast csrc spec/embedding spec/support
lint-lua:
	@echo "luacheck"
	@luacheck -q $(wildcard lua experiments spec)
lint-house:
	@echo "the rules of spec/lint.lua"
	@$(LUA) spec/lint.lua . $(CORE) $(CANVAS)

# PYTHON must have PyTorch, NumPy and safetensors; the results are committed, so that `test` needs none of them.
annotations: all  ## make the editor annotations of the operations again
	@$(ENVIRONMENT) $(LUA) spec/annotations.lua > lua/perilune/meta/operations.lua

references: all  ## make the reference data of the operations again (PYTHON=...)
	@$(ENVIRONMENT) $(PYTHON) spec/reference/ops.py

bench: all  ## time the library, and PyTorch beside it where PYTHON has one
	@PERILUNE_PYTHON="$(PYTHON)" $(ENVIRONMENT) $(LUA) experiments/bench/run.lua

interop: all  ## real Optuna and optuna-dashboard on our studies, many processes, PostgreSQL (skips what is not there)
	@$(ENVIRONMENT) PYTHON="$(PYTHON)" spec/interop/run

env:  ## print what lets a plain lua5.4 find the library, for eval
	@+$(MAKE) -s all >&2
	@echo 'export $(ENVIRONMENT)'

reproduce: deps  ## run the study on the real Fashion-MNIST and write its report (ARGS="--quick" for a look)
	@+$(MAKE) -s all
	@$(ENVIRONMENT) $(LUA) experiments/reproduce.lua --interpreter $(LUA) $(ARGS)

# With everything there, one call of dpkg-query.  Systems without dpkg are left alone.
deps:  ## install the missing Debian packages (as root; otherwise say what is missing)
	@command -v dpkg-query >/dev/null || exit 0; \
	installed=$$(dpkg-query -W -f '$${db:Status-Status} $${Package}\n' $(PACKAGES) 2>/dev/null | sed -n 's/^installed //p'); \
	missing=$$(printf '%s\n' $(PACKAGES) | grep -vxF "$$installed" | tr '\n' ' '); \
	[ -n "$$missing" ] || exit 0; \
	if [ "$$(id -u)" != 0 ]; then \
	  echo "perilune needs some packages first:"; echo "  sudo apt-get install --no-install-recommends $$missing"; exit 1; fi; \
	echo "installing: $$missing"; \
	export DEBIAN_FRONTEND=noninteractive; \
	install="apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 $$missing"; \
	$$install >/dev/null 2>&1 || { apt-get update -qq && $$install >/dev/null; }

tools:  ## the same for the packages that lint and the rock need
	@+$(MAKE) -s deps PACKAGES="$(TOOL_PACKAGES)"

install: all  ## copy the library to LUA_LUADIR and LUA_LIBDIR (under DESTDIR)
	install -d $(DESTDIR)$(LUA_LIBDIR)/perilune
	install -m 755 $(CORE) $(CANVAS) $(DESTDIR)$(LUA_LIBDIR)/perilune/
	cd lua && find perilune -name '*.lua' -exec install -D -m 644 {} "$(DESTDIR)$(LUA_LUADIR)/{}" \;

clean:  ## remove what was built
	rm -rf build

help:  ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/\1\t\2/p' Makefile | expand -t 12

.PHONY: interop annotations references all test specs asan sanitized-specs lint lint-gcc lint-clang lint-cppcheck lint-lua lint-house bench env reproduce deps tools install clean help
-include $(OBJECTS:.o=.d) $(CANVAS_OBJECTS:.o=.d)
