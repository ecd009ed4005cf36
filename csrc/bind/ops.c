/* ops.c -- every operation of the registry as a Lua function, made from its description. */
#include <string.h>

#include "../autograd/autograd.h"
#include "../kernels/registry.h"
#include "call.h"

static int call_op(lua_State *L) {
  call k;
  begin_call(&k, L);
  const op *operation = k.compiled->operation;
  tensor **slots[MAX_OUTPUTS], *outputs[MAX_OUTPUTS] = { 0 };
  int first = lua_gettop(L) + 1;
  for (int i = 0; i < operation->n_outputs; i++) slots[i] = bind_new_tensor(L);
  bind_check(L, autograd_apply(k.context, operation, k.n_inputs, k.inputs, k.values, outputs));
  int n_results = 0;
  for (int i = 0; i < operation->n_outputs; i++) {
    *slots[i] = outputs[i];
    if (outputs[i] != NULL) n_results = i + 1;
  }
  lua_settop(L, first + n_results - 1);
  return n_results;
}

const compiled *check_operation(lua_State *L, int argument, const char *function) {
  if (lua_tocfunction(L, argument) != call_op)
    bind_error(L, "%s: argument %d must be one of core.ops", function, argument);
  lua_getupvalue(L, argument, 1);
  const compiled *description = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return description;
}

/* core.fix(core.ops.NAME, options) -> the same function with these options as its defaults: they are read once. */
static int fix(lua_State *L) {
  const compiled *description = check_operation(L, 1, "fix");
  luaL_checktype(L, 2, LUA_TTABLE);
  size_t n_bytes = compiled_bytes(description->n_values);
  compiled *fixed = memcpy(lua_newuserdatauv(L, n_bytes, 0), description, n_bytes);
  fix_options(L, fixed, 2);
  lua_pushcclosure(L, call_op, 1);
  return 1;
}

static int call_op_in_place(lua_State *L) {
  call k;
  begin_call(&k, L);
  if (k.n_inputs == 0 || k.inputs[0] == NULL) bind_error(L, "%s_: needs a tensor", k.compiled->operation->name);
  bind_check(L, autograd_apply_in_place(k.context, k.compiled->operation, k.n_inputs, k.inputs, k.values));
  lua_settop(L, 1);
  return 1;
}

/* core.flops.NAME(the operation's arguments ...) -> floating-point operations of the forward, or nil.  Runs it: the
** arguments are checked there, and the count may want the outputs. */
static int count_flops(lua_State *L) {
  call k;
  begin_call(&k, L);
  const op *operation = k.compiled->operation;
  if (operation->flops == NULL) return 0;
  double n_flops;
  bind_check(L, autograd_flops(k.context, operation, k.n_inputs, k.inputs, k.values, &n_flops));
  lua_pushnumber(L, n_flops);
  return 1;
}

/* table[name .. suffix] = the value on top of the stack, which stays there. */
static void set_named(lua_State *L, int table, const char *name, const char *suffix) {
  lua_pushfstring(L, "%s%s", name, suffix);
  lua_pushvalue(L, -2);
  lua_rawset(L, table);
}

/* Pushes a function of the description at the given index. */
static void push_function(lua_State *L, int description, lua_CFunction function) {
  lua_pushvalue(L, description);
  lua_pushcclosure(L, function, 1);
}

/* core.ops: all of them; core.plain_ops: those of the `perilune` table.  Leaves the core table on top. */
void bind_ops(lua_State *L) {
  int core = lua_gettop(L);
  lua_newtable(L);
  lua_newtable(L);
  lua_newtable(L);
  bind_push_methods(L);
  int ops = core + 1, plain_ops = core + 2, flops = core + 3, methods = core + 4;
  for (int i = 0; registry[i] != NULL; i++) {
    const op *operation = registry[i];
    bool is_method = operation->flags & OP_METHOD;
    push_compiled(L, operation);
    int description = lua_gettop(L);
    push_function(L, description, call_op);
    set_named(L, ops, operation->name, "");
    if (!(operation->flags & OP_FUNCTIONAL)) set_named(L, plain_ops, operation->name, "");
    if (is_method) set_named(L, methods, operation->name, "");
    if (operation->flags & OP_IN_PLACE) {
      push_function(L, description, call_op_in_place);
      set_named(L, ops, operation->name, "_");
      if (is_method) set_named(L, methods, operation->name, "_");
    }
    push_function(L, description, count_flops);
    set_named(L, flops, operation->name, "");
    lua_settop(L, methods);
  }
  lua_settop(L, flops);
  lua_setfield(L, core, "flops");
  lua_setfield(L, core, "plain_ops");
  lua_setfield(L, core, "ops");
  lua_pushcfunction(L, fix);
  lua_setfield(L, core, "fix");
  lua_pushcfunction(L, list_registry);
  lua_setfield(L, core, "registry");
  bind_chain(L);
}
