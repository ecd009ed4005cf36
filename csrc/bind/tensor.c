/* tensor.c -- the tensor userdata: its handle, fields, indexing, conversion to Lua values. */
#include <string.h>

#include "../autograd/autograd.h"
#include "state.h"

/* The metatable's name, and its address the registry's key: no string is looked up in a call. */
static const char TENSOR[] = "perilune.tensor";

/* -- the handle -- */

/* A scope that this coroutine opened gets to know of the tensor. */
static void tell_scope(lua_State *L) {
  scope *s = bind_state(L)->scopes;
  while (s != NULL && s->thread != L) s = s->below;
  if (s == NULL) return;
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->tensors);
  lua_pushvalue(L, -2);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* The handle, or NULL where there is none. */
static tensor **handle_at(lua_State *L, int argument) {
  if (lua_type(L, argument) != LUA_TUSERDATA || !lua_getmetatable(L, argument)) return NULL;
  lua_rawgetp(L, LUA_REGISTRYINDEX, TENSOR);
  bool is_handle = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return is_handle ? lua_touserdata(L, argument) : NULL;
}

tensor **bind_new_kept_tensor(lua_State *L) {
  tensor **slot = lua_newuserdatauv(L, sizeof *slot, 0);
  *slot = NULL;
  lua_rawgetp(L, LUA_REGISTRYINDEX, TENSOR);
  lua_setmetatable(L, -2);
  return slot;
}

tensor **bind_new_tensor(lua_State *L) {
  tensor **slot = bind_new_kept_tensor(L);
  tell_scope(L);
  return slot;
}

void bind_push_tensor(lua_State *L, tensor *t) {
  tensor **slot = bind_new_tensor(L);
  *slot = tensor_retain(t);
}

tensor *bind_test_tensor(lua_State *L, int argument) {
  tensor **slot = handle_at(L, argument);
  return slot != NULL ? *slot : NULL;
}

bool bind_is_tensor(lua_State *L, int argument) { return handle_at(L, argument) != NULL; }

/* Names the function as its caller did, where the caller's code tells. */
static void refuse(lua_State *L, int argument) {
  lua_Debug called = { .name = NULL };
  if (lua_getstack(L, 0, &called)) lua_getinfo(L, "n", &called);
  bind_error(L, "%s%sargument %d must be a tensor, not %s", called.name ? called.name : "", called.name ? ": " : "",
             argument, luaL_typename(L, argument));
}

tensor *bind_check_tensor(lua_State *L, int argument) {
  tensor **slot = handle_at(L, argument);
  if (slot == NULL) refuse(L, argument);
  if (*slot == NULL) bind_error(L, "this tensor was freed when its scope closed; scope:keep(t) lets it out");
  return *slot;
}

/* Anybody can call getmetatable(t).__gc, with anything. */
static int tensor_gc(lua_State *L) {
  tensor **slot = handle_at(L, 1);
  if (slot == NULL) return 0;
  tensor *t = *slot;
  *slot = NULL;
  tensor_release(t);
  return 0;
}

/* core.release(t): lets go of the handle at once; the tape and other tensors keep what they use. */
static int release(lua_State *L) {
  if (handle_at(L, 1) == NULL) bind_check_tensor(L, 1);
  return tensor_gc(L);
}

/* core.shares_storage(a, b): whether both look at the same memory. */
static int shares_storage(lua_State *L) {
  lua_pushboolean(L, bind_check_tensor(L, 1)->storage == bind_check_tensor(L, 2)->storage);
  return 1;
}

/* core.take_over(t, fresh): the leaf t becomes what fresh is, whose memory nobody else sees; who holds t, as an
** optimizer does, holds the new values.  What was recorded keeps the old ones.  Its .grad must be nil or fit. */
static int take_over(lua_State *L) {
  tensor *t = bind_check_tensor(L, 1), *fresh = bind_check_tensor(L, 2);
  if (!tensor_is_leaf(t) || !tensor_owns_alone(fresh) || !tensor_same_shape(t, fresh))
    bind_error(L, "take_over: needs a leaf, and a fresh tensor of its shape");
  atomic_store(&fresh->storage->version, atomic_load(&t->storage->version) + 1);
  tensor_exchange_memory(t, fresh);
  return 0;
}

static int is_tensor(lua_State *L) {
  lua_pushboolean(L, handle_at(L, 1) != NULL);
  return 1;
}

/* -- scratch -- */

/* A large block is closed when the binding returns: one that waited for the collector would be missing from the cache
** until then.  (__gc is for a coroutine that raised: nobody closes what is on its stack.)  A small one is Lua's own:
** what has a finaliser outlives the collection that finds it, and where a step of training leaves many of those,
** generational mode takes its collections for failures and lets the heap double before the next. */
static const char SCRATCH[] = "perilune.scratch";
enum { SMALL_SCRATCH_BYTES = 4096 };

