/* triangle.c -- the R of x - mean = Q R for many rows: all that the singular values and the components need.
**
** Blocks of rows are reduced to their own R, each by one thread; the rows of those are reduced in the same way, until
** one is left (Demmel et al., "Communication-optimal parallel and sequential QR and LU factorizations", SIAM J. Sci.
** Comput. 2012).  Rows lie as LAPACK's columns: the LQ factors of a block's transpose are its QR factors. */
#include <string.h>

#include "../kernels/blas.h"
#include "../kernels/lapack.h"
#include "../tensor/integers.h"
#include "../tensor/parallel.h"
#include "decomposition.h"

enum {
  BLOCK_ROWS = 4096,      /* at least; and never less than twice the features, so that each round leaves fewer rows */
  AT_ONCE = 8             /* blocks that are in memory together */
};

typedef struct round {
  const rows *x;
  const void *mean;       /* (d) of the dtype; NULL: x has it subtracted, and is contiguous */
  dtype d;
  int64_t block_rows, first_block;
  char *blocks;           /* AT_ONCE times block_bytes */
  size_t block_bytes, work_bytes;
  char *out;              /* the R's above each other, (at most d rows each, d) */
} round;

static void reduce_block(const round *r, int64_t slot) {
  int64_t block = r->first_block + slot, first = block * r->block_rows, d = r->x->d;
  int64_t n = least(r->x->n - first, r->block_rows), height = least(n, d);
  size_t size = dtype_size(r->d);
  char *c = r->blocks + (size_t)slot * r->block_bytes, *work = c + r->block_bytes - r->work_bytes;
  char *to = r->out + (size_t)(block * least(r->block_rows, d) * d) * size;
  if (r->mean != NULL) centred(r->x, r->mean, first, n, 0, d, c, d);
  else memcpy(c, (const char *)r->x->data + (size_t)(first * d) * size, (size_t)(n * d) * size);
  lapack_gelqf_in(r->d, (int)d, (int)n, c, work, (int)(r->work_bytes / size));
  for (int64_t i = 0; i < height; i++) {
    memset(to + (size_t)(i * d) * size, 0, (size_t)i * size);
    memcpy(to + (size_t)(i * d + i) * size, c + (size_t)(i * d + i) * size, (size_t)(d - i) * size);
  }
}

static void reduce_blocks(void *argument, int64_t begin, int64_t end) {
  for (int64_t slot = begin; slot < end; slot++) reduce_block(argument, slot);
}

/* One round: x becomes fewer rows, in r->out; returns how many. */
static int64_t run(context *c, round *r) {
  int64_t n = r->x->n, d = r->x->d, n_blocks = (n + r->block_rows - 1) / r->block_rows;
  for (r->first_block = 0; r->first_block < n_blocks; r->first_block += AT_ONCE)
    parallel_for(c, least(n_blocks - r->first_block, AT_ONCE), 1, reduce_blocks, r);
  int64_t last = n - (n_blocks - 1) * r->block_rows;
  return (n_blocks - 1) * least(r->block_rows, d) + least(last, d);
}

status triangle(context *c, const rows *x, const void *mean, dtype d, void *out) {
  int64_t f = x->d, block_rows = 2 * f > BLOCK_ROWS ? 2 * f : BLOCK_ROWS;
  int64_t n_blocks = (x->n + block_rows - 1) / block_rows;
  size_t size = dtype_size(d), work_bytes = (size_t)lapack_gelqf_work(f) * size;
  size_t block_bytes = ((size_t)(least(x->n, block_rows) * f) * size + work_bytes + 63) / 64 * 64;
  size_t stack_bytes = (size_t)(n_blocks * f * f) * size;
  size_t n_bytes = (size_t)least(n_blocks, AT_ONCE) * block_bytes + 2 * stack_bytes;
  if (!blas_fits(block_rows * f))
    return context_fail(c, STATUS_INVALID, "PCA: %lld features are more than LAPACK can take", (long long)f);
  char *memory = context_get(c, n_bytes);
  if (memory == NULL) return STATUS_NO_MEMORY;
  char *stack = memory + (size_t)least(n_blocks, AT_ONCE) * block_bytes;
  rows from = *x;
  round r = { &from, mean, d, block_rows, 0, memory, block_bytes, work_bytes, stack };
  blas_region region = blas_enter();
  for (;;) {
    int64_t left = run(c, &r);
    from = (rows){ r.out, d, left, f, f };
    if (left <= least(x->n, f)) break;
    r.mean = NULL;
    r.out = r.out == stack ? stack + stack_bytes : stack;
  }
  blas_leave(region);
  memcpy(out, r.out, (size_t)(from.n * f) * size);
  context_put(c, memory, n_bytes);
  return STATUS_OK;
}
