/* core.c -- opens perilune.core: the state's context, errors, the safe point. */
#include "../perilune.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "state.h"

/* Bytes of tensors; GARBAGE_FACTOR: for each byte of Lua's own, all of which a collection looks at. */
enum { MIN_COLLECT_LIMIT = 64 << 20, LEAST_GARBAGE = 8 << 20, GARBAGE_FACTOR = 8 };

/* The state's user value: the Lua error that made the last call fail. */
enum { FAILURE = 1 };

/* Addresses of these are the registry's keys. */
static const char STATE_KEY = 's', LIBRARY_KEY = 'l', METHODS_KEY = 'm', POSITION_KEY = 'p';

state *bind_state(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &STATE_KEY);
  state *s = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return s;
}

context *bind_context(lua_State *L) { return bind_state(L)->context; }

/* Twice what is live, and at least 64 MiB; but where a collection is cheap, because Lua has little to look at, sooner:
** a loop that drops a batch every step then gets the same few blocks again while they are in the processor's cache.
** (An epoch of loading alone: 14 instead of 31 ms.)  Under a cap, half of the way from here to the cap. */
static void set_collect_limit(lua_State *L, state *s) {
  memory_use use = allocator_use(s->context->memory);
  size_t limit = 2 * use.live_bytes > MIN_COLLECT_LIMIT ? 2 * use.live_bytes : MIN_COLLECT_LIMIT;
  size_t garbage = GARBAGE_FACTOR * ((size_t)lua_gc(L, LUA_GCCOUNT) << 10);
  if (garbage < LEAST_GARBAGE) garbage = LEAST_GARBAGE;
  if (use.live_bytes + garbage < limit) limit = use.live_bytes + garbage;
  size_t room = use.cap_bytes > use.live_bytes ? use.cap_bytes - use.live_bytes : 0;
  bool capped = use.cap_bytes != 0 && use.live_bytes + room / 2 < limit;
  s->collect_limit = capped ? use.live_bytes + room / 2 : limit;
}

/* The collector does not know how big a tensor is.  It is asked to run here only, where no raw pointer is held,
** and never when the user has stopped it. */
context *bind_enter(lua_State *L) {
  state *s = bind_state(L);
  if (allocator_live_bytes(s->context->memory) > s->collect_limit && lua_gc(L, LUA_GCISRUNNING)) {
    lua_gc(L, LUA_GCCOLLECT);
    set_collect_limit(L, s);
  }
  return s->context;
}

void bind_push_methods(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &METHODS_KEY); }

/* -- errors -- */

/* "file:line: " of the nearest Lua caller whose source does not lie in the library's own folder; where there is none,
** as in a coroutine of the library's, what core.set_position said. */
static void push_position(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &LIBRARY_KEY);
  const char *library = lua_tostring(L, -1);
  lua_Debug frame;
  for (int level = 1; lua_getstack(L, level, &frame); level++) {
    lua_getinfo(L, "Sl", &frame);
    if (frame.currentline <= 0) continue;
    if (library != NULL && strncmp(frame.source, library, strlen(library)) == 0) continue;
    lua_pushfstring(L, "%s:%d: ", frame.short_src, frame.currentline);
    lua_remove(L, -2);
    return;
  }
  lua_pop(L, 1);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &POSITION_KEY) == LUA_TSTRING) return;
  lua_pop(L, 1);
  lua_pushliteral(L, "");
}

int bind_error(lua_State *L, const char *format, ...) {
  char message[600];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  push_position(L);
  lua_pushstring(L, message);
  lua_concat(L, 2);
  lua_error(L);
  __builtin_unreachable();
}

/* An error that user code raised inside the call (a hook, a backward of the user's) is passed on as it was. */
int bind_raise(lua_State *L) {
  state *s = bind_state(L);
  if (!s->has_failure) bind_error(L, "%s", s->context->error);
  s->has_failure = false;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &STATE_KEY);
  lua_getiuservalue(L, -1, FAILURE);
  lua_pushnil(L);
  lua_setiuservalue(L, -3, FAILURE);
  lua_error(L);
  __builtin_unreachable();
}

void bind_check(lua_State *L, status code) {
  if (code != STATUS_OK) bind_raise(L);
}

