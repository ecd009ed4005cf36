/* matmul_product.h -- every matrix product of the library goes through here.
**
** Chooses between panels (matmul_panels.h: float32 from middle sizes on, with AVX-512), register tiles (matmul_tile.h:
** float32 up to middle sizes), dot products (matmul_dots.h: a few rows against rows of a weight matrix), scaled rows
** (matmul_outer.h: a column times a row) and OpenBLAS, and cuts the work over the threads.  The choice and the cut
** depend on the processor, shapes, strides and dtype alone: the same bits for any number of threads. */
#ifndef PERILUNE_MATMUL_PRODUCT_H
#define PERILUNE_MATMUL_PRODUCT_H

#include "blas.h"

/* out = alpha a b + beta out + bias, then max(., 0) if relu; for each member of the batch.
** out is not read when beta is 0.  out must not overlap a or b. */
typedef struct product {
  const char *name;         /* the operation's, for messages */
  dtype dtype;              /* of everything: float32 or float64 */
  matrix out, a, b;         /* (M x N) from (M x K) and (K x N); all plain (blas.h) */
  double alpha, beta;
  const void *row_bias;     /* (M) contiguous, or NULL */
  const void *column_bias;  /* (N) contiguous, or NULL; not both */
  bool relu;                /* NaN stays NaN */
  int64_t n_batch;
  const int64_t *out_offset, *a_offset, *b_offset;   /* of each member, in elements; NULL: n_batch is 1 */
} product;

/* Fails when a size is too large for BLAS, or when there is no memory for panels; then nothing has been written. */
status product_run(context *c, const product *p);

/* Refuses sizes beyond 32 bits with a message that begins with name. */
status product_check_sizes(context *c, const char *name, int64_t rows, int64_t depth, int64_t columns);

/* The last two dims of t (n_dims >= 2) as a matrix; its data is that of the first member. */
matrix matrix_of(const tensor *t);
/* t itself, retained, when its last two dims are plain, else a contiguous copy.  NULL: no memory. */
tensor *tensor_plain(context *c, tensor *t);

#endif
