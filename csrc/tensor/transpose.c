/* transpose.c -- tiles of 16 x 16, each of four 8 x 8 blocks that are turned in registers.
**
** A tile touches whole cache lines on both sides; the rows that come next are fetched ahead.  256 x 784 on one core
** of a Zen 3: 0.20 ms, where a plain copy of the same bytes takes 0.09 and element by element 0.28. */
#include "transpose.h"

#include <string.h>

#include "parallel.h"

enum { BLOCK = 8, TILE = 16, AHEAD = 2 * TILE };

typedef float vector __attribute__((vector_size(32)));

static inline void load(vector *v, const float *from) { memcpy(v, from, sizeof *v); }

static inline void store(float *to, const vector *v) { memcpy(to, v, sizeof *v); }

/* Three rounds of exchanges between rows 1, 2 and 4 apart. */
static inline void turn(vector r[BLOCK]) {
  for (int i = 0; i < BLOCK; i += 2) {
    vector a = r[i], b = r[i + 1];
    r[i] = __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14);
    r[i + 1] = __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int k = 0; k < 4; k++) {
    int i = k / 2 * 4 + k % 2;
    vector a = r[i], b = r[i + 2];
    r[i] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
    r[i + 2] = __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
  }
  for (int i = 0; i < 4; i++) {
    vector a = r[i], b = r[i + 4];
    r[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
    r[i + 4] = __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

CLONES static void turn_tile(float *restrict to, int64_t to_stride, const float *restrict from, int64_t from_stride) {
  for (int64_t j = 0; j < TILE; j += BLOCK)
    for (int64_t i = 0; i < TILE; i += BLOCK) {
      vector r[BLOCK];
      for (int k = 0; k < BLOCK; k++) load(&r[k], from + (i + k) * from_stride + j);
      turn(r);
      for (int k = 0; k < BLOCK; k++) store(to + (j + k) * to_stride + i, &r[k]);
    }
}

typedef struct job {
  float *to;
  const float *from;
  int64_t to_stride, from_stride, rows, columns;
} job;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static void turn_edge(const job *t, int64_t row, int64_t n_rows, int64_t column, int64_t n_columns) {
  for (int64_t j = column; j < column + n_columns; j++)
    for (int64_t i = row; i < row + n_rows; i++) t->to[j * t->to_stride + i] = t->from[i * t->from_stride + j];
}

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
      if (n_rows == TILE && n_columns == TILE)
        turn_tile(t->to + j * t->to_stride + i, t->to_stride, t->from + i * t->from_stride + j, t->from_stride);
      else
        turn_edge(t, i, n_rows, j, n_columns);
    }
}

void transpose_float32(const context *c, float *to, int64_t to_stride, const float *from, int64_t from_stride,
                       int64_t rows, int64_t columns) {
  if (rows == 0) return;
  job t = { to, from, to_stride, from_stride, rows, columns };
  int64_t grain = ((1 << 15) / rows + TILE) / TILE * TILE;
  parallel_for(c, columns, grain, turn_columns, &t);
}
