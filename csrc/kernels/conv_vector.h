/* conv_vector.h -- a vector of floats and the few operations that convolution needs, with the tile sizes that suit the
** registers: VECTOR_BYTES, set by the including file, is 64 (AVX-512), 32 (AVX2 with FMA) or 16 (anything).
**
** Each gather tile holds TILE_ROWS output channels x TILE_COLUMNS vectors of sums (PANEL_COLUMNS when the inputs
** are packed), each product tile PRODUCT_ROWS x PRODUCT_ENTRIES.  AVX2 has 16 registers and needs at least 8 sums
** to hide the latency of its two multiply-add units: 4 x 3 with inputs from the second-level cache, 4 x 2 with
** packed ones (a line of the cache for each entry).  AVX-512 has 32 registers and may have one load a cycle.
** Where NINE_ROWS is not 0, a window of nine entries (one channel, 3 x 3) is one product tile of NINE_ROWS x 9:
** tiles of six would compute twelve.  A cell (conv_cells.c) holds four outputs x CELL_COLUMNS vectors. */
#ifndef PERILUNE_CONV_VECTOR_H
#define PERILUNE_CONV_VECTOR_H

#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#if VECTOR_BYTES == 64
#include <immintrin.h>

enum { LANES = 16, TILE_ROWS = 8, TILE_COLUMNS = 2, PANEL_COLUMNS = 2, PRODUCT_ROWS = 4, PRODUCT_ENTRIES = 6,
       CHANNELS_PIXELS = 8, CHANNELS_PAIR_PIXELS = 8, NINE_ROWS = 2, CELL_COLUMNS = 4 };
typedef __m512 vector;

INLINE vector load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void store(float *p, vector v) { _mm512_storeu_ps(p, v); }
INLINE vector broadcast(const float *p) { return _mm512_set1_ps(*p); }
INLINE vector zero(void) { return _mm512_setzero_ps(); }
INLINE vector multiply_add(vector a, vector b, vector c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vector add(vector a, vector b) { return _mm512_add_ps(a, b); }
INLINE vector rectify(vector v) { return _mm512_max_ps(zero(), v); }
INLINE vector where_positive(vector y, vector v) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(y, zero(), _CMP_GT_OQ), v);
}
INLINE vector keep_first(vector v, int n) { return _mm512_maskz_mov_ps((__mmask16)((1u << (unsigned)n) - 1u), v); }
INLINE float sum_lanes(vector v) { return _mm512_reduce_add_ps(v); }
INLINE vector sum_pairs(vector a, vector b) {
  return _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
}
/* sums[k] = the sum of v[k]'s lanes, for four vectors: half the work of one after the other. */
INLINE void sum_four(float *sums, const vector *v) {
  __m512d low = _mm512_castps_pd(sum_pairs(v[0], v[1])), high = _mm512_castps_pd(sum_pairs(v[2], v[3]));
  vector four = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(low, high)),
                              _mm512_castpd_ps(_mm512_unpackhi_pd(low, high)));
  __m256 two = _mm256_add_ps(_mm512_castps512_ps256(four),
                             _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(four), 1)));
  _mm_storeu_ps(sums, _mm_add_ps(_mm256_castps256_ps128(two), _mm256_extractf128_ps(two, 1)));
}

#elif VECTOR_BYTES == 32
#include <immintrin.h>

enum { LANES = 8, TILE_ROWS = 4, TILE_COLUMNS = 3, PANEL_COLUMNS = 2, PRODUCT_ROWS = 4, PRODUCT_ENTRIES = 3,
       CHANNELS_PIXELS = 8, CHANNELS_PAIR_PIXELS = 5, NINE_ROWS = 0, CELL_COLUMNS = 2 };
typedef __m256 vector;

INLINE vector load(const float *p) { return _mm256_loadu_ps(p); }
INLINE void store(float *p, vector v) { _mm256_storeu_ps(p, v); }
INLINE vector broadcast(const float *p) { return _mm256_broadcast_ss(p); }
INLINE vector zero(void) { return _mm256_setzero_ps(); }
INLINE vector multiply_add(vector a, vector b, vector c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vector add(vector a, vector b) { return _mm256_add_ps(a, b); }
INLINE vector rectify(vector v) { return _mm256_max_ps(zero(), v); }
INLINE vector where_positive(vector y, vector v) { return _mm256_and_ps(_mm256_cmp_ps(y, zero(), _CMP_GT_OQ), v); }
INLINE vector keep_first(vector v, int n) {
  __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_and_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane)), v);
}
INLINE float sum_lanes(vector v) {
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
INLINE void sum_four(float *sums, const vector *v) {
  __m256 two = _mm256_hadd_ps(_mm256_hadd_ps(v[0], v[1]), _mm256_hadd_ps(v[2], v[3]));
  _mm_storeu_ps(sums, _mm_add_ps(_mm256_castps256_ps128(two), _mm256_extractf128_ps(two, 1)));
}

#else   /* 16 bytes: SSE on plain x86-64, NEON on ARM */

enum { LANES = 4, TILE_ROWS = 4, TILE_COLUMNS = 2, PANEL_COLUMNS = 2, PRODUCT_ROWS = 2, PRODUCT_ENTRIES = 4,
       CHANNELS_PIXELS = 8, CHANNELS_PAIR_PIXELS = 5, NINE_ROWS = 0, CELL_COLUMNS = 2 };
typedef float vector __attribute__((vector_size(16)));
typedef int32_t bits __attribute__((vector_size(16)));

INLINE vector load(const float *p) {
  vector v;
  memcpy(&v, p, sizeof v);
  return v;
}
INLINE void store(float *p, vector v) { memcpy(p, &v, sizeof v); }
INLINE vector broadcast(const float *p) { return (vector){ *p, *p, *p, *p }; }
INLINE vector zero(void) { return (vector){ 0, 0, 0, 0 }; }
INLINE vector multiply_add(vector a, vector b, vector c) { return a * b + c; }
INLINE vector add(vector a, vector b) { return a + b; }
INLINE vector rectify(vector v) { return (vector)((bits)v & ~(bits)(v < zero())); }
INLINE vector where_positive(vector y, vector v) { return (vector)((bits)v & (bits)(y > zero())); }
INLINE vector keep_first(vector v, int n) {
  bits lane = { 0, 1, 2, 3 }, count = { n, n, n, n };
  return (vector)((bits)v & (bits)(lane < count));
}
INLINE float sum_lanes(vector v) { return (v[0] + v[2]) + (v[1] + v[3]); }
INLINE void sum_four(float *sums, const vector *v) {
  for (int k = 0; k < 4; k++) sums[k] = sum_lanes(v[k]);
}

#endif
#endif
