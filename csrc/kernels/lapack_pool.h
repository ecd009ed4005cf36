/* lapack_pool.h -- formulas of matrices, for the backwards of linear algebra.
**
** Gradients of decompositions divide by differences of eigenvalues and the like: they are computed in float64 and
** rounded once at the end.  A pool owns every tensor that its functions return; when one of them fails, it returns
** NULL, and so does everything that is made of it, so that a formula is written down as it is and checked once. */
#ifndef PERILUNE_LAPACK_POOL_H
#define PERILUNE_LAPACK_POOL_H

#include "op.h"

enum { POOL_SIZE = 48 };

typedef struct pool {
  op_call *call;
  int n_tensors;
  tensor *tensors[POOL_SIZE];
} pool;

void pool_release(pool *p);

/* All results are float64 (..., M, N), contiguous except transposed's, with equal batch dims. */
tensor *pool_add(pool *p, tensor *t);            /* takes over the reference; returns t */
tensor *pool_double(pool *p, tensor *t);         /* t in float64, contiguous */
tensor *pool_transposed(pool *p, tensor *t);     /* a view */
tensor *pool_product(pool *p, tensor *a, tensor *b);
tensor *pool_sum(pool *p, tensor *a, tensor *b, double factor);    /* a + factor b */
/* One new matrix from a: out[i][j] = function(i, j, a, v) where a is the matrix, v (K) that matrix's vector of
** `vectors` (..., K), or NULL. */
typedef struct pool_item { const double *a; int64_t row_stride, column_stride; const double *v; int64_t k; } pool_item;
tensor *pool_map(pool *p, tensor *a, tensor *vectors, double (*function)(int64_t i, int64_t j, const pool_item *item));
/* a's item in row i and column j */
static inline double pool_at(const pool_item *item, int64_t i, int64_t j) {
  return item->a[i * item->row_stride + j * item->column_stride];
}

/* input_gradients[i] = t in that input's dtype, its last `drop` dims (of size 1) left out.  t NULL: no memory. */
status pool_give(pool *p, int i, tensor *t, int drop);

#endif
