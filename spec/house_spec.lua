-- The house keeps its own rules: each rule of spec/lint.lua goes red on a tree that breaks it, and the library
-- shows the world what perilune.h promises and nothing else.

-- Sanitizers' libraries are preloaded into lua5.4, not into the programs that specs start.
local function run(command)
  local pipe = assert(io.popen("export LD_PRELOAD=; (" .. command .. ") 2>&1"))
  local output = pipe:read("a")
  local ok = pipe:close()
  return output, ok == true
end

local function write(path, text)
  local handle = assert(io.open(path, "w"))
  handle:write(text)
  handle:close()
end

describe("lint", function()
  local root

  before_each(function()
    root = run("mktemp -d"):match("%S+")
    run(("cd %s && mkdir -p csrc/tensor csrc/kernels csrc/formats csrc/canvas csrc/bind"):format(root))
  end)

  after_each(function() run("rm -rf " .. root) end)

  local function lint(path, text)
    write(root .. "/csrc/" .. path, "/* " .. path:match("[^/]+$") .. " -- a sample. */\n" .. text .. "\n")
    local output, ok = run("lua5.4 spec/lint.lua " .. root)
    os.remove(root .. "/csrc/" .. path)
    return output, ok
  end

  local function refuses(path, text, message)
    local output, ok = lint(path, text)
    assert.is_false(ok, text)
    assert.equal(("csrc/%s:2: %s\n"):format(path, message), output)
  end

  local function allows(path, text)
    local output, ok = lint(path, text)
    assert.equal("", output)
    assert.is_true(ok)
  end

  it("keeps lua.h in bind", function()
    refuses("kernels/relu.c", "#include <lua.h>", "lua.h belongs to bind: lua.h")
    refuses("tensor/tensor.h", '#include "lauxlib.h"', "lua.h belongs to bind: lauxlib.h")
    allows("bind/core.c", "#include <lua.h>")
  end)

  it("lets a folder include those above it only", function()
    refuses("tensor/tensor.c", '#include "../kernels/op.h"', "layering: tensor must not include ../kernels/op.h")
    refuses("kernels/op.c", '#include "../autograd/autograd.h"',
      "layering: kernels must not include ../autograd/autograd.h")
    refuses("formats/png.c", '#include "../kernels/op.h"', "layering: formats must not include ../kernels/op.h")
    refuses("canvas/canvas.c", '#include "../tensor/tensor.h"', "layering: canvas must not include ../tensor/tensor.h")
    refuses("kernels/op.c", '#include "../somewhere/else.h"', "layering: kernels must not include ../somewhere/else.h")
    refuses("kernels/op.c", '#include "../perilune.h"', "only bind includes perilune.h: ../perilune.h")
    allows("kernels/op.c", '#include "../tensor/tensor.h"\n#include "op.h"')
    allows("formats/png.c", '#include "../tensor/tensor.h"')
    allows("bind/core.c", '#include "../formats/png.h"\n#include "../perilune.h"')
  end)

  it("refuses what a guest must not call", function()
    for _, name in ipairs { "printf", "exit", "abort", "srand", "rand", "puts", "fprintf", "assert", "setenv" } do
      refuses("kernels/op.c", name .. "(1);", "a guest does not call this: " .. name)
    end
    allows("kernels/op.c", "snprintf(a, n, f); /* exit(1) */ say(\"abort()\"); // puts(x)\nint x = '\"'; my_exit(x);")
  end)

  it("gives BLAS, threads and memory one home", function()
    refuses("kernels/op.c", "cblas_sgemm(1);", "BLAS is called through kernels/blas.h: cblas_sgemm")
    refuses("kernels/op.c", "openblas_set_num_threads(1);",
      "BLAS is called through kernels/blas.h: openblas_set_num_threads")
    refuses("kernels/op.c", "#pragma omp parallel for", "threads are started by parallel_for: omp parallel")
    refuses("kernels/op.c", "p = malloc(1);", "memory comes from context_get: malloc")
    refuses("bind/op.c", "p = strdup(s);", "memory comes from context_get: strdup")
    allows("kernels/blas.c", "cblas_sgemm(1);")
    allows("kernels/op.c", "#pragma omp simd")
    refuses("tensor/parallel.c", "pthread_create(a, b, c, d);", "threads are started by parallel_for: pthread_create")
    allows("tensor/pool.c", "pthread_create(a, b, c, d);")
    allows("tensor/allocator.c", "p = malloc(1);")
  end)

  it("wants a header comment, and lines that fit", function()
    refuses("kernels/op.c", "int x; ", "tab or trailing space: int x; ")
    refuses("kernels/op.c", "\tint x;", "tab or trailing space: \tint x;")
    refuses("kernels/op.c", "/*" .. ("x"):rep(119) .. "*/", "line is longer than 120 columns: 123")
    write(root .. "/csrc/kernels/bare.c", "int x;\n")
    local output = lint("kernels/op.c", "")
    assert.equal("csrc/kernels/bare.c:1: a file begins with /* bare.c -- ...: int x;\n", output)
  end)

  it("does not let core.so grow", function()
    local core = root .. "/core.so"
    local function breaches(bytes)
      run(("head -c %d /dev/zero >%s.raw && objcopy -I binary -O elf64-x86-64 --rename-section .data=.rodata %s.raw %s")
        :format(bytes, core, core, core))
      return (run(("lua5.4 spec/lint.lua %s %s"):format(root, core)))
    end
    assert.matches("core.so: larger than 2000000 bytes: 2000", breaches(2000001), 1, true)
    assert.equal("", breaches(1999000))
  end)

  it("finds mutable statics, in functions too", function()
    local object = root .. "/op.o"
    local function statics(text)
      write(root .. "/csrc/kernels/op.c", "/* op.c -- a sample. */\n" .. text .. "\n")
      local output, ok = run(("cc -fPIC -c -o %s %s/csrc/kernels/op.c"):format(object, root))
      assert.is_true(ok, output)
      return (run(("lua5.4 spec/lint.lua %s %s"):format(root, object)))
    end
    assert.equal("op.c: mutable static: calls in .bss\n", statics("static int calls; int f(void) { return calls++; }"))
    assert.equal("op.c: mutable static: last.0 in .data\n",
      statics("int f(int x) { static int last = 3; return last = x; }"))
    assert.equal("op.c: mutable static: own in .tbss\n", statics("_Thread_local int own;"))
    assert.equal("op.c: mutable static: names in .data.rel.local\n",
      statics('static const char *names[] = { "a" }; const char *f(int i) { return names[i]++; }'))
    assert.equal("", statics('static const char *const names[] = { "a" }; const char *f(int i) { return names[i]; }'))
  end)
end)
