/* iterate.c -- one loop for every elementwise operation.  See iterate.h. */
#include "iterate.h"

#include <string.h>

#include "parallel.h"

/* Below this many items a thread costs more than it saves. */
enum { ITEMS_A_CHUNK = 1 << 15, LINE_ITEMS = 64 };   /* LINE_ITEMS: no two chunks share a line of the cache */

typedef struct plan {
  int n_dims, n_operands;
  int64_t shape[MAX_DIMS];                     /* outermost first */
  int64_t step[MAX_DIMS][MAX_OPERANDS];        /* bytes */
  char *data[MAX_OPERANDS];
  iterate_loop loop;
  const void *extra;
} plan;

/* Byte step of operand t along dimension d of the loop's shape (n_dims dimensions). */
static int64_t byte_step(const tensor *t, int d, int n_dims) {
  int own = d - (n_dims - t->n_dims);
  if (own < 0 || t->shape[own] == 1) return 0;
  return t->stride[own] * (int64_t)dtype_size(t->dtype);
}

/* Inserts the dimension so that operand 0's steps fall from outermost to innermost. */
static void insert_dim(plan *p, int64_t size, const int64_t *step) {
  int at = p->n_dims++;
  while (at > 0 && p->step[at - 1][0] < step[0]) {
    p->shape[at] = p->shape[at - 1];
    memcpy(p->step[at], p->step[at - 1], sizeof p->step[at]);
    at--;
  }
  p->shape[at] = size;
  memcpy(p->step[at], step, sizeof p->step[at]);
}

static bool lie_behind_one_another(const plan *p, int outer, int inner) {
  for (int k = 0; k < p->n_operands; k++)
    if (p->step[outer][k] != p->step[inner][k] * p->shape[inner]) return false;
  return true;
}

static void merge_dims(plan *p) {
  int kept = 0;
  for (int d = 1; d < p->n_dims; d++) {
    if (lie_behind_one_another(p, kept, d)) {
      p->shape[kept] *= p->shape[d];
    } else {
      kept++;
      p->shape[kept] = p->shape[d];
    }
    memcpy(p->step[kept], p->step[d], sizeof p->step[kept]);
  }
  p->n_dims = kept + 1;
}

static void make_plan(plan *p, int n_operands, tensor *const *operands, iterate_loop loop, const void *extra) {
  const tensor *first = operands[0];
  p->n_dims = 0;
  p->n_operands = n_operands;
  p->loop = loop;
  p->extra = extra;
  for (int k = 0; k < n_operands; k++) p->data[k] = tensor_data(operands[k]);
  for (int d = 0; d < first->n_dims; d++) {
    int64_t step[MAX_OPERANDS] = { 0 };
    if (first->shape[d] == 1) continue;
    for (int k = 0; k < n_operands; k++) step[k] = byte_step(operands[k], d, first->n_dims);
    insert_dim(p, first->shape[d], step);
  }
  if (p->n_dims == 0) {
    int64_t step[MAX_OPERANDS] = { 0 };
    for (int k = 0; k < n_operands; k++) step[k] = (int64_t)dtype_size(operands[k]->dtype);
    insert_dim(p, 1, step);
  }
  merge_dims(p);
}

/* Items [begin, end) in the plan's order: whole rows of the innermost dimension, but for the ends. */
static void run_items(void *argument, int64_t begin, int64_t end) {
  const plan *p = argument;
  int inner = p->n_dims - 1;
  int64_t at[MAX_DIMS], rest = begin;
  char *data[MAX_OPERANDS] = { 0 };
  for (int d = inner; d >= 0; d--) {
    at[d] = rest % p->shape[d];
    rest /= p->shape[d];
  }
  for (int64_t done = begin; done < end;) {
    for (int k = 0; k < p->n_operands; k++) {
      data[k] = p->data[k];
      for (int d = 0; d <= inner; d++) data[k] += at[d] * p->step[d][k];
    }
    int64_t n = p->shape[inner] - at[inner];
    if (n > end - done) n = end - done;
    p->loop(n, data, p->step[inner], p->extra);
    done += n;
    at[inner] = 0;
    for (int d = inner - 1; d >= 0 && ++at[d] == p->shape[d]; d--) at[d] = 0;
  }
}

void iterate(const context *c, int n_operands, tensor *const *operands, iterate_loop loop, const void *extra) {
  int64_t n = tensor_numel(operands[0]);
  if (n == 0) return;
  plan p;
  make_plan(&p, n_operands, operands, loop, extra);
  int64_t grain = (parallel_even_grain(n, ITEMS_A_CHUNK) + LINE_ITEMS - 1) / LINE_ITEMS * LINE_ITEMS;
  parallel_for(c, n, grain, run_items, &p);
}
