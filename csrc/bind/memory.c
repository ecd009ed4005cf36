/* memory.c -- what tensors take, and the switches that specs use. */
#include "../perilune.h"
#include "state.h"

static void set_count(lua_State *L, const char *name, int64_t value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

/* perilune.memory() -> { live_bytes, peak_bytes, cached_bytes, live_blocks, tensors } of this Lua state. */
static int memory(lua_State *L) {
  memory_use use = allocator_use(bind_context(L)->memory);
  lua_createtable(L, 0, 5);
  set_count(L, "live_bytes", (int64_t)use.live_bytes);
  set_count(L, "peak_bytes", (int64_t)use.peak_bytes);
  set_count(L, "cached_bytes", (int64_t)use.cached_bytes);
  set_count(L, "live_blocks", use.live_blocks);
  set_count(L, "tensors", use.live_tensors);
  return 1;
}

static int reset_peak(lua_State *L) {
  allocator_reset_peak(bind_context(L)->memory);
  return 0;
}

static int trim_memory(lua_State *L) {
  allocator_trim(bind_context(L)->memory);
  return 0;
}

/* perilune.set_memory_cap(bytes): 0 or nil for none. */
static int set_memory_cap(lua_State *L) {
  int64_t n_bytes = lua_isnoneornil(L, 1) ? 0 : bind_check_integer(L, 1, "set_memory_cap: bytes", 0, INT64_MAX);
  perilune_set_memory_cap(L, (size_t)n_bytes);
  return 0;
}

/* core.debug.fail_allocation(n): the n-th allocation from now fails once; 0 switches it off. */
static int fail_allocation(lua_State *L) {
  allocator_fail_at(bind_context(L)->memory, bind_check_integer(L, 1, "fail_allocation: n", 0, INT64_MAX));
  return 0;
}

void bind_memory(lua_State *L) {
  static const luaL_Reg functions[] = { { "memory", memory },
                                        { "reset_peak_memory", reset_peak },
                                        { "trim_memory", trim_memory },
                                        { "set_memory_cap", set_memory_cap },
                                        { NULL, NULL } };
  static const luaL_Reg debug[] = { { "fail_allocation", fail_allocation }, { NULL, NULL } };
  luaL_setfuncs(L, functions, 0);
  luaL_newlib(L, debug);
  lua_setfield(L, -2, "debug");
}
