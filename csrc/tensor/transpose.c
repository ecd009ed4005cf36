/* transpose.c -- tiles of 16 x 16, each of four 8 x 8 blocks that are turned in registers; a few rows by
** blocks of 8 x 8 and 4 x 8.
**
** A tile touches whole cache lines on both sides; the rows that come next are fetched ahead.  256 x 784 on one core
** of a Zen 3: 0.20 ms, where a plain copy of the same bytes takes 0.09 and element by element 0.28. */
#include "transpose.h"

#include <string.h>

#include "integers.h"
#include "parallel.h"

enum { BLOCK = 8, TILE = 16, AHEAD = 2 * TILE };

/* Part of each clone, hence of its instruction set. */
#define INLINE static inline __attribute__((always_inline))

typedef float vector __attribute__((vector_size(32)));

INLINE void load(vector *v, const float *from) { memcpy(v, from, sizeof *v); }

INLINE void store(float *to, const vector *v) { memcpy(to, v, sizeof *v); }

/* Exchanges between rows 1 and 2 apart: each half of four rows is turned. */
INLINE void turn_halves(vector r[4]) {
  for (int i = 0; i < 4; i += 2) {
    vector a = r[i], b = r[i + 1];
    r[i] = __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14);
    r[i + 1] = __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int i = 0; i < 2; i++) {
    vector a = r[i], b = r[i + 2];
    r[i] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
    r[i + 2] = __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
  }
}

/* 8 x 8: then the halves change places. */
INLINE void turn_block(float *to, int64_t to_stride, const float *from, int64_t from_stride) {
  vector r[BLOCK];
  for (int k = 0; k < BLOCK; k++) load(&r[k], from + k * from_stride);
  turn_halves(r);
  turn_halves(r + 4);
  for (int k = 0; k < 4; k++) {
    vector low = __builtin_shufflevector(r[k], r[k + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    vector high = __builtin_shufflevector(r[k], r[k + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    store(to + k * to_stride, &low);
    store(to + (k + 4) * to_stride, &high);
  }
}

/* Four rows of eight. */
INLINE void turn_half_block(float *to, int64_t to_stride, const float *from, int64_t from_stride) {
  vector r[4];
  for (int k = 0; k < 4; k++) load(&r[k], from + k * from_stride);
  turn_halves(r);
  for (int k = 0; k < 4; k++) {
    memcpy(to + k * to_stride, &r[k], sizeof r[k] / 2);
    memcpy(to + (k + 4) * to_stride, (const float *)&r[k] + 4, sizeof r[k] / 2);
  }
}

CLONES static void turn_tile(float *restrict to, int64_t to_stride, const float *restrict from, int64_t from_stride) {
  for (int64_t j = 0; j < TILE; j += BLOCK)
    for (int64_t i = 0; i < TILE; i += BLOCK)
      turn_block(to + j * to_stride + i, to_stride, from + i * from_stride + j, from_stride);
}

/* Any size: what does not fill a block goes element by element. */
CLONES static void turn_edge(float *restrict to, int64_t to_stride, const float *restrict from, int64_t from_stride,
                             int64_t n_rows, int64_t n_columns) {
  int64_t whole = n_columns / BLOCK * BLOCK, i = 0;
  for (; i + 4 <= n_rows; i += n_rows - i >= BLOCK ? BLOCK : 4)
    for (int64_t j = 0; j < whole; j += BLOCK) {
      float *at = to + j * to_stride + i;
      if (n_rows - i >= BLOCK) turn_block(at, to_stride, from + i * from_stride + j, from_stride);
      else turn_half_block(at, to_stride, from + i * from_stride + j, from_stride);
    }
  for (; i < n_rows; i++)
    for (int64_t j = 0; j < whole; j++) to[j * to_stride + i] = from[i * from_stride + j];
  for (int64_t j = whole; j < n_columns; j++)
    for (int64_t k = 0; k < n_rows; k++) to[j * to_stride + k] = from[k * from_stride + j];
}

typedef struct job {
  float *to;
  const float *from;
  int64_t to_stride, from_stride, rows, columns;
} job;

/* Rows lie far apart: the hardware does not see the next ones coming. */
static void fetch_ahead(const job *t, int64_t row, int64_t column) {
  if (row + TILE > t->rows) return;
  for (int64_t i = row; i < row + TILE; i++) __builtin_prefetch(t->from + i * t->from_stride + column);
}

static void turn_columns(void *argument, int64_t begin, int64_t end) {
  const job *t = argument;
  for (int64_t j = begin; j < end; j += TILE)
    for (int64_t i = 0; i < t->rows; i += TILE) {
      fetch_ahead(t, i + AHEAD, j);
      int64_t n_rows = least(t->rows - i, TILE), n_columns = least(end - j, TILE);
      float *to = t->to + j * t->to_stride + i;
      const float *from = t->from + i * t->from_stride + j;
      if (n_rows == TILE && n_columns == TILE) turn_tile(to, t->to_stride, from, t->from_stride);
      else turn_edge(to, t->to_stride, from, t->from_stride, n_rows, n_columns);
    }
}

void transpose_float32(const context *c, float *to, int64_t to_stride, const float *from, int64_t from_stride,
                       int64_t rows, int64_t columns) {
  if (rows == 0) return;
  job t = { to, from, to_stride, from_stride, rows, columns };
  int64_t grain = ((1 << 15) / rows + TILE) / TILE * TILE;
  parallel_for(c, columns, grain, turn_columns, &t);
}
