/* chain.c -- operations one after the other in one call: what lies between them needs no Lua value.
**
** A tensor that goes to Lua costs more than a small operation: a userdata with a finaliser, a function call, a round of
** the interpreter.  nn.Sequential runs its layers through chains.
**
** Where nothing is recorded, the first call with a few samples also writes a program (kernels/program.h), and the next
** ones run it, as long as x looks the same, every argument is the same value, and no tensor among them has been written
** to.  For that a chain keeps the arguments of its program, in the table that is its upvalue 3: nothing else can then
** come to lie at their addresses.  A tensor that was freed by a scope, or changed in place, is noticed at the next
** call, as is a table's content. */
#include <string.h>

#include "../autograd/autograd.h"
#include "call.h"

typedef struct link {
  const compiled *description;
  int n_arguments;              /* besides the tensor that comes from the link before */
} link;

/* What an argument was when the program was written. */
typedef struct noted {
  tensor **slot;                /* NULL: not a tensor */
  const tensor *tensor;
  unsigned version;             /* of its data */
  bool is_list;                 /* a table of integers */
  struct { int64_t items[MAX_DIMS]; int count; } list;
} noted;

/* Upvalue 2 keeps the operations, and so the descriptions, alive. */
typedef struct chain {
  program *program;             /* or NULL */
  int n_links, n_arguments;     /* the arguments behind x */
  bool may_repeat;              /* every operation has a step */
  noted *arguments;          /* behind the links */
  link links[];
} chain;

enum { CHAIN = 1, OPERATIONS, KEPT, FIELDS };   /* upvalues */

static const char CHAIN_NAME[] = "perilune.chain";

static int free_chain(lua_State *L) {
  chain *c = luaL_checkudata(L, 1, CHAIN_NAME);
  program_free(c->program);
  c->program = NULL;
  return 0;
}

/* -- arguments -- */

/* The integers of the table at that index; false: it is something else, such as options. */
static bool read_list(lua_State *L, int index, noted *a) {
  lua_Unsigned n = lua_rawlen(L, index);
  if (n == 0 || n > MAX_DIMS) return false;
  a->list.count = (int)n;
  for (int i = 0; i < a->list.count; i++) {
    bool is_integer = lua_rawgeti(L, index, i + 1) == LUA_TNUMBER && lua_isinteger(L, -1);
    a->list.items[i] = lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (!is_integer) return false;
  }
  return true;
}

static bool same_list(lua_State *L, int index, const noted *a) {
  noted now = { 0 };
  return read_list(L, index, &now) && now.list.count == a->list.count &&
         memcmp(now.list.items, a->list.items, sizeof now.list.items) == 0;
}

static bool same_value(lua_State *L, int i, const noted *a) {
  lua_rawgeti(L, lua_upvalueindex(KEPT), i);
  bool same = lua_rawequal(L, -1, i + 1);
  lua_pop(L, 1);
  return same && (!a->is_list || same_list(L, i + 1, a));
}

/* Argument i behind x is what it was. */
static bool is_same(lua_State *L, int i, const noted *a) {
  if (a->slot == NULL) return same_value(L, i, a);
  return lua_touserdata(L, i + 1) == a->slot && *a->slot == a->tensor &&
         atomic_load_explicit(&a->tensor->storage->version, memory_order_relaxed) == a->version;
}

static bool are_same(lua_State *L, const chain *c) {
  for (int i = 1; i <= c->n_arguments; i++)
    if (!is_same(L, i, &c->arguments[i - 1])) return false;
  return true;
}

/* false: a table that may say anything. */
static bool note(lua_State *L, int i, noted *a) {
  *a = (noted){ .is_list = lua_istable(L, i + 1) };
  tensor *t = bind_test_tensor(L, i + 1);
  if (t != NULL) {
    a->slot = lua_touserdata(L, i + 1);
    a->tensor = t;
    a->version = atomic_load(&t->storage->version);
  }
  lua_pushvalue(L, i + 1);
  lua_rawseti(L, lua_upvalueindex(KEPT), i);
  return !a->is_list || read_list(L, i + 1, a);
}

/* -- running -- */

/* Each link after the other; the result goes into slot, which also holds what lies between two links: an error cannot
** leak it. */
static void run_links(lua_State *L, const chain *self, context *c, tensor **slot, program *p) {
  call k = { .context = c };
  int base = 0, top = lua_gettop(L);
  for (int i = 0; i < self->n_links; i++) {
    const link *l = &self->links[i];
    const op *operation = l->description->operation;
    tensor *y[MAX_OUTPUTS] = { 0 };
    read_call(&k, L, l->description, i == 0 ? NULL : *slot, base, base + 1 + l->n_arguments);
    status code = p == NULL ? autograd_apply(c, operation, k.n_inputs, k.inputs, k.values, y)
                            : autograd_apply_in_program(c, operation, k.n_inputs, k.inputs, k.values, y, p);
    tensor_release(*slot);
    *slot = y[0];
    bind_check(L, code);
    lua_settop(L, top);
    base += l->n_arguments;
  }
}

