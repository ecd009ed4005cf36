/* optimizer.c -- the common loop of the optimizers: dense runs go straight to the update; others pass through
** small dense blocks.  Large parameters are cut into chunks for the threads, one after the other; the small ones,
** of which a network has many, share one parallel region.  See optimizer.h. */
#include "optimizer.h"

#include <string.h>

#include "../tensor/iterate.h"
#include "../tensor/parallel.h"

enum { N_OPERANDS = 2 + MAX_OPTIMIZER_STATES, BLOCK = 128 };

typedef struct run {
  optimizer_loop loop;
  const void *constants;
  size_t item_size;
  int n_used;
  int place[N_OPERANDS];   /* used operand k is the loop's operand place[k] */
} run;

static bool is_dense(const run *r, const int64_t *step) {
  for (int k = 0; k < r->n_used; k++)
    if (step[k] != (int64_t)r->item_size) return false;
  return true;
}

static void gather(char *to, const char *from, int64_t n, int64_t step, size_t item_size) {
  for (int64_t i = 0; i < n; i++) memcpy(to + (size_t)i * item_size, from + i * step, item_size);
}

static void scatter(char *to, const char *from, int64_t n, int64_t step, size_t item_size) {
  for (int64_t i = 0; i < n; i++) memcpy(to + i * step, from + (size_t)i * item_size, item_size);
}

/* The gradient (operand 1) is only read. */
static void run_strided(const run *r, int64_t n, char *const *data, const int64_t *step) {
  double blocks[N_OPERANDS][BLOCK];
  void *operands[N_OPERANDS] = { 0 };
  for (int k = 0; k < r->n_used; k++) operands[r->place[k]] = blocks[k];
  for (int64_t i = 0; i < n; i += BLOCK) {
    int64_t count = n - i < BLOCK ? n - i : BLOCK;
    for (int k = 0; k < r->n_used; k++)
      gather((char *)blocks[k], data[k] + i * step[k], count, step[k], r->item_size);
    r->loop(count, operands, r->constants);
    for (int k = 0; k < r->n_used; k++)
      if (k != 1) scatter(data[k] + i * step[k], (const char *)blocks[k], count, step[k], r->item_size);
  }
}

static void run_items(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  const run *r = extra;
  void *operands[N_OPERANDS] = { 0 };
  if (!is_dense(r, step)) {
    run_strided(r, n, data, step);
    return;
  }
  for (int k = 0; k < r->n_used; k++) operands[r->place[k]] = data[k];
  r->loop(n, operands, r->constants);
}

static void use(run *r, tensor **operands, int place, tensor *t) {
  if (t == NULL) return;
  r->place[r->n_used] = place;
  operands[r->n_used++] = t;
}

void optimizer_run(const context *c, const optimizer_item *item, optimizer_loop float32, optimizer_loop float64,
                   const void *constants) {
  dtype d = item->parameter->dtype;
  run r = { .loop = d == DTYPE_FLOAT32 ? float32 : float64, .constants = constants, .item_size = dtype_size(d) };
  tensor *operands[N_OPERANDS];
  use(&r, operands, 0, item->parameter);
  use(&r, operands, 1, item->gradient);
  for (int k = 0; k < MAX_OPTIMIZER_STATES; k++) use(&r, operands, 2 + k, item->states[k]);
  iterate(c, r.n_used, operands, run_items, &r);
  for (int k = 0; k < r.n_used; k++)
    if (k != 1) atomic_fetch_add(&operands[k]->storage->version, 1);
}

/* -- a step -- */

enum { SMALL_PARAMETER = 1 << 15 };   /* elements: one chunk of the threads' work */

typedef struct small_ones {
  const context *context;
  const optimizer *kind;
  const optimizer_item *items;
  const optimizer_options *options;
} small_ones;

/* Two parameters that look at one storage are no work for two threads. */
static bool is_small(const optimizer_item *item) {
  const tensor *p = item->parameter;
  return tensor_numel(p) <= SMALL_PARAMETER && atomic_load(&p->storage->references) == 1;
}

static void update_small(void *argument, int64_t begin, int64_t end) {
  const small_ones *s = argument;
  for (int64_t i = begin; i < end; i++)
    if (s->items[i].gradient != NULL && is_small(&s->items[i])) s->kind->update(s->context, &s->items[i], s->options);
}

void optimizer_step(const context *c, const optimizer *kind, int n, const optimizer_item *items,
                    const optimizer_options *o) {
  small_ones s = { c, kind, items, o };
  parallel_for(c, n, 1, update_small, &s);
  for (int i = 0; i < n; i++)
    if (items[i].gradient != NULL && !is_small(&items[i])) kind->update(c, &items[i], o);
}