typedef struct scratch {
  allocator *memory;
  void *block;
  size_t n_bytes;
} scratch;

static int scratch_free(lua_State *L) {
  scratch *s = luaL_checkudata(L, 1, SCRATCH);
  if (s->block != NULL) allocator_put(s->memory, s->block, s->n_bytes);
  s->block = NULL;
  return 0;
}

void *bind_scratch(lua_State *L, size_t n_bytes) {
  if (n_bytes <= SMALL_SCRATCH_BYTES) return lua_newuserdatauv(L, n_bytes, 0);
  context *c = bind_context(L);
  scratch *s = lua_newuserdatauv(L, sizeof *s, 0);
  *s = (scratch){ .memory = c->memory, .n_bytes = n_bytes > 0 ? n_bytes : 1 };
  luaL_setmetatable(L, SCRATCH);
  s->block = context_get(c, s->n_bytes);
  if (s->block == NULL) bind_raise(L);
  lua_toclose(L, -1);
  return s->block;
}

/* -- Lua values -- */

/* A NaN loses its sign: Lua would print it as "-nan" or "nan", as the machine likes. */
static void push_element(lua_State *L, dtype d, const void *at) {
  switch (d) {
    case DTYPE_BOOL: lua_pushboolean(L, *(const uint8_t *)at); break;
    case DTYPE_UINT8: lua_pushinteger(L, *(const uint8_t *)at); break;
    case DTYPE_INT64: lua_pushinteger(L, *(const int64_t *)at); break;
    case DTYPE_FLOAT32: lua_pushnumber(L, message_number((double)*(const float *)at)); break;
    case DTYPE_FLOAT64: lua_pushnumber(L, message_number(*(const double *)at)); break;
  }
}

/* t:item() -> the only element as a Lua number or boolean. */
static int item(lua_State *L) {
  tensor *t = bind_check_tensor(L, 1);
  if (tensor_numel(t) != 1)
    bind_error(L, "item: the tensor is %s; only one element can become a number", tensor_shape_text(t).text);
  push_element(L, t->dtype, tensor_data(t));
  return 1;
}

static void push_nested(lua_State *L, const tensor *t, int d, const char *at) {
  if (d == t->n_dims) {
    push_element(L, t->dtype, at);
    return;
  }
  luaL_checkstack(L, 2, "totable");
  lua_createtable(L, (int)(t->shape[d] < INT32_MAX ? t->shape[d] : INT32_MAX), 0);
  for (int64_t i = 0; i < t->shape[d]; i++) {
    push_nested(L, t, d + 1, at + i * t->stride[d] * (int64_t)dtype_size(t->dtype));
    lua_rawseti(L, -2, i + 1);
  }
}

/* t:totable() -> nested tables of Lua numbers; a 0-dim tensor gives a number. */
static int totable(lua_State *L) {
  tensor *t = bind_check_tensor(L, 1);
  push_nested(L, t, 0, tensor_data(t));
  return 1;
}

static const char SIZES[] = "perilune.sizes";

/* "(2, 3)" in the REPL; otherwise a list like any other. */
static int sizes_to_string(lua_State *L) {
  luaL_Buffer text;
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_buffinit(L, &text);
  luaL_addchar(&text, '(');
  for (lua_Integer i = 1; lua_rawgeti(L, 1, i) != LUA_TNIL; i++) {
    if (i > 1) {
      lua_pushliteral(L, ", ");
      lua_insert(L, -2);
      lua_concat(L, 2);
    }
    luaL_addvalue(&text);
  }
  lua_pop(L, 1);
  luaL_addchar(&text, ')');
  luaL_pushresult(&text);
  return 1;
}

static void push_sizes(lua_State *L, int n, const int64_t *sizes) {
  lua_createtable(L, n, 0);
  luaL_setmetatable(L, SIZES);
  for (int d = 0; d < n; d++) {
    lua_pushinteger(L, sizes[d]);
    lua_rawseti(L, -2, d + 1);
  }
}

/* t:size() -> table; t:size(dim) -> integer. */
static int size(lua_State *L) {
  tensor *t = bind_check_tensor(L, 1);
  if (lua_isnoneornil(L, 2)) {
    push_sizes(L, t->n_dims, t->shape);
    return 1;
  }
  int64_t dim = bind_check_integer(L, 2, "size: dim", INT64_MIN, INT64_MAX);
  if (t->n_dims == 0) bind_error(L, "size: a 0-dim tensor has no dim %lld", (long long)dim);
  if (dim == 0 || dim < -t->n_dims || dim > t->n_dims)
    bind_error(L, "size: dim is %lld; it must be in -%d..-1 or 1..%d", (long long)dim, t->n_dims, t->n_dims);
  lua_pushinteger(L, t->shape[dim < 0 ? dim + t->n_dims : dim - 1]);
  return 1;
}

