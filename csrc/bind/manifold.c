/* manifold.c -- perilune.core.manifold: the stages of t-SNE (csrc/manifold/manifold.h), on tensors.
**
**   neighbor_index(x) -> index                             x (n, d) float32 contiguous, prepared; a userdata
**   search(index, queries, k, first) -> index, distance    queries (n_queries, d) float32 contiguous; query i is row
**                                                          first + i - 1 of x, not its own neighbour; first 0: others.
**                                                          index (n_queries, k) 1-based, distance squared
**   neighbors(x, queries, k, first) -> index, distance     both in one
**   order(x) -> tensor                                     (n) 1-based: rows of x (n, d) that lie near each other
**                                                          stand near each other in this order
**   perplexity(distance, perplexity) -> p                  (n, k), each row with that perplexity
**   affinities(index, p) -> affinities                     symmetric and sparse; a userdata
**   entries(affinities) -> row, column, value              three tensors, row by row
**   springs(affinities, share) -> strong, weak             its edges, laid out for the pull; userdata
**   attraction(springs, y, rest) -> tensor                 like y (n, m); rest (n, m), or nil, is added to it
**   repulsion(y, angle) -> tensor, q_sum                   a new tree
**   field(n) -> field                                      a tree over maps (n, 2) that is kept; a userdata
**   field_repulsion(field, y, angle, rebuild) -> tensor, q_sum
**   divergence(affinities, y, q_sum) -> number
**   tree(y) -> tree                                        of a fitted map, in which new points are placed; a userdata
**   placement(tree, fitted, index, p, y, options) -> gradient
**                                                          fitted: the y of the tree; index, p (n_new, k); y (n_new, m)
**                                                          options: exaggeration, angle
**   step(y, velocity, gain, attraction, repulsion, options) -> norm of the gradient; y, velocity, gain change in place
**                                                          options: exaggeration, learning_rate, momentum, q_sum */
#include <math.h>

#include "../manifold/field.h"
#include "../manifold/kd.h"
#include "../manifold/manifold.h"
#include "../manifold/neighbors.h"
#include "../manifold/placement.h"
#include "../manifold/springs.h"
#include "bind.h"

static const char AFFINITIES[] = "perilune.affinities", SPRINGS_NAME[] = "perilune.springs", FIELD[] = "perilune.field",
                  NEIGHBOR_INDEX[] = "perilune.neighbor_index", TREE[] = "perilune.tree";

/* -- arguments -- */

static tensor *check_matrix(lua_State *L, int argument, const char *what, dtype d) {
  tensor *t = bind_check_tensor(L, argument);
  if (t->n_dims != 2 || t->dtype != d || !tensor_is_contiguous(t))
    bind_error(L, "%s must be a contiguous matrix of %s, not %s %s", what, dtype_name(d), tensor_shape_text(t).text,
               dtype_name(t->dtype));
  return t;
}

static void check_map(lua_State *L, const tensor *y, int64_t n) {
  if (y->shape[1] != 2 && y->shape[1] != 3) bind_error(L, "a map has 2 or 3 dimensions, not %d", (int)y->shape[1]);
  if (n >= 0 && y->shape[0] != n)
    bind_error(L, "the map has %d points but the affinities have %d", (int)y->shape[0], (int)n);
  if (y->shape[0] < 1 || y->shape[0] > INT32_MAX) bind_error(L, "a map of %s cannot be made", tensor_shape_text(y).text);
}

static affinities *check_affinities(lua_State *L, int argument) { return luaL_checkudata(L, argument, AFFINITIES); }

static tensor *new_matrix(lua_State *L, context *c, dtype d, int64_t rows, int64_t columns) {
  tensor **handle = bind_new_tensor(L);
  *handle = tensor_new(c, d, 2, (int64_t[]){ rows, columns });
  if (!*handle) bind_check(L, STATUS_NO_MEMORY);
  return *handle;
}

/* -- from points to affinities -- */

