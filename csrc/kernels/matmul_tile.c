/* matmul_tile.c -- see matmul_tile.h. */
#include "matmul_tile.h"

#include <stdbool.h>

#include "../tensor/parallel.h"

#define INLINE static inline __attribute__((always_inline))

typedef float vector __attribute__((vector_size(32)));
typedef float loose_vector __attribute__((vector_size(32), aligned(4), may_alias));   /* anywhere in memory */
typedef int32_t mask __attribute__((vector_size(32)));
enum { LANES = 8 };

/* -- the epilogue -- */

/* Vectors travel by pointer: by value they would have another calling convention in each clone. */
INLINE void rise_to(vector *x, float floor) {
  mask below = (mask)(*x < floor);
  *x = (vector)(((mask)*x & ~below) | ((mask)(floor - (vector){ 0 }) & below));
}

/* `add`: beta is not 0.  The floor comes from memory because a constant would live in a register through
** the multiplying loop, which needs all sixteen: one sum in memory halves its speed. */
INLINE void finish(float *out, const float *sum, bool add, const float *row_bias, const float *column_bias,
                   const tile_store *store) {
  vector result = *(const loose_vector *)sum * store->alpha;
  if (add) result += store->beta * *(const loose_vector *)out;
  if (row_bias != NULL) result += *row_bias;
  if (column_bias != NULL) result += *(const loose_vector *)column_bias;
  rise_to(&result, store->floor);
  *(loose_vector *)out = result;
}

CLONES
void tile_finish(float *out, int64_t out_stride, int64_t rows, int64_t columns, const tile_store *store) {
  for (int64_t r = 0; r < rows; r++, out += out_stride) {
    if (store->row_bias != NULL)
      for (int64_t c = 0; c < columns; c++) out[c] += store->row_bias[r];
    if (store->column_bias != NULL)
      for (int64_t c = 0; c < columns; c++) out[c] += store->column_bias[c];
    for (int64_t c = 0; c < columns; c++) out[c] = out[c] < store->floor ? store->floor : out[c];
  }
}

/* -- packing -- */

/* One round of an 8 x 8 transposition: two rows exchange their off-diagonal parts, 1, 2 or 4 items wide. */
INLINE void exchange_1(vector *a, vector *b) {
  vector low = __builtin_shufflevector(*a, *b, 0, 8, 2, 10, 4, 12, 6, 14);
  *b = __builtin_shufflevector(*a, *b, 1, 9, 3, 11, 5, 13, 7, 15);
  *a = low;
}

INLINE void exchange_2(vector *a, vector *b) {
  vector low = __builtin_shufflevector(*a, *b, 0, 1, 8, 9, 4, 5, 12, 13);
  *b = __builtin_shufflevector(*a, *b, 2, 3, 10, 11, 6, 7, 14, 15);
  *a = low;
}

INLINE void exchange_4(vector *a, vector *b) {
  vector low = __builtin_shufflevector(*a, *b, 0, 1, 2, 3, 8, 9, 10, 11);
  *b = __builtin_shufflevector(*a, *b, 4, 5, 6, 7, 12, 13, 14, 15);
  *a = low;
}

INLINE void transpose_block(float *to, int64_t to_stride, const float *from, int64_t from_stride) {
  vector row[LANES];
  for (int i = 0; i < LANES; i++) row[i] = *(const loose_vector *)(from + i * from_stride);
  for (int i = 0; i < LANES; i += 2) exchange_1(&row[i], &row[i + 1]);
  for (int i = 0; i < LANES; i += 4) {
    exchange_2(&row[i], &row[i + 2]);
    exchange_2(&row[i + 1], &row[i + 3]);
  }
  for (int i = 0; i < LANES / 2; i++) exchange_4(&row[i], &row[i + 4]);
  for (int i = 0; i < LANES; i++) *(loose_vector *)(to + i * to_stride) = row[i];
}

CLONES
static void pack_transposed(float *panel, int64_t width, const float *b, int64_t depth, int64_t column_stride) {
  int64_t k = 0;
  for (; k + LANES <= depth; k += LANES)
    for (int64_t c = 0; c < width; c += LANES)
      transpose_block(panel + k * width + c, width, b + c * column_stride + k, column_stride);
  for (; k < depth; k++)
    for (int64_t c = 0; c < width; c++) panel[k * width + c] = b[c * column_stride + k];
}

CLONES
static void pack_rows(float *panel, int64_t width, const float *b, int64_t depth, int64_t row_stride) {
  for (int64_t k = 0; k < depth; k++)
    for (int64_t c = 0; c < width; c += LANES)
      *(loose_vector *)(panel + k * width + c) = *(const loose_vector *)(b + k * row_stride + c);
}

