/* scope.c -- local s <close> = perilune.scope(): frees every tensor made inside when the block ends. */
#include "state.h"

static const char SCOPE[] = "perilune.scope", WEAK[] = "perilune.weak";

static scope *check_scope(lua_State *L) { return luaL_checkudata(L, 1, SCOPE); }

static void unlink_scope(state *s, scope *gone) {
  scope **at = &s->scopes;
  while (*at != NULL && *at != gone) at = &(*at)->below;
  if (*at == gone) *at = gone->below;
}

/* Gives back the handles of all tensors in the table on top of the stack; pops it. */
static void release_all(lua_State *L) {
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    lua_pop(L, 1);
    tensor **slot = lua_touserdata(L, -1);
    tensor *t = *slot;
    *slot = NULL;
    tensor_release(t);
  }
  lua_pop(L, 1);
}

/* Closing twice is harmless; so is a scope that was forgotten and met the collector. */
static int scope_close(lua_State *L) {
  scope *closing = check_scope(L);
  state *s = bind_state(L);
  if (closing->tensors == LUA_NOREF) return 0;
  unlink_scope(s, closing);
  lua_rawgeti(L, LUA_REGISTRYINDEX, closing->tensors);
  luaL_unref(L, LUA_REGISTRYINDEX, closing->tensors);
  closing->tensors = LUA_NOREF;
  release_all(L);
  return 0;
}

static int scope_forget(lua_State *L) {
  scope *gone = check_scope(L);
  unlink_scope(bind_state(L), gone);
  luaL_unref(L, LUA_REGISTRYINDEX, gone->tensors);
  gone->tensors = LUA_NOREF;
  return 0;
}

/* s:keep(t, ...): these outlive the block; returns them. */
static int scope_keep(lua_State *L) {
  scope *s = check_scope(L);
  int n = lua_gettop(L);
  if (s->tensors == LUA_NOREF) return n - 1;
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->tensors);
  for (int k = 2; k <= n; k++) {
    bind_check_tensor(L, k);
    lua_pushvalue(L, k);
    lua_pushnil(L);
    lua_rawset(L, -3);
  }
  lua_settop(L, n);
  return n - 1;
}

/* core.keep(t) -> t: no open scope frees it.  For what a library call makes inside a block but owns beyond it, such as
** an optimizer's state. */
static int keep_beyond_scopes(lua_State *L) {
  bind_check_tensor(L, 1);
  for (scope *s = bind_state(L)->scopes; s != NULL; s = s->below) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->tensors);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
  }
  lua_settop(L, 1);
  return 1;
}

/* Weak, so that the collector may still take what nobody uses before the block ends. */
static void push_weak_table(lua_State *L) {
  lua_newtable(L);
  luaL_setmetatable(L, WEAK);
}

/* perilune.scope() -> scope.  Tensors made from now on by this coroutine are freed when the scope closes, also on
** an error.  Parameters and gradients are not lost: modules hold tensors that were made before. */
static int scope_open(lua_State *L) {
  state *s = bind_state(L);
  scope *opened = lua_newuserdatauv(L, sizeof *opened, 0);
  opened->tensors = LUA_NOREF;
  opened->thread = L;
  luaL_setmetatable(L, SCOPE);
  push_weak_table(L);
  opened->tensors = luaL_ref(L, LUA_REGISTRYINDEX);
  opened->below = s->scopes;
  s->scopes = opened;
  return 1;
}

void bind_scope(lua_State *L) {
  static const luaL_Reg methods[] = { { "keep", scope_keep },      { "close", scope_close },
                                      { "__close", scope_close },  { "__gc", scope_forget },
                                      { NULL, NULL } };
  luaL_newmetatable(L, SCOPE);
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  luaL_newmetatable(L, WEAK);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_pop(L, 1);
  lua_pushcfunction(L, scope_open);
  lua_setfield(L, -2, "scope");
  lua_pushcfunction(L, keep_beyond_scopes);
  lua_setfield(L, -2, "keep");
}