static neighbor_index *new_neighbor_index(lua_State *L, context *c, int argument) {
  const tensor *x = check_matrix(L, argument, "x", DTYPE_FLOAT32);
  if (x->shape[0] < 1 || x->shape[0] > INT32_MAX || x->shape[1] < 1)
    bind_error(L, "neighbours among points %s cannot be found", tensor_shape_text(x).text);
  neighbor_index *t = lua_newuserdatauv(L, sizeof *t, 0);
  *t = (neighbor_index){ 0 };
  luaL_setmetatable(L, NEIGHBOR_INDEX);
  bind_check(L, neighbor_index_make(c, tensor_float32(x), x->shape[0], x->shape[1], t));
  return t;
}

static int bind_neighbor_index(lua_State *L) {
  new_neighbor_index(L, bind_enter(L), 1);
  return 1;
}

static int bind_neighbor_index_gc(lua_State *L) {
  neighbor_index_free(luaL_checkudata(L, 1, NEIGHBOR_INDEX));
  return 0;
}

/* Arguments 2 to 4: queries, k, first. */
static int push_neighbors(lua_State *L, context *c, const neighbor_index *t) {
  const tensor *queries = check_matrix(L, 2, "queries", DTYPE_FLOAT32);
  int64_t n_queries = queries->shape[0];
  if (queries->shape[1] != t->d)
    bind_error(L, "queries are %s but the points have %d features", tensor_shape_text(queries).text, (int)t->d);
  int64_t first = bind_check_integer(L, 4, "first", 0, t->n - n_queries + 1 > 0 ? t->n - n_queries + 1 : 0);
  int64_t k = bind_check_integer(L, 3, "k", 1, t->n - (first > 0));
  const tensor *index = new_matrix(L, c, DTYPE_INT64, n_queries, k);
  const tensor *distance = new_matrix(L, c, DTYPE_FLOAT32, n_queries, k);
  int64_t *found = tensor_int64(index);
  bind_check(L, neighbor_search(c, t, tensor_float32(queries), n_queries, first - 1, k, found,
                                tensor_float32(distance)));
  for (int64_t i = 0; i < n_queries * k; i++) found[i]++;
  return 2;
}

static int bind_search(lua_State *L) {
  context *c = bind_enter(L);
  return push_neighbors(L, c, luaL_checkudata(L, 1, NEIGHBOR_INDEX));
}

static int bind_neighbors(lua_State *L) {
  context *c = bind_enter(L);
  neighbor_index *t = new_neighbor_index(L, c, 1);
  int n_results = push_neighbors(L, c, t);
  neighbor_index_free(t);
  return n_results;
}

enum { ORDER_BLOCK = 16 };

static int bind_order(lua_State *L) {
  context *c = bind_enter(L);
  const tensor *x = check_matrix(L, 1, "x", DTYPE_FLOAT32);
  int64_t n = x->shape[0];
  if (n < 1 || n > INT32_MAX) bind_error(L, "x is %s", tensor_shape_text(x).text);
  tensor **handle = bind_new_tensor(L);
  *handle = tensor_new(c, DTYPE_INT64, 1, &n);
  if (!*handle) bind_check(L, STATUS_NO_MEMORY);
  int32_t *order = bind_scratch(L, (size_t)n * sizeof *order);
  for (int64_t i = 0; i < n; i++) order[i] = (int32_t)i;
  bind_check(L, kd_sort(c, tensor_float32(x), n, x->shape[1], ORDER_BLOCK, order));
  for (int64_t i = 0; i < n; i++) tensor_int64(*handle)[i] = order[i] + 1;
  lua_pop(L, 1);
  return 1;
}

static int bind_perplexity(lua_State *L) {
  context *c = bind_enter(L);
  const tensor *distance = check_matrix(L, 1, "distance", DTYPE_FLOAT32);
  double perplexity = luaL_checknumber(L, 2);
  if (!(perplexity >= 1)) bind_error(L, "perplexity is %g; it must be 1 or more", message_number(perplexity));
  int64_t n = distance->shape[0], k = distance->shape[1];
  const tensor *p = new_matrix(L, c, DTYPE_FLOAT32, n, k);
  if (k > 0) manifold_perplexity(c, tensor_float32(distance), n, k, perplexity, tensor_float32(p));
  return 1;
}

