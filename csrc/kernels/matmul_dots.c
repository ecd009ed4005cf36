/* matmul_dots.c -- see matmul_dots.h. */
#include "matmul_dots.h"

#include <stddef.h>

#include "../tensor/parallel.h"

#define INLINE static inline __attribute__((always_inline))

/* Loose ones lie anywhere in memory.  Vectors travel by pointer: by value they would have another calling convention
** in each clone. */
typedef float vector __attribute__((vector_size(32)));
typedef float loose_vector __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(32)));
typedef float half __attribute__((vector_size(16)));
typedef float loose_half __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t half_mask __attribute__((vector_size(16)));
enum { LANES = 8, HALF = 4, SUMS = 8 };

/* totals[i] = the sum of the lanes of sum[i], for four of them: halves are added, then turned and added. */
INLINE void add_lanes(half *totals, const vector *sum) {
  half h[HALF];
  for (int i = 0; i < HALF; i++)
    h[i] = __builtin_shufflevector(sum[i], sum[i], 0, 1, 2, 3) + __builtin_shufflevector(sum[i], sum[i], 4, 5, 6, 7);
  half even = __builtin_shufflevector(h[0], h[1], 0, 4, 2, 6) + __builtin_shufflevector(h[0], h[1], 1, 5, 3, 7);
  half odd = __builtin_shufflevector(h[2], h[3], 0, 4, 2, 6) + __builtin_shufflevector(h[2], h[3], 1, 5, 3, 7);
  *totals = __builtin_shufflevector(even, odd, 0, 1, 4, 5) + __builtin_shufflevector(even, odd, 2, 3, 6, 7);
}

/* Four results of a row, or the first `n` of them. */
INLINE void finish(const dots *d, int64_t row, int64_t column, int n, const half *totals, const tile_store *store) {
  half result = *totals * store->alpha;
  float *out = d->out + row * d->out_stride + column;
  if (store->row_bias != NULL) result += store->row_bias[row];
  if (store->column_bias != NULL && n == HALF) result += *(const loose_half *)(store->column_bias + column);
  if (store->column_bias != NULL && n < HALF)
    for (int i = 0; i < n; i++) result[i] += store->column_bias[column + i];
  half_mask below = (half_mask)(result < store->floor);
  result = (half)(((half_mask)result & ~below) | ((half_mask)(store->floor - (half){ 0 }) & below));
  if (n == HALF) *(loose_half *)out = result;
  for (int i = 0; i < n && n < HALF; i++) out[i] = result[i];
}

/* The items that do not fill a vector: the last eight, where there are so many, without those that have been summed. */
INLINE void add_rest(vector *sum, const float *x, const float *w, int64_t depth) {
  static const int32_t summed[2 * LANES] = { 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1 };
  int64_t rest = depth % LANES;
  if (depth < LANES) {
    for (int64_t k = 0; k < depth; k++) (*sum)[0] += x[k] * w[k];
    return;
  }
  vector product = *(const loose_vector *)(x + depth - LANES) * *(const loose_vector *)(w + depth - LANES);
  mask wanted;
  __builtin_memcpy(&wanted, summed + rest, sizeof wanted);
  *sum += (vector)((mask)product & wanted);
}

/* rows x columns results; both are constants at every call, their product at most SUMS, columns 1 or 4 or 8. */
INLINE void block(const dots *d, int64_t row, int64_t column, const int rows, const int columns,
                  const tile_store *store) {
  vector sum[SUMS] = { { 0 } };
  const float *x = d->x + row * d->x_stride, *w = d->weight + column * d->weight_stride;
  const int64_t x_stride = d->x_stride, weight_stride = d->weight_stride, depth = d->depth;
  const int step = columns < HALF ? HALF : columns;   /* sums of a row; those that are not wanted are 0 */
  for (int64_t k = 0; k + LANES <= depth; k += LANES) {
#pragma GCC unroll 8
    for (int c = 0; c < columns; c++) {
      vector factor = *(const loose_vector *)(w + c * weight_stride + k);
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++) sum[r * step + c] += *(const loose_vector *)(x + r * x_stride + k) * factor;
    }
  }
  if (depth % LANES != 0) {
#pragma GCC unroll 8
    for (int i = 0; i < rows * columns; i++) {
      int r = i / columns, c = i % columns;
      add_rest(&sum[r * step + c], x + r * x_stride, w + c * weight_stride, depth);
    }
  }
#pragma GCC unroll 2
  for (int i = 0; i < rows * step / HALF; i++) {
    half totals;
    add_lanes(&totals, sum + i * HALF);
    finish(d, row + i * HALF / step, column + i * HALF % step, columns < HALF ? columns : HALF, &totals, store);
  }
}

INLINE void one_row(const dots *d, int64_t r, const tile_store *store) {
  int64_t c = 0;
  for (; c + 8 <= d->columns; c += 8) block(d, r, c, 1, 8, store);
  for (; c + 4 <= d->columns; c += 4) block(d, r, c, 1, 4, store);
  for (; c < d->columns; c++) block(d, r, c, 1, 1, store);
}

/* The outer loop runs over the weight: its rows stay in the first-level cache while all rows of x go by. */
CLONES
void matmul_dots(const dots *d, const tile_store *store) {
  int64_t paired = d->rows / 2 * 2, c = 0;
  for (; c + 4 <= d->columns; c += 4)
    for (int64_t r = 0; r < paired; r += 2) block(d, r, c, 2, 4, store);
  for (; c < d->columns; c++)
    for (int64_t r = 0; r < paired; r += 2) block(d, r, c, 2, 1, store);
  if (paired < d->rows) one_row(d, paired, store);
}
