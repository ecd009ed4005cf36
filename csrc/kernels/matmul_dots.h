/* matmul_dots.h -- a few rows x times the rows of a weight matrix, which is read as it lies: float32 dot products.
**
** Nothing is packed: with few rows that would cost as much as the product.  Eight vectors of sums are in flight, of
** one row of x and eight of the weight or of two and four.  Each dot product is summed in the same order, whatever the
** block: the same bits for any number of rows. */
#ifndef PERILUNE_MATMUL_DOTS_H
#define PERILUNE_MATMUL_DOTS_H

#include "matmul_tile.h"

enum { DOTS_ROWS = 15 };   /* of x, up to which this way is the faster one */

/* The matrices of one product; each row (depth) is contiguous, strides lie between rows. */
typedef struct dots {
  float *out;              /* (rows x columns) */
  const float *x;          /* (rows x depth) */
  const float *weight;     /* (columns x depth) */
  int64_t out_stride, x_stride, weight_stride;
  int64_t rows, columns, depth;
} dots;

/* out[r][c] = alpha x_r . weight_c + bias, at least floor; store->beta is 0.  A leaf; cannot fail. */
void matmul_dots(const dots *d, const tile_store *store);

#endif