/* 0-based copies of 1-based indices, in scratch. */
static const int64_t *zero_based(lua_State *L, const tensor *index, int64_t n) {
  int64_t count = tensor_numel(index);
  const int64_t *from = tensor_int64(index);
  int64_t *to = bind_scratch(L, (size_t)(count > 0 ? count : 1) * sizeof *to);
  for (int64_t i = 0; i < count; i++) {
    if (from[i] < 1 || from[i] > n)
      bind_error(L, "affinities: a neighbour is %d; there are %d points", (int)from[i], (int)n);
    to[i] = from[i] - 1;
  }
  return to;
}

static int bind_affinities(lua_State *L) {
  context *c = bind_enter(L);
  const tensor *index = check_matrix(L, 1, "index", DTYPE_INT64), *p = check_matrix(L, 2, "p", DTYPE_FLOAT32);
  int64_t n = index->shape[0], k = index->shape[1];
  if (!tensor_same_shape(index, p))
    bind_error(L, "affinities: index is %s but p is %s", tensor_shape_text(index).text, tensor_shape_text(p).text);
  if (n < 1 || n > INT32_MAX || k < 1) bind_error(L, "affinities: index is %s", tensor_shape_text(index).text);
  const int64_t *columns = zero_based(L, index, n);
  affinities *a = lua_newuserdatauv(L, sizeof *a, 0);
  *a = (affinities){ 0 };
  luaL_setmetatable(L, AFFINITIES);
  bind_check(L, affinities_make(c, columns, tensor_float32(p), n, k, a));
  return 1;
}

static int bind_affinities_gc(lua_State *L) {
  affinities_free(check_affinities(L, 1));
  return 0;
}

static int bind_entries(lua_State *L) {
  context *c = bind_enter(L);
  const affinities *a = check_affinities(L, 1);
  tensor *out[3];
  for (int i = 0; i < 3; i++) {
    tensor **handle = bind_new_tensor(L);
    *handle = out[i] = tensor_new(c, i < 2 ? DTYPE_INT64 : DTYPE_FLOAT32, 1, &a->n_entries);
    if (!out[i]) bind_check(L, STATUS_NO_MEMORY);
  }
  for (int64_t i = 0; i < a->n; i++)
    for (int64_t e = a->start[i]; e < a->start[i + 1]; e++) {
      tensor_int64(out[0])[e] = i + 1;
      tensor_int64(out[1])[e] = a->column[e] + 1;
      tensor_float32(out[2])[e] = a->value[e];
    }
  return 3;
}

/* -- forces -- */

static springs *new_springs(lua_State *L) {
  springs *s = lua_newuserdatauv(L, sizeof *s, 0);
  *s = (springs){ 0 };
  luaL_setmetatable(L, SPRINGS_NAME);
  return s;
}

static int bind_springs(lua_State *L) {
  context *c = bind_enter(L);
  const affinities *a = check_affinities(L, 1);
  double share = luaL_checknumber(L, 2);
  if (!(share >= 0 && share <= 1)) bind_error(L, "share is %g; it must be in [0, 1]", message_number(share));
  springs *strong = new_springs(L), *weak = new_springs(L);
  bind_check(L, springs_make(c, a, share, strong, weak));
  return 2;
}

static int bind_springs_gc(lua_State *L) {
  springs_free(luaL_checkudata(L, 1, SPRINGS_NAME));
  return 0;
}

static int bind_attraction(lua_State *L) {
  context *c = bind_enter(L);
  const springs *s = luaL_checkudata(L, 1, SPRINGS_NAME);
  const tensor *y = check_matrix(L, 2, "y", DTYPE_FLOAT32);
  check_map(L, y, s->n);
  const tensor *rest = lua_isnoneornil(L, 3) ? NULL : check_matrix(L, 3, "rest", DTYPE_FLOAT32);
  if (rest && !tensor_same_shape(rest, y))
    bind_error(L, "y is %s but rest is %s", tensor_shape_text(y).text, tensor_shape_text(rest).text);
  const tensor *out = new_matrix(L, c, DTYPE_FLOAT32, y->shape[0], y->shape[1]);
  springs_attraction(c, s, tensor_float32(y), (int)y->shape[1], rest ? tensor_float32(rest) : NULL,
                     tensor_float32(out));
  return 1;
}