/* Keeping the error takes no memory, of which there may be none left. */
bool bind_call_back(state *s, lua_State *L, int n_arguments, int n_results) {
  if (lua_pcall(L, n_arguments, n_results, 0) == LUA_OK) return true;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &STATE_KEY);
  lua_insert(L, -2);
  lua_setiuservalue(L, -2, FAILURE);
  lua_pop(L, 1);
  s->has_failure = true;
  snprintf(s->context->error, sizeof s->context->error, "an error in user code");
  return false;
}

int bind_failure(lua_State *L) {
  lua_pushnil(L);
  lua_pushstring(L, bind_context(L)->error);
  return 2;
}

int64_t bind_check_integer(lua_State *L, int argument, const char *what, int64_t low, int64_t high) {
  int is_integer;
  lua_Integer value = lua_tointegerx(L, argument, &is_integer);
  if (!is_integer) bind_error(L, "%s must be an integer, not %s", what, luaL_typename(L, argument));
  if (value < low || value > high)
    bind_error(L, "%s is %lld; it must be in %lld..%lld", what, (long long)value, (long long)low, (long long)high);
  return value;
}

/* core.raise(message): an error at the user's line, for the library's Lua part; of any length. */
static int raise(lua_State *L) {
  luaL_checkstring(L, 1);
  lua_settop(L, 1);
  push_position(L);
  lua_insert(L, 1);
  lua_concat(L, 2);
  return lua_error(L);
}

/* core.position(): the "file:line: " that an error would have here. */
static int position(lua_State *L) {
  push_position(L);
  return 1;
}

/* core.set_position(text or nil): the position of errors that have no caller outside the library.  Returns the old. */
static int set_position(lua_State *L) {
  if (!lua_isnoneornil(L, 1)) luaL_checkstring(L, 1);
  lua_settop(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &POSITION_KEY);
  lua_insert(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &POSITION_KEY);
  return 1;
}

/* core.set_library(prefix): sources that begin so are the library's own. */
static int set_library(lua_State *L) {
  luaL_checkstring(L, 1);
  lua_settop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &LIBRARY_KEY);
  return 0;
}

/* -- threads -- */

static int set_num_threads(lua_State *L) {
  bind_context(L)->n_threads = (int)bind_check_integer(L, 1, "set_num_threads: the number of threads", 1, 1024);
  return 0;
}

static int get_num_threads(lua_State *L) {
  lua_pushinteger(L, bind_context(L)->n_threads);
  return 1;
}

/* -- opening -- */

static int state_close(lua_State *L) {
  state *s = lua_touserdata(L, 1);
  context_free(s->context);
  s->context = NULL;
  return 0;
}

static lua_State *main_thread(lua_State *L) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  lua_State *main = lua_tothread(L, -1);
  lua_pop(L, 1);
  return main;
}

/* Made before any tensor, hence finalised after all of them. */
static void open_state(lua_State *L) {
  state *s = lua_newuserdatauv(L, sizeof *s, FAILURE);
  memset(s, 0, sizeof *s);
  s->collect_limit = LEAST_GARBAGE;
  s->main = main_thread(L);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, state_close);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  s->context = context_new();
  if (s->context == NULL) luaL_error(L, "perilune: not enough memory to start");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &STATE_KEY);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &METHODS_KEY);
}

int luaopen_perilune_core(lua_State *L) {
  static const luaL_Reg functions[] = { { "raise", raise },
                                        { "position", position },
                                        { "set_position", set_position },
                                        { "set_library", set_library },
                                        { "set_num_threads", set_num_threads },
                                        { "get_num_threads", get_num_threads },
                                        { NULL, NULL } };
  luaL_checkversion(L);
  if (bind_state(L) == NULL) open_state(L);
  luaL_newlib(L, functions);
  lua_pushliteral(L, PERILUNE_VERSION);
  lua_setfield(L, -2, "version");
  bind_tensor(L);
  bind_create(L);
  bind_scope(L);
  bind_ops(L);
  bind_autograd(L);
  bind_memory(L);
  bind_random(L);
  bind_formats(L);
  bind_optimizers(L);
  bind_data(L);
  bind_decomposition(L);
  bind_manifold(L);
  bind_study(L);
  return 1;
}

void perilune_set_memory_cap(lua_State *L, size_t n_bytes) {
  state *s = bind_state(L);
  if (s == NULL) return;
  allocator_set_cap(s->context->memory, n_bytes);
  set_collect_limit(L, s);
}

const char *perilune_version(void) { return PERILUNE_VERSION; }