/* The program is a finalised value's until it is the chain's: an error cannot leak it. */
static void run_and_write(lua_State *L, chain *self, context *c, tensor **slot) {
  chain *writing = lua_newuserdatauv(L, sizeof *writing, 0);
  *writing = (chain){ 0 };
  luaL_setmetatable(L, CHAIN_NAME);
  writing->program = program_new(c, self->n_links);
  if (writing->program == NULL) bind_raise(L);
  run_links(L, self, c, slot, writing->program);
  program_finish(writing->program, *slot);
  program_free(self->program);
  self->program = NULL;
  for (int i = 1; i <= self->n_arguments; i++) self->may_repeat &= note(L, i, &self->arguments[i - 1]);
  self->program = writing->program;
  writing->program = NULL;
  lua_pop(L, 1);
}

/* x and the arguments are the stack. */
static int run(lua_State *L, chain *self) {
  context *c = bind_enter(L);
  tensor **slot = bind_new_tensor(L);
  tensor *x = self->may_repeat && !c->grad_enabled && !c->anomaly ? bind_test_tensor(L, 1) : NULL;
  bool wanted = x != NULL && program_wants(x);
  bool known = wanted && self->program != NULL && program_fits(self->program, x) && are_same(L, self);
  if (known && program_is_complete(self->program)) bind_check(L, program_run(c, self->program, x, slot));
  else if (wanted && !known) run_and_write(L, self, c, slot);
  else run_links(L, self, c, slot, NULL);
  lua_settop(L, 2 + self->n_arguments);
  return 1;
}

/* run(x, arguments ...) -> y */
static int run_on_arguments(lua_State *L) {
  chain *self = lua_touserdata(L, lua_upvalueindex(CHAIN));
  luaL_checkstack(L, self->n_arguments, "chain");
  lua_settop(L, 1 + self->n_arguments);
  return run(L, self);
}

/* run(x) -> y */
static int run_on_fields(lua_State *L) {
  chain *self = lua_touserdata(L, lua_upvalueindex(CHAIN));
  luaL_checkstack(L, self->n_arguments + 1, "chain");
  lua_settop(L, 1);
  for (int i = 1; i <= self->n_arguments; i++) {
    lua_rawgeti(L, lua_upvalueindex(FIELDS), 2 * i - 1);
    lua_rawgeti(L, lua_upvalueindex(FIELDS), 2 * i);
    lua_gettable(L, -2);
    lua_replace(L, -2);
  }
  return run(L, self);
}

/* -- making -- */

static void check_link(lua_State *L, link *l, int argument) {
  l->description = check_operation(L, argument, "chain");
  l->n_arguments = (int)bind_check_integer(L, argument + 1, "chain: the number of arguments", 0, MAX_PARAMETERS);
  const op *operation = l->description->operation;
  if (operation->n_outputs != 1 || operation->parameters[0].kind != P_TENSOR)
    bind_error(L, "chain: %s does not make one tensor from one", operation->name);
}

static int count_arguments(lua_State *L, int first, int n_links) {
  int64_t n = 0;
  for (int i = 0; i < n_links; i++)
    n += bind_check_integer(L, first + 2 * i + 1, "chain: the number of arguments", 0, MAX_PARAMETERS);
  return (int)n;
}

/* Pushes the chain of the operations and counts from `first` on, and the tables of what it keeps. */
static chain *push_chain(lua_State *L, int first) {
  int n = (lua_gettop(L) - first + 1) / 2;
  if (n == 0) bind_error(L, "chain: give it operations");
  int n_arguments = count_arguments(L, first, n);
  size_t links_end = sizeof(chain) + (size_t)n * sizeof(link);
  chain *c = lua_newuserdatauv(L, links_end + (size_t)n_arguments * sizeof(noted), 0);
  *c = (chain){ .n_links = n, .n_arguments = n_arguments, .may_repeat = true };
  c->arguments = (noted *)(void *)((char *)c + links_end);
  luaL_setmetatable(L, CHAIN_NAME);
  lua_createtable(L, n, 0);
  for (int i = 0; i < n; i++) {
    check_link(L, &c->links[i], first + 2 * i);
    c->may_repeat = c->may_repeat && c->links[i].description->operation->repeat != NULL;
    lua_pushvalue(L, first + 2 * i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_createtable(L, n_arguments, 0);
  return c;
}

/* core.chain(f1, n1, f2, n2, ...) -> run(x, ...), which is f2(f1(x, n1 arguments), n2 arguments) and so on: f are
** core.ops or fixed ones, n count their positional arguments behind the first; absent ones are given as nil. */
static int new_chain(lua_State *L) {
  push_chain(L, 1);
  lua_pushcclosure(L, run_on_arguments, KEPT);
  return 1;
}

/* core.layer_chain({ t1, k1, t2, k2, ... }, f1, n1, f2, n2, ...) -> run(x): the same with the arguments t1[k1], t2[k2]
** and so on, which are read at each call. */
static int new_layer_chain(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  const chain *c = push_chain(L, 2);
  int64_t n_fields = (int64_t)lua_rawlen(L, 1) / 2;
  if (n_fields != c->n_arguments)
    bind_error(L, "layer_chain: %d arguments but %lld fields", c->n_arguments, (long long)n_fields);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, run_on_fields, FIELDS);
  return 1;
}

void bind_chain(lua_State *L) {
  luaL_newmetatable(L, CHAIN_NAME);
  lua_pushcfunction(L, free_chain);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  lua_pushcfunction(L, new_chain);
  lua_setfield(L, -2, "chain");
  lua_pushcfunction(L, new_layer_chain);
  lua_setfield(L, -2, "layer_chain");
}