static void pack_some(float *panel, int64_t width, const float *b, int64_t depth, int64_t columns,
                      int64_t row_stride, int64_t column_stride) {
  for (int64_t k = 0; k < depth; k++)
    for (int64_t c = 0; c < width; c++)
      panel[k * width + c] = c < columns ? b[k * row_stride + c * column_stride] : 0.0f;
}

void tile_pack(float *panel, int64_t width, const float *b, int64_t depth, int64_t columns, int64_t row_stride,
               int64_t column_stride) {
  if (columns == width && row_stride == 1) pack_transposed(panel, width, b, depth, column_stride);
  else if (columns == width && column_stride == 1) pack_rows(panel, width, b, depth, row_stride);
  else pack_some(panel, width, b, depth, columns, row_stride, column_stride);
}

/* -- multiplying -- */

typedef struct operands {
  const float *a;
  int64_t a_row_stride, a_column_stride;
  const float *panel;
  int64_t panel_stride, depth;
} operands;

/* rows x vectors sums.  `rows` and `vectors` are constants at every call, so that sum[][] lives in registers. */
INLINE void accumulate(const int rows, const int vectors, float *sums, operands from) {
  vector sum[TILE_ROWS][2];
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vectors; v++) sum[r][v] = (vector){ 0 };
  for (int64_t k = 0; k < from.depth; k++) {
    vector b[2];
    for (int v = 0; v < vectors; v++) b[v] = *(const loose_vector *)(from.panel + k * from.panel_stride + v * LANES);
    for (int r = 0; r < rows; r++) {
      float a = from.a[r * from.a_row_stride + k * from.a_column_stride];
      for (int v = 0; v < vectors; v++) sum[r][v] += a * b[v];
    }
  }
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vectors; v++) *(loose_vector *)(sums + (r * vectors + v) * LANES) = sum[r][v];
}

INLINE void tile(const int rows, const int vectors, float *out, int64_t out_stride, operands from,
                 bool add, const float *row_bias, const tile_store *store) {
  float sums[TILE_ROWS * TILE_COLUMNS] __attribute__((aligned(32)));
  accumulate(rows, vectors, sums, from);
  /* Not unrolled: it runs once a tile, and there are 36 copies of it. */
#pragma GCC unroll 1
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 1
    for (int v = 0; v < vectors; v++) {
      float *to = out + r * out_stride + v * LANES;
      const float *column_bias = store->column_bias == NULL ? NULL : store->column_bias + v * LANES;
      finish(to, sums + (r * vectors + v) * LANES, add, row_bias == NULL ? NULL : row_bias + r, column_bias, store);
    }
}

INLINE void some_rows(int64_t rows, const int vectors, float *out, int64_t out_stride, operands from,
                      bool add, const float *row_bias, const tile_store *store) {
  switch (rows) {
    case 1: tile(1, vectors, out, out_stride, from, add, row_bias, store); break;
    case 2: tile(2, vectors, out, out_stride, from, add, row_bias, store); break;
    case 3: tile(3, vectors, out, out_stride, from, add, row_bias, store); break;
    case 4: tile(4, vectors, out, out_stride, from, add, row_bias, store); break;
    case 5: tile(5, vectors, out, out_stride, from, add, row_bias, store); break;
    default: tile(6, vectors, out, out_stride, from, add, row_bias, store); break;
  }
}

INLINE void all_rows(const int vectors, float *out, int64_t out_stride, int64_t rows, operands from,
                     const tile_store *store) {
  const float *row_bias = store->row_bias;
  const bool add = store->beta != 0.0f;
  for (int64_t r = 0; r < rows; r += TILE_ROWS) {
    some_rows(rows - r, vectors, out + r * out_stride, out_stride, from, add, row_bias, store);
    from.a += TILE_ROWS * from.a_row_stride;
    if (row_bias != NULL) row_bias += TILE_ROWS;
  }
}

CLONES
static void multiply_wide(float *out, int64_t out_stride, int64_t rows, const operands *from,
                          const tile_store *store) {
  all_rows(2, out, out_stride, rows, *from, store);
}

CLONES
static void multiply_narrow(float *out, int64_t out_stride, int64_t rows, const operands *from,
                            const tile_store *store) {
  all_rows(1, out, out_stride, rows, *from, store);
}

void tile_multiply(float *out, int64_t out_stride, int64_t width, int64_t rows, int64_t depth, const float *a,
                   int64_t a_row_stride, int64_t a_column_stride, const float *panel, int64_t panel_stride,
                   const tile_store *store) {
  operands from = { a, a_row_stride, a_column_stride, panel, panel_stride, depth };
  if (width == TILE_COLUMNS) multiply_wide(out, out_stride, rows, &from, store);
  else multiply_narrow(out, out_stride, rows, &from, store);
}
