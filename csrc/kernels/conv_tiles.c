/* conv_tiles.c -- chooses the loops for this processor: a pure function of the processor and the size. */
#include "conv_tiles.h"

const conv_tiles *conv_tiles_for(int64_t padded) {
#if defined(__x86_64__) && defined(__GNUC__)
  if (padded % 16 == 0 && __builtin_cpu_supports("avx512f")) return &conv_tiles_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &conv_tiles_avx2;
#endif
  (void)padded;
  return &conv_tiles_base;
}
