/* chain.c -- operations one after the other in one call: what lies between them needs no Lua value.
**
** A tensor that goes to Lua costs more than a small operation: a userdata with a finaliser, a function call, a round of
** the interpreter.  nn.Sequential runs its layers through chains. */
#include <string.h>

#include "../autograd/autograd.h"
#include "call.h"

typedef struct link {
  const compiled *description;
  int n_arguments;              /* besides the tensor that comes from the link before */
} link;

/* Upvalue 2 keeps the operations, and so the descriptions, alive. */
typedef struct chain {
  int n_links;
  link links[];
} chain;

/* run(x, arguments ...) -> y.  The result's handle holds what lies between two links: an error cannot leak it. */
static int run(lua_State *L) {
  const chain *c = lua_touserdata(L, lua_upvalueindex(1));
  call k = { .context = bind_enter(L) };
  int wanted = 1;
  for (int i = 0; i < c->n_links; i++) wanted += c->links[i].n_arguments;
  lua_settop(L, wanted);
  tensor **slot = bind_new_tensor(L);
  int base = 0, top = lua_gettop(L);
  for (int i = 0; i < c->n_links; i++) {
    const link *l = &c->links[i];
    tensor *y[MAX_OUTPUTS] = { 0 };
    read_call(&k, L, l->description, i == 0 ? NULL : *slot, base, base + 1 + l->n_arguments);
    status code = autograd_apply(k.context, l->description->operation, k.n_inputs, k.inputs, k.values, y);
    tensor_release(*slot);
    *slot = y[0];
    bind_check(L, code);
    lua_settop(L, top);
    base += l->n_arguments;
  }
  return 1;
}

static void check_link(lua_State *L, link *l, int argument) {
  l->description = check_operation(L, argument, "chain");
  l->n_arguments = (int)bind_check_integer(L, argument + 1, "chain: the number of arguments", 0, MAX_PARAMETERS);
  const op *operation = l->description->operation;
  if (operation->n_outputs != 1 || operation->parameters[0].kind != P_TENSOR)
    bind_error(L, "chain: %s does not make one tensor from one", operation->name);
}

/* core.chain(f1, n1, f2, n2, ...) -> run(x, ...), which is f2(f1(x, n1 arguments), n2 arguments) and so on: f are
** core.ops or fixed ones, n count their positional arguments behind the first; absent ones are given as nil. */
static int new_chain(lua_State *L) {
  int n = lua_gettop(L) / 2;
  chain *c = lua_newuserdatauv(L, sizeof *c + (size_t)n * sizeof *c->links, 0);
  c->n_links = n;
  if (n == 0) bind_error(L, "chain: give it operations");
  lua_createtable(L, n, 0);
  for (int i = 0; i < n; i++) {
    check_link(L, &c->links[i], 2 * i + 1);
    lua_pushvalue(L, 2 * i + 1);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushcclosure(L, run, 2);
  return 1;
}

void bind_chain(lua_State *L) {
  lua_pushcfunction(L, new_chain);
  lua_setfield(L, -2, "chain");
}
