/* data.c -- perilune.core.data: what the data loader needs done fast, and perilune.core.terminal.
**
**   data.gather_batch(source, index, options) -> tensor   options: scale (a number), lanes (false); see
**                                                         kernels/gather_batch.h
**   data.permutation(n, seed, round) -> int64 tensor      of 1 .. n; a pure function of its arguments: the state's
**                                                         generator is left alone
**   terminal.is_interactive([descriptor]) -> boolean      whether it is a terminal (default 2, stderr; 1 is stdout)
**   terminal.columns() -> integer or nil                  how wide the terminal on stdout is
**   terminal.now() -> number                              seconds, monotonic, from an arbitrary start
**   terminal.time() -> number                             seconds since 1970, with their fraction */
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "../kernels/gather_batch.h"
#include "../tensor/random.h"
#include "bind.h"

/* data.gather_batch(source, index, { scale, lanes }) */
static int bind_gather_batch(lua_State *L) {
  context *c = bind_enter(L);
  tensor *source = bind_check_tensor(L, 1);
  tensor *index = bind_check_tensor(L, 2);
  bool scaled = false, lanes = false;
  double scale = 1;
  if (!lua_isnoneornil(L, 3)) {
    luaL_checktype(L, 3, LUA_TTABLE);
    scaled = lua_getfield(L, 3, "scale") == LUA_TNUMBER;
    if (scaled) scale = lua_tonumber(L, -1);
    lua_getfield(L, 3, "lanes");
    lanes = lua_toboolean(L, -1);
  }
  tensor **result = bind_new_tensor(L);
  bind_check(L, gather_batch(c, source, index, scaled, scale, lanes, result));
  return 1;
}

/* data.permutation(n, seed, round): the generator of the context is set aside for the time of the draw. */
static int bind_permutation(lua_State *L) {
  context *c = bind_enter(L);
  int64_t n = bind_check_integer(L, 1, "n", 0, INT64_MAX / 8);
  uint64_t seed = (uint64_t)luaL_checkinteger(L, 2);
  uint64_t part = (uint64_t)bind_check_integer(L, 3, "round", 0, (int64_t)1 << 30);
  tensor **result = bind_new_tensor(L);
  *result = tensor_new(c, DTYPE_INT64, 1, &n);
  if (!*result) bind_check(L, STATUS_NO_MEMORY);
  generator kept = c->random;
  c->random = (generator){ .seed = seed, .offset = part << 33 };
  if (n > 0) random_permutation(c, tensor_int64(*result), n);
  c->random = kept;
  return 1;
}

static int terminal_is_interactive(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_optinteger(L, 1, STDERR_FILENO)));
  return 1;
}

static int terminal_columns(lua_State *L) {
  struct winsize size;
  bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  if (known) lua_pushinteger(L, size.ws_col);
  else lua_pushnil(L);
  return 1;
}

static int terminal_now(lua_State *L) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  lua_pushnumber(L, (lua_Number)t.tv_sec + 1e-9 * (lua_Number)t.tv_nsec);
  return 1;
}

static int terminal_time(lua_State *L) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  lua_pushnumber(L, (lua_Number)t.tv_sec + 1e-9 * (lua_Number)t.tv_nsec);
  return 1;
}

void bind_data(lua_State *L) {
  static const luaL_Reg data[] = {
    { "gather_batch", bind_gather_batch }, { "permutation", bind_permutation }, { NULL, NULL }
  };
  static const luaL_Reg terminal[] = {
    { "is_interactive", terminal_is_interactive }, { "columns", terminal_columns }, { "now", terminal_now },
    { "time", terminal_time }, { NULL, NULL }
  };
  luaL_newlib(L, data);
  lua_setfield(L, -2, "data");
  luaL_newlib(L, terminal);
  lua_setfield(L, -2, "terminal");
}
