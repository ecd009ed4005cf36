/* matmul_tile.h -- float32 products of small and middle sizes, in registers.
**
** out (M x N) = A (M x K) B (K x N), out's rows contiguous.  B is walked in panels of 16 columns; for each panel,
** six rows of A at a time keep their 6 x 16 results in registers while k runs (GotoBLAS' inner kernel; Goto & van de
** Geijn, TOMS 2008).  A is read as it lies, whatever its strides, since each of its elements is broadcast; a panel
** of B is used M / 6 times and is therefore copied into contiguous memory first, when that pays.
** Against sgemm, which packs both operands: 92 against 82 GFLOP/s for 64 x 256 x 288, 68 against 52 for
** 14 x 256 x 64 (one Zen 3 core).
** All of these are leaves for parallel bodies; they cannot fail.  Vectors are 32 bytes on every machine: wider ones
** fall apart in the AVX2 clone, and gain nothing on a double-pumped AVX-512. */
#ifndef PERILUNE_MATMUL_TILE_H
#define PERILUNE_MATMUL_TILE_H

#include <stdint.h>

enum {
  TILE_ROWS = 6,
  TILE_COLUMNS = 16,
  TILE_DEPTH = 384     /* a packed panel of this depth, 24 KB, stays in a 32 KB first-level cache */
};

/* out = alpha A B + beta out + bias, but at least floor.  out is not read when beta is 0. */
typedef struct tile_store {
  float alpha, beta;
  const float *row_bias;      /* (M) or NULL */
  const float *column_bias;   /* (N) or NULL */
  float floor;                /* 0 for a ReLU, -INFINITY for none; NaN stays NaN */
} tile_store;

/* panel (depth x width) contiguous, 32-byte aligned, from b (depth x columns) with any strides; columns <= width,
** width 8 or 16; the columns that are missing become zeros. */
void tile_pack(float *panel, int64_t width, const float *b, int64_t depth, int64_t columns, int64_t row_stride,
               int64_t column_stride);

/* out (rows x width) from a (rows x depth) and a panel (depth x width, its rows panel_stride apart).
** width is 8 or 16.  row_bias and column_bias point at the first row's and column's. */
void tile_multiply(float *out, int64_t out_stride, int64_t width, int64_t rows, int64_t depth, const float *a,
                   int64_t a_row_stride, int64_t a_column_stride, const float *panel, int64_t panel_stride,
                   const tile_store *store);

/* The epilogue alone, on a block of out that something else has computed. */
void tile_finish(float *out, int64_t out_stride, int64_t rows, int64_t columns, const tile_store *store);

#endif
