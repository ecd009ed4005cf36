/* panel.h -- float32 products of packed operands, in registers: what large matrices are multiplied with.
**
** Both operands lie in panels of PANEL items by depth, a[k][i] and b[k][j], zero where the matrix has ended.  A tile of
** 8 rows by up to PANEL_GROUP panels of b keeps its 24 vectors of sums in registers through the whole depth: with 32
** registers of 64 bytes each step loads 3 vectors, broadcasts 8 numbers and multiplies 24 times, so that b may stream
** from any cache (114 GFLOP/s of one Zen 4 core's 115, from the third-level cache).  Without AVX-512 the 6 x 16 tile of
** matmul_tile.h does the work.  Leaves for parallel bodies; they cannot fail. */
#ifndef PERILUNE_PANEL_H
#define PERILUNE_PANEL_H

#include <stdbool.h>
#include <stdint.h>

enum {
  PANEL = 16,
  PANEL_GROUP = 3,
  PANEL_WIDTH = PANEL_GROUP * PANEL,   /* of a row of sums */
  PANEL_DEPTH = 1024                   /* longer sums are added up in memory: float32 has 24 bits */
};

/* A constant of the processor. */
bool panel_is_wide(void);

/* sums[i][j] = sum over k < depth of a[k][i] b[k][j] for i < rows <= PANEL, j < n_panels PANEL: n_panels <=
** PANEL_GROUP panels of b, `pitch` floats apart.  sums (PANEL x PANEL_WIDTH) 64-byte aligned, its rows PANEL_WIDTH
** apart; rows beyond the wanted ones may be written. */
void panel_multiply(float *sums, int64_t rows, int64_t depth, const float *a, const float *b, int64_t pitch,
                    int64_t n_panels);

#ifdef __x86_64__
void panel_multiply_avx512(float *sums, int64_t rows, int64_t depth, const float *a, const float *b, int64_t pitch,
                           int64_t n_panels);
#endif

#endif
