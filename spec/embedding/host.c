/* host.c -- a program that is not Lua's own, and has perilune as a guest.
**   host LUA_DIRECTORY
** Runs states on several threads side by side: some compute, one fails all the time, one has little memory.  Before that one
** state's allocator fails, at each allocation in turn.
** Prints only what went wrong and exits with 1 then; anything else on its output was printed by the guest. */
#include <cblas.h>
#include <fenv.h>
#include <lauxlib.h>
#include <lualib.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../csrc/perilune.h"

enum { N_THREADS = 4, ROUNDS = 6 };

static const char *lua_directory;

static const char compute[] =
  "local perilune = require 'perilune'\n"
  "perilune.manual_seed(7)\n"
  "local total = 0\n"
  "perilune.set_num_threads(3)\n"
  "for step = 1, 20 do\n"
  "  local a = perilune.randn(60, 50, { requires_grad = true })\n"
  "  local b = perilune.randn(50, 70)\n"
  "  a:matmul(b):relu():sum():backward()\n"
  "  total = total + a.grad:sum():item() + perilune.full({ 300, 300 }, 0.5):sin():sum():item()\n"
  "end\n"
  "return total\n";

static const char fail[] =
  "local perilune = require 'perilune'\n"
  "local a = perilune.ones(2, 3)\n"
  "assert(not pcall(a.matmul, a, a))\n"
  "return a:matmul(perilune.ones(4, 5))\n";

static const char starve[] =
  "local perilune = require 'perilune'\n"
  "local held = {}\n"
  "local ok, message = pcall(function()\n"
  "  for i = 1, 100 do held[i] = perilune.zeros(256, 256) end\n"
  "end)\n"
  "assert(not ok and tostring(message):find('memory'), message)\n"
  "assert(#held >= 3, 'the cap came too early')\n"
  "held = nil; collectgarbage(); collectgarbage()\n"
  "return perilune.zeros(256, 256):sum():item()\n";

/* Every allocation of a training step with a hook and an operation of the user's fails once. */
static const char sweep[] =
  "local perilune = require 'perilune'\n"
  "local double = perilune.autograd.define {\n"
  "  name = 'double',\n"
  "  forward = function(c, a) c:save_for_backward(a) return a * 2 end,\n"
  "  backward = function(c, gradient) return gradient * 2 + 0 * c.saved[1] end }\n"
  "local w = perilune.ones(4, { requires_grad = true })\n"
  "w:register_hook(function(gradient) return gradient * 3 end)\n"
  "local function step()\n"
  "  w.grad = nil\n"
  "  local y = double(w:exp():log())\n"
  "  y:register_hook(function(gradient) return gradient end)\n"
  "  y:sum():backward()\n"
  "  return w.grad:sum():item()\n"
  "end\n"
  "local function live()\n"
  "  collectgarbage(); collectgarbage()\n"
  "  return perilune.memory().live_bytes\n"
  "end\n"
  "assert(math.abs(step() - 24) < 1e-4)\n"
  "local before, n = live(), 0\n"
  "repeat\n"
  "  n = n + 1\n"
  "  fail_allocation(n)\n"
  "  local fine, result = pcall(step)\n"
  "  local over = fail_allocation(0) > 0\n"
  "  assert(fine or tostring(result):find('not enough memory'), result)\n"
  "  assert(perilune.is_grad_enabled(), 'recording stayed switched off')\n"
  "  assert(math.abs(step() - 24) < 1e-4, 'another gradient than before')\n"
  "  assert(live() == before, 'leaked tensors')\n"
  "until over\n"
  "return n\n";

typedef struct memory {
  size_t live;
  long until_failure;         /* the allocation that fails, counted from now; 0: none */
} memory;

/* Fails twice: Lua collects and tries again. */
static int is_refused(memory *m) {
  if (m->until_failure > 1 || m->until_failure == 0) {
    if (m->until_failure > 1) m->until_failure--;
    return 0;
  }
  m->until_failure = m->until_failure == 1 ? -1 : 0;
  return 1;
}

/* A Lua allocator that knows what is out. */
static void *counting(void *user, void *block, size_t old_size, size_t new_size) {
  memory *m = user;
  if (!block) old_size = 0;
  if (!new_size) {
    free(block);
    m->live -= old_size;
    return NULL;
  }
  if (new_size > old_size && is_refused(m)) return NULL;
  void *moved = realloc(block, new_size);
  if (moved) m->live += new_size - old_size;
  return moved;
}

/* fail_allocation(n): the n-th from now; 0 for none.  Returns what was left to count: > 0 where none had failed. */
static int fail_allocation(lua_State *L) {
  void *user;
  lua_getallocf(L, &user);
  memory *m = user;
  lua_pushinteger(L, m->until_failure);
  m->until_failure = (long)luaL_checkinteger(L, 1);
  return 1;
}

static int complain(const char *who, const char *what) {
  fprintf(stderr, "host: %s: %s\n", who, what);
  return 1;
}

