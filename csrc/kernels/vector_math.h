/* vector_math.h -- float32 functions that the compiler can vectorise inside a loop.
**
** No branches, no tables, no calls: selects only, so that a plain loop over them becomes vector code in a CLONES
** function.  Largest errors against float64 libm, over a sweep of all floats (spec/kernels/elementwise_spec.lua
** holds a sample of it): exp 1.0, log 0.8, expm1 1.6, log1p 2.4, tanh 2.4, sigmoid 2.4, erf 1.2, sin and cos 1.6
** units in the last place.  Infinities, NaN, zeros, denormals and overflow give what libm gives, but results below
** the smallest normal number may be off by a unit of the smallest denormal, and sigmoid(x < -88.7) is 0.  float64 goes
** to libm. */
#ifndef PERILUNE_VECTOR_MATH_H
#define PERILUNE_VECTOR_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define VECTOR_MATH static inline __attribute__((always_inline, unused))

VECTOR_MATH float bits_to_float(int32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

VECTOR_MATH int32_t float_to_bits(float x) {
  int32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* The nearest integer, for |x| < 2^22: adding 1.5 * 2^23 leaves no room for a fraction. */
VECTOR_MATH float nearest(float x) { return (x + 12582912.0f) - 12582912.0f; }

/* 2^k for integers k in [-126, 127]. */
VECTOR_MATH float power_of_two(float k) { return bits_to_float((int32_t)((uint32_t)((int32_t)k + 127) << 23)); }

/* e^r - 1 for |r| <= ln(2) / 2, as r + r^2 q(r). */
VECTOR_MATH float expm1_reduced(float r) {
  float q = 1.9875691500e-4f;
  q = q * r + 1.3981999507e-3f;
  q = q * r + 8.3334519073e-3f;
  q = q * r + 4.1665795894e-2f;
  q = q * r + 1.6666665459e-1f;
  q = q * r + 5.0000001201e-1f;
  return q * (r * r) + r;
}

/* x = k ln(2) + r; e^x = 2^k e^r.  2^k in two factors, since k runs from -150 to 128. */
VECTOR_MATH float exp_float(float x) {
  float bounded = x < -104.0f ? -104.0f : x > 89.0f ? 89.0f : x;
  float k = nearest(bounded * 1.44269504f);
  float r = (bounded - k * 0.693359375f) + k * 2.12194440e-4f;
  float half = nearest(k * 0.5f);
  return (1.0f + expm1_reduced(r)) * power_of_two(half) * power_of_two(k - half);
}

VECTOR_MATH float expm1_float(float x) {
  float bounded = x < -30.0f ? -30.0f : x > 89.0f ? 89.0f : x;
  float k = nearest(bounded * 1.44269504f);
  float r = (bounded - k * 0.693359375f) + k * 2.12194440e-4f;
  float p = expm1_reduced(r);
  float half = power_of_two(k - 1.0f); /* 2^128 does not exist */
  float result = 2.0f * (half * p + (half - 0.5f));
  return k == 0.0f ? p : result;
}

/* x = 2^k m with m in [sqrt(1/2), sqrt(2)); log(m) is Cephes's polynomial in m - 1. */
VECTOR_MATH float log_float(float x) {
  float scaled = x < 1.17549435e-38f ? x * 8388608.0f : x; /* denormals */
  float shift = x < 1.17549435e-38f ? -23.0f : 0.0f;
  int32_t bits = float_to_bits(scaled);
  int32_t exponent = (int32_t)((uint32_t)bits - 0x3f3504f3u) >> 23;   /* unsigned: -0.0 would overflow */
  float m = bits_to_float((int32_t)((uint32_t)bits - ((uint32_t)exponent << 23))) - 1.0f;
  float k = (float)exponent + shift;
  float square = m * m;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  float tail = p * m * square - 2.12194440e-4f * k - 0.5f * square;
  float result = (m + tail) + 0.693359375f * k;
  result = x == INFINITY ? x : result;
  result = x == 0.0f ? -INFINITY : result;
  return x >= 0.0f ? result : NAN;
}

/* log(1 + x) = log(u) x / (u - 1) for u = 1 + x as it was rounded (Kahan). */
VECTOR_MATH float log1p_float(float x) {
  float u = 1.0f + x;
  float difference = u - 1.0f;
  float result = log_float(u) * (x / (difference == 0.0f ? 1.0f : difference));
  result = difference == 0.0f ? x : result;
  return x == INFINITY ? x : result;
}

/* tanh |x| = e / (e + 2) with e = e^(2|x|) - 1. */
VECTOR_MATH float tanh_float(float x) {
  float size = fabsf(x) > 10.0f ? 10.0f : fabsf(x);
  float e = expm1_float(2.0f * size);
  return copysignf(e / (e + 2.0f), x);
}

VECTOR_MATH float sigmoid_float(float x) { return 1.0f / (1.0f + exp_float(-x)); }

/* Two polynomials, one for |x| up to 475/512 and one in the exponent beyond (after N. Juffa). */
VECTOR_MATH float erf_float(float x) {
  float t = fabsf(x), square = x * x;
  float far = -1.72853470e-5f * t + 3.83197126e-4f;
  float u = -3.88396438e-3f * t + 2.42546219e-2f;
  far = far * square + u;
  far = far * t - 1.06777877e-1f;
  far = far * t - 6.34846687e-1f;
  far = far * t - 1.28717512e-1f;
  far = far * t - t;
  far = copysignf(t > 4.0f ? 1.0f : 1.0f - exp_float(far), x);
  float near = -5.96761703e-4f;
  near = near * square + 4.99119423e-3f;
  near = near * square - 2.67681349e-2f;
  near = near * square + 1.12819925e-1f;
  near = near * square - 3.76125336e-1f;
  near = near * square + 1.28379166e-1f;
  near = near * x + x;
  return t > 0.927734375f ? far : near;
}

/* x = k pi/2 + r in float64, for |x| < TRIGONOMETRIC_LIMIT; quarter turns choose the polynomial and the sign. */
enum { TRIGONOMETRIC_LIMIT = 1 << 20 };

/* No item is as large, infinite or NaN. */
VECTOR_MATH int all_within(int64_t n, const float *x, float limit) {
  int32_t outside = 0;
  for (int64_t i = 0; i < n; i++) outside |= fabsf(x[i]) < limit ? 0 : 1;
  return outside == 0;
}

VECTOR_MATH float sine_of_turns(float x, double quarter) {
  double k = ((double)x * 0.63661977236758134308 + 6755399441055744.0) - 6755399441055744.0;
  double reduced = ((double)x - k * 1.57079632673412561417) - k * 6.07710050650619224932e-11;
  float r = (float)reduced, square = r * r;
  float turn = (float)(k + quarter);
  float within = turn - 4.0f * floorf(turn * 0.25f); /* 0, 1, 2 or 3 */
  float sine = ((-1.9515295891e-4f * square + 8.3321608736e-3f) * square - 1.6666654611e-1f) * square * r + r;
  float cosine = ((2.443315711809948e-5f * square - 1.388731625493765e-3f) * square + 4.166664568298827e-2f) *
                 square * square - 0.5f * square + 1.0f;
  float odd = within - 2.0f * floorf(within * 0.5f);
  float chosen = odd == 0.0f ? sine : cosine;
  return within >= 2.0f ? -chosen : chosen;
}

VECTOR_MATH float sin_float(float x) { return x == 0.0f ? x : sine_of_turns(x, 0.0); }
VECTOR_MATH float cos_float(float x) { return sine_of_turns(x, 1.0); }

#endif