static int dim(lua_State *L) {
  lua_pushinteger(L, bind_check_tensor(L, 1)->n_dims);
  return 1;
}

static int numel(lua_State *L) {
  lua_pushinteger(L, tensor_numel(bind_check_tensor(L, 1)));
  return 1;
}

static int stride(lua_State *L) {
  tensor *t = bind_check_tensor(L, 1);
  push_sizes(L, t->n_dims, t->stride);
  return 1;
}

static int is_contiguous(lua_State *L) {
  lua_pushboolean(L, tensor_is_contiguous(bind_check_tensor(L, 1)));
  return 1;
}

static int is_lanes(lua_State *L) {
  lua_pushboolean(L, tensor_is_lanes(bind_check_tensor(L, 1)));
  return 1;
}

/* t:lanes() -> the same values with samples innermost in memory (tensor.h); detached. */
static int lanes(lua_State *L) {
  context *c = bind_enter(L);
  tensor *t = bind_check_tensor(L, 1);
  if (t->n_dims < 2) bind_error(L, "lanes: the tensor is %s; it needs at least 2 dims", tensor_shape_text(t).text);
  tensor **slot = bind_new_tensor(L);
  tensor *ordered = tensor_lanes(c, t);
  if (ordered == NULL) bind_raise(L);
  *slot = tensor_alias(c, ordered);
  tensor_release(ordered);
  if (*slot == NULL) bind_raise(L);
  return 1;
}

/* t:detach() -> the same elements, off the tape. */
static int detach(lua_State *L) {
  context *c = bind_enter(L);
  tensor *t = bind_check_tensor(L, 1);
  tensor **slot = bind_new_tensor(L);
  *slot = tensor_alias(c, t);
  if (*slot == NULL) bind_raise(L);
  return 1;
}

static int same(lua_State *L) {
  tensor *a = bind_test_tensor(L, 1), *b = bind_test_tensor(L, 2);
  lua_pushboolean(L, a != NULL && a == b);
  return 1;
}

static int length(lua_State *L) {
  tensor *t = bind_check_tensor(L, 1);
  if (t->n_dims == 0) bind_error(L, "a 0-dim tensor has no length");
  lua_pushinteger(L, t->shape[0]);
  return 1;
}

/* -- fields -- */

static void push_optional(lua_State *L, tensor *t) {
  if (t == NULL) lua_pushnil(L);
  else bind_push_tensor(L, t);
}

static void push_optional_string(lua_State *L, const char *text) {
  if (text == NULL) lua_pushnil(L);
  else lua_pushstring(L, text);
}

static bool push_field(lua_State *L, tensor *t, const char *name) {
  if (strcmp(name, "shape") == 0) push_sizes(L, t->n_dims, t->shape);
  else if (strcmp(name, "dtype") == 0) lua_pushstring(L, dtype_name(t->dtype));
  else if (strcmp(name, "grad") == 0) push_optional(L, tensor_gradient(t));
  else if (strcmp(name, "requires_grad") == 0) lua_pushboolean(L, t->requires_grad);
  else if (strcmp(name, "is_leaf") == 0) lua_pushboolean(L, tensor_is_leaf(t));
  else if (strcmp(name, "grad_fn") == 0) push_optional_string(L, tensor_operation(t));
  else if (strcmp(name, "ndim") == 0) lua_pushinteger(L, t->n_dims);
  else return false;
  return true;
}

/* The key at 2 is a tensor or a list that holds one. */
static bool key_has_tensor(lua_State *L) {
  if (handle_at(L, 2) != NULL) return true;
  bool found = false;
  lua_Integer n = lua_istable(L, 2) ? (lua_Integer)lua_rawlen(L, 2) : 0;
  for (lua_Integer k = 1; k <= n && !found; k++) {
    lua_rawgeti(L, 2, k);
    found = handle_at(L, lua_gettop(L)) != NULL;
    lua_pop(L, 1);
  }
  return found;
}

/* The method that Lua gave, with the arguments from the first on. */
static int call_method(lua_State *L, const char *name, int n_arguments, int n_results) {
  lua_settop(L, n_arguments);
  bind_push_methods(L);
  lua_getfield(L, -1, name);
  lua_insert(L, 1);
  lua_pop(L, 1);
  lua_call(L, n_arguments, n_results);
  return n_results;
}