static double check_angle(lua_State *L, int argument) {
  double angle = luaL_checknumber(L, argument);
  if (!(angle >= 0)) bind_error(L, "angle is %g; it must be 0 or more", message_number(angle));
  return angle;
}

static int bind_repulsion(lua_State *L) {
  context *c = bind_enter(L);
  const tensor *y = check_matrix(L, 1, "y", DTYPE_FLOAT32);
  double angle = check_angle(L, 2), q_sum;
  check_map(L, y, -1);
  const tensor *out = new_matrix(L, c, DTYPE_FLOAT32, y->shape[0], y->shape[1]);
  bind_check(L, manifold_repulsion(c, tensor_float32(y), y->shape[0], (int)y->shape[1], angle, tensor_float32(out),
                                   &q_sum));
  lua_pushnumber(L, q_sum);
  return 2;
}

static int bind_field(lua_State *L) {
  context *c = bind_enter(L);
  int64_t n = bind_check_integer(L, 1, "n", 1, INT32_MAX);
  field *f = lua_newuserdatauv(L, sizeof *f, 0);
  *f = (field){ 0 };
  luaL_setmetatable(L, FIELD);
  bind_check(L, field_make(c, n, f));
  return 1;
}

static int bind_field_gc(lua_State *L) {
  field_free(luaL_checkudata(L, 1, FIELD));
  return 0;
}

static int bind_field_repulsion(lua_State *L) {
  context *c = bind_enter(L);
  field *f = luaL_checkudata(L, 1, FIELD);
  const tensor *y = check_matrix(L, 2, "y", DTYPE_FLOAT32);
  double angle = check_angle(L, 3), q_sum;
  if (y->shape[0] != f->tree.n || y->shape[1] != 2)
    bind_error(L, "the map is %s but the field is for %d points in the plane", tensor_shape_text(y).text,
               (int)f->tree.n);
  const tensor *out = new_matrix(L, c, DTYPE_FLOAT32, y->shape[0], 2);
  bind_check(L, field_repulsion(c, f, tensor_float32(y), angle, lua_toboolean(L, 4), tensor_float32(out), &q_sum));
  lua_pushnumber(L, q_sum);
  return 2;
}

static int bind_divergence(lua_State *L) {
  context *c = bind_enter(L);
  const affinities *a = check_affinities(L, 1);
  const tensor *y = check_matrix(L, 2, "y", DTYPE_FLOAT32);
  double q_sum = luaL_checknumber(L, 3), divergence;
  check_map(L, y, a->n);
  bind_check(L, manifold_divergence(c, a, tensor_float32(y), (int)y->shape[1], q_sum, &divergence));
  lua_pushnumber(L, divergence);
  return 1;
}

static double number_field(lua_State *L, int table, const char *name) {
  lua_getfield(L, table, name);
  double value = luaL_checknumber(L, -1);
  lua_pop(L, 1);
  return value;
}

static int bind_step(lua_State *L) {
  context *c = bind_enter(L);
  static const char *const NAMES[] = { "y", "velocity", "gain", "attraction", "repulsion" };
  tensor *t[5];
  for (int i = 0; i < 5; i++) {
    t[i] = check_matrix(L, i + 1, NAMES[i], DTYPE_FLOAT32);
    if (!tensor_same_shape(t[i], t[0]))
      bind_error(L, "y is %s but %s is %s", tensor_shape_text(t[0]).text, NAMES[i], tensor_shape_text(t[i]).text);
  }
  check_map(L, t[0], -1);
  descent d = { number_field(L, 6, "exaggeration"), number_field(L, 6, "learning_rate"), number_field(L, 6, "momentum"),
                number_field(L, 6, "q_sum") };
  for (int i = 0; i < 3; i++) atomic_fetch_add(&t[i]->storage->version, 1);
  double norm;
  bind_check(L, manifold_step(c, &d, tensor_float32(t[3]), tensor_float32(t[4]), t[0]->shape[0], (int)t[0]->shape[1],
                              tensor_float32(t[0]), tensor_float32(t[1]), tensor_float32(t[2]), &norm));
  lua_pushnumber(L, norm);
  return 1;
}

