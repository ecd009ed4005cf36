/* panel_avx512.c -- the tile of panel.h for AVX-512. */
#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)
#elif defined(__x86_64__)
#pragma GCC target("avx512f")
#endif

#ifdef __x86_64__
#include <immintrin.h>

#include "panel.h"

enum { TILE_ROWS = 8 };

/* n_panels is a constant at every call, so that sum[][] lives in registers. */
static inline __attribute__((always_inline)) void tile(const int n_panels, float *sums, int64_t depth, const float *a,
                                                       const float *b, int64_t pitch) {
  __m512 sum[TILE_ROWS][PANEL_GROUP];
  for (int r = 0; r < TILE_ROWS; r++)
    for (int p = 0; p < n_panels; p++) sum[r][p] = _mm512_setzero_ps();
  for (int64_t k = 0; k < depth; k++, a += PANEL, b += PANEL) {
    __m512 row[PANEL_GROUP];
    for (int p = 0; p < n_panels; p++) row[p] = _mm512_loadu_ps(b + p * pitch);
    for (int r = 0; r < TILE_ROWS; r++) {
      __m512 factor = _mm512_set1_ps(a[r]);
      for (int p = 0; p < n_panels; p++) sum[r][p] = _mm512_fmadd_ps(factor, row[p], sum[r][p]);
    }
  }
  for (int r = 0; r < TILE_ROWS; r++)
    for (int p = 0; p < n_panels; p++) _mm512_store_ps(sums + r * PANEL_WIDTH + p * PANEL, sum[r][p]);
}

void panel_multiply_avx512(float *sums, int64_t rows, int64_t depth, const float *a, const float *b, int64_t pitch,
                           int64_t n_panels) {
  for (int64_t r = 0; r < rows; r += TILE_ROWS, a += TILE_ROWS, sums += TILE_ROWS * PANEL_WIDTH) {
    if (n_panels == 3) tile(3, sums, depth, a, b, pitch);
    else if (n_panels == 2) tile(2, sums, depth, a, b, pitch);
    else tile(1, sums, depth, a, b, pitch);
  }
}
#else
typedef int panel_avx512_needs_x86_64;
#endif

#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute pop
#endif
