/* panel.c -- chooses the loop for this processor.  See panel.h. */
#include "panel.h"

#include <math.h>
#include <stddef.h>

#include "matmul_tile.h"

bool panel_is_wide(void) {
#if defined(__x86_64__) && defined(__GNUC__)
  return __builtin_cpu_supports("avx512f");
#else
  return false;
#endif
}

void panel_multiply(float *sums, int64_t rows, int64_t depth, const float *a, const float *b, int64_t pitch,
                    int64_t n_panels) {
#ifdef __x86_64__
  if (panel_is_wide()) {
    panel_multiply_avx512(sums, rows, depth, a, b, pitch, n_panels);
    return;
  }
#endif
  const tile_store plain = { 1.0f, 0.0f, NULL, NULL, -INFINITY };
  for (int64_t p = 0; p < n_panels; p++)
    tile_multiply(sums + p * PANEL, PANEL_WIDTH, PANEL, rows, depth, a, 1, PANEL, b + p * pitch, PANEL, &plain);
}
