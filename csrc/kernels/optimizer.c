/* optimizer.c -- the common loop of the optimizers: dense runs go straight to the update; others pass through
** small dense blocks.  See optimizer.h. */
#include "optimizer.h"

#include <string.h>

#include "../tensor/iterate.h"

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