/* -- new points in a fitted map -- */

typedef struct owned_tree {
  allocator *memory;
  tree tree;
} owned_tree;

static int bind_tree(lua_State *L) {
  context *c = bind_enter(L);
  const tensor *y = check_matrix(L, 1, "y", DTYPE_FLOAT32);
  check_map(L, y, -1);
  owned_tree *t = lua_newuserdatauv(L, sizeof *t, 0);
  *t = (owned_tree){ .memory = c->memory };
  luaL_setmetatable(L, TREE);
  bind_check(L, tree_make(c, tensor_float32(y), y->shape[0], (int)y->shape[1], &t->tree));
  return 1;
}

/* Not tree_free: when the state is closed its context may be gone, but not its memory. */
static int bind_tree_gc(lua_State *L) {
  owned_tree *t = luaL_checkudata(L, 1, TREE);
  if (t->tree.block) allocator_put(t->memory, t->tree.block, t->tree.block_bytes);
  t->tree = (tree){ 0 };
  return 0;
}

static void check_rows(lua_State *L, const tensor *index, const tensor *p, const tensor *y, int64_t n) {
  if (!tensor_same_shape(index, p) || index->shape[0] != y->shape[0])
    bind_error(L, "index is %s, p is %s and y is %s", tensor_shape_text(index).text, tensor_shape_text(p).text,
               tensor_shape_text(y).text);
  for (int64_t i = 0; i < tensor_numel(index); i++)
    if (tensor_int64(index)[i] < 1 || tensor_int64(index)[i] > n)
      bind_error(L, "placement: a neighbour is %d; there are %d points", (int)tensor_int64(index)[i], (int)n);
}

static int bind_placement(lua_State *L) {
  context *c = bind_enter(L);
  const tree *t = &((owned_tree *)luaL_checkudata(L, 1, TREE))->tree;
  const tensor *fitted = check_matrix(L, 2, "fitted", DTYPE_FLOAT32), *index = check_matrix(L, 3, "index", DTYPE_INT64);
  const tensor *p = check_matrix(L, 4, "p", DTYPE_FLOAT32), *y = check_matrix(L, 5, "y", DTYPE_FLOAT32);
  check_map(L, fitted, t->n);
  if (fitted->shape[1] != t->m || y->shape[1] != t->m)
    bind_error(L, "the tree is of a map in %d dimensions but y is %s", t->m, tensor_shape_text(y).text);
  check_rows(L, index, p, y, t->n);
  placement job = { t, tensor_float32(fitted), tensor_int64(index), tensor_float32(p), index->shape[1],
                    number_field(L, 6, "angle"), number_field(L, 6, "exaggeration") };
  const tensor *out = new_matrix(L, c, DTYPE_FLOAT32, y->shape[0], y->shape[1]);
  placement_gradient(c, &job, tensor_float32(y), y->shape[0], tensor_float32(out));
  return 1;
}

static void new_type(lua_State *L, const char *name, lua_CFunction gc) {
  luaL_newmetatable(L, name);
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

void bind_manifold(lua_State *L) {
  static const luaL_Reg functions[] = {
    { "neighbor_index", bind_neighbor_index }, { "search", bind_search }, { "neighbors", bind_neighbors },
    { "order", bind_order }, { "perplexity", bind_perplexity },
    { "affinities", bind_affinities }, { "entries", bind_entries }, { "springs", bind_springs }, { "attraction", bind_attraction },
    { "repulsion", bind_repulsion }, { "field", bind_field }, { "field_repulsion", bind_field_repulsion },
    { "divergence", bind_divergence }, { "step", bind_step }, { "tree", bind_tree }, { "placement", bind_placement },
    { NULL, NULL }
  };
  new_type(L, NEIGHBOR_INDEX, bind_neighbor_index_gc);
  new_type(L, AFFINITIES, bind_affinities_gc);
  new_type(L, SPRINGS_NAME, bind_springs_gc);
  new_type(L, FIELD, bind_field_gc);
  new_type(L, TREE, bind_tree_gc);
  luaL_newlib(L, functions);
  lua_setfield(L, -2, "manifold");
}