/* Methods first: they are asked for most.  Upvalue 1 is their table. */
static int get(lua_State *L) {
  if (lua_type(L, 2) == LUA_TSTRING) {
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
    tensor *t = bind_check_tensor(L, 1);
    if (push_field(L, t, lua_tostring(L, 2))) return 1;
    return bind_error(L, "a tensor has no field or method '%s'", lua_tostring(L, 2));
  }
  context *c = bind_enter(L);
  tensor *t = bind_check_tensor(L, 1);
  if (key_has_tensor(L)) return call_method(L, "_read_at", 2, 1);
  tensor **slot = bind_new_tensor(L);
  *slot = bind_index(L, c, t, 2);
  if (*slot == NULL) bind_raise(L);
  return 1;
}

static void set_field(lua_State *L, context *c, tensor *t, const char *name) {
  if (strcmp(name, "grad") == 0) {
    tensor *g = lua_isnil(L, 3) ? NULL : bind_check_tensor(L, 3);
    bind_check(L, tensor_set_gradient(c, t, g));
  } else if (strcmp(name, "requires_grad") == 0) {
    bind_check(L, tensor_set_requires_grad(c, t, lua_toboolean(L, 3)));
  } else {
    bind_error(L, "a tensor's field '%s' cannot be set", name);
  }
}

static const char ASSIGNMENT[] = "index";

/* The value of an assignment as a tensor; a number becomes a 0-dim one, held by a userdata on the stack. */
static tensor *check_value(lua_State *L, dtype d) {
  if (lua_type(L, 3) == LUA_TNUMBER || lua_type(L, 3) == LUA_TBOOLEAN) return bind_push_number(L, ASSIGNMENT, d, 3);
  if (!bind_is_tensor(L, 3))
    bind_error(L, "%s: the value must be a number, a boolean or a tensor, not %s", ASSIGNMENT, luaL_typename(L, 3));
  return bind_check_tensor(L, 3);
}

static void assign(lua_State *L, context *c, tensor *t) {
  tensor *value = check_value(L, t->dtype);
  if (c->grad_enabled && (t->requires_grad || value->requires_grad))
    bind_error(L, "an element assignment cannot be recorded on the tape; use where, cat or stack, or no_grad");
  tensor **slot = bind_new_tensor(L);
  *slot = bind_index(L, c, t, 2);
  if (*slot == NULL) bind_raise(L);
  bind_check(L, tensor_copy(c, *slot, value));
}

/* t.grad = g, t.requires_grad = flag, t[key] = value. */
static int set(lua_State *L) {
  context *c = bind_enter(L);
  tensor *t = bind_check_tensor(L, 1);
  if (lua_type(L, 2) == LUA_TSTRING) set_field(L, c, t, lua_tostring(L, 2));
  else if (key_has_tensor(L)) return call_method(L, "_assign_at", 3, 0);
  else assign(L, c, t);
  return 0;
}

/* t:copy_(source): writes source's values into t, broadcasting and converting; returns t. */
static int copy_in_place(lua_State *L) {
  context *c = bind_enter(L);
  tensor *t = bind_check_tensor(L, 1), *source = bind_check_tensor(L, 2);
  if (c->grad_enabled && (t->requires_grad || source->requires_grad))
    bind_error(L, "copy_: cannot be recorded on the tape; use no_grad");
  bind_check(L, tensor_copy(c, t, source));
  lua_settop(L, 1);
  return 1;
}

void bind_tensor(lua_State *L) {
  static const luaL_Reg metamethods[] = { { "__gc", tensor_gc }, { "__close", tensor_gc }, { "__len", length },
                                          { "__eq", same },      { "__newindex", set },    { NULL, NULL } };
  static const luaL_Reg methods[] = { { "item", item },
                                      { "totable", totable },
                                      { "size", size },
                                      { "dim", dim },
                                      { "numel", numel },
                                      { "stride", stride },
                                      { "is_contiguous", is_contiguous },
                                      { "is_lanes", is_lanes },
                                      { "lanes", lanes },
                                      { "detach", detach },
                                      { "copy_", copy_in_place },
                                      { NULL, NULL } };
  luaL_newmetatable(L, SCRATCH);
  lua_pushcfunction(L, scratch_free);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, scratch_free);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);

  luaL_newmetatable(L, SIZES);
  lua_pushcfunction(L, sizes_to_string);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);

  bind_push_methods(L);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "methods");

  luaL_newmetatable(L, TENSOR);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, TENSOR);
  luaL_setfuncs(L, metamethods, 0);
  bind_push_methods(L);
  lua_pushcclosure(L, get, 1);
  lua_setfield(L, -2, "__index");
  lua_setfield(L, -2, "metatable");

  lua_pushcfunction(L, release);
  lua_setfield(L, -2, "release");
  lua_pushcfunction(L, shares_storage);
  lua_setfield(L, -2, "shares_storage");
  lua_pushcfunction(L, take_over);
  lua_setfield(L, -2, "take_over");
  lua_pushcfunction(L, is_tensor);
  lua_setfield(L, -2, "is_tensor");
}