static lua_State *open_state(memory *m) {
  lua_State *L = lua_newstate(counting, m);
  luaL_openlibs(L);
  lua_register(L, "fail_allocation", fail_allocation);
  luaL_requiref(L, "perilune.core", luaopen_perilune_core, 0);
  lua_getglobal(L, "package");
  lua_pushfstring(L, "%s/?.lua;%s/?/init.lua", lua_directory, lua_directory);
  lua_setfield(L, -2, "path");
  lua_settop(L, 0);
  return L;
}

/* Runs the code; *number is what it returned.  Returns the number of complaints. */
static int run(lua_State *L, const char *code, double *number) {
  int bad = luaL_dostring(L, code) ? complain("unexpected error", lua_tostring(L, -1)) : 0;
  if (!bad) *number = lua_tonumber(L, -1);
  lua_settop(L, 0);
  return bad;
}

static int run_failing(lua_State *L) {
  if (!luaL_dostring(L, fail)) return complain("fail", "raised nothing");
  const char *message = lua_tostring(L, -1);
  int bad = message && strstr(message, "matmul") ? 0 : complain("fail: message", message ? message : "none");
  lua_settop(L, 0);
  return bad;
}

static int close_state(lua_State *L, const memory *m) {
  lua_close(L);
  return m->live ? complain("lua_close", "left memory behind") : 0;
}

/* One round of a thread: its own states, two at a time.  Returns the number of complaints. */
static int round_of(int thread, double expected) {
  memory own[2] = { { 0 }, { 0 } };
  double number = 0;
  lua_State *worker = open_state(&own[0]), *other = open_state(&own[1]);
  int bad = 0;
  if (thread == 0) bad += run_failing(other);
  if (thread == 1) {
    perilune_set_memory_cap(other, (size_t)1 << 20);
    bad += run(other, starve, &number);
  }
  bad += run(worker, compute, &number);
  if (number != expected) bad += complain("compute", "another number than before");
  if (thread == 0) bad += run_failing(other) + run(other, compute, &number);
  bad += close_state(other, &own[1]) + close_state(worker, &own[0]);
  return bad;
}

typedef struct task {
  int thread, complaints;
  double expected;
} task;

static void *thread_main(void *argument) {
  task *t = argument;
  for (int i = 0; i < ROUNDS; i++) t->complaints += round_of(t->thread, t->expected);
  return NULL;
}

/* What belongs to the host, and must be the same afterwards. */
typedef struct surroundings {
  int rounding, blas_threads;
  char locale[32];
  void (*interrupt)(int), (*segfault)(int), (*floating)(int);
} surroundings;

static void (*handler_of(int number))(int) {
  struct sigaction action;
  sigaction(number, NULL, &action);
  return action.sa_handler;
}

static surroundings look_around(void) {
  surroundings s = { .rounding = fegetround(), .blas_threads = openblas_get_num_threads(),
                     .interrupt = handler_of(SIGINT), .segfault = handler_of(SIGSEGV),
                     .floating = handler_of(SIGFPE) };
  snprintf(s.locale, sizeof s.locale, "%s", setlocale(LC_ALL, NULL));
  return s;
}

static int compare(const surroundings *a, const surroundings *b) {
  int bad = 0;
  if (a->rounding != b->rounding) bad += complain("changed", "rounding mode");
  if (a->blas_threads != b->blas_threads) bad += complain("changed", "OpenBLAS's number of threads");
  if (strcmp(a->locale, b->locale)) bad += complain("changed", "locale");
  if (a->interrupt != b->interrupt || a->segfault != b->segfault || a->floating != b->floating)
    bad += complain("changed", "signal handlers");
  return bad;
}

/* A forked child has the state's memory, but not its threads. */
static int compute_in_child(lua_State *L, double expected) {
  double number = 0;
  pid_t child = fork();
  if (child == 0) {
    int bad = run(L, compute, &number) || number != expected;
    lua_close(L);
    _exit(bad);
  }
  int result = -1;
  waitpid(child, &result, 0);
  return result == 0 ? 0 : complain("fork", "the child got another number, or none");
}

int main(int n_arguments, char **arguments) {
  if (n_arguments != 2) return complain("usage", "host LUA_DIRECTORY");
  lua_directory = arguments[1];
  openblas_set_num_threads(3);
  srand(5);
  int first_random = rand();
  srand(5);
  surroundings before = look_around();

  int bad = 0;
  memory own = { 0 };
  double expected = 0, n_failures = 0;
  lua_State *L = open_state(&own);
  bad += run(L, compute, &expected) + compute_in_child(L, expected) + run(L, sweep, &n_failures);
  if (n_failures < 20) bad += complain("sweep", "too few allocations failed");
  bad += close_state(L, &own);

  pthread_t threads[N_THREADS];
  task tasks[N_THREADS];
  for (int i = 0; i < N_THREADS; i++) {
    tasks[i] = (task){ .thread = i, .expected = expected };
    if (pthread_create(&threads[i], NULL, thread_main, &tasks[i])) return complain("host", "no thread");
  }
  for (int i = 0; i < N_THREADS; i++) {
    pthread_join(threads[i], NULL);
    bad += tasks[i].complaints;
  }

  surroundings after = look_around();
  bad += compare(&before, &after);
  if (rand() != first_random) bad += complain("changed", "the state of rand()");
  if (!strchr(perilune_version(), '.')) bad += complain("version", perilune_version());
  return bad != 0;
}
