/* vector_double.h -- float64 exp and log that a loop can vectorise.
**
** Selects only, as in vector_math.h.  Relative errors stay below 2e-15 (spec/study/parzen_spec.lua compares what is
** made of them with libm).  For where many are wanted, and for float32 results that float32 arithmetic would spoil, as
** powers. */
#ifndef PERILUNE_VECTOR_DOUBLE_H
#define PERILUNE_VECTOR_DOUBLE_H

#include "vector_math.h"

VECTOR_MATH double bits_to_double(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

VECTOR_MATH uint64_t double_to_bits(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* For x <= 700; everything below -700 is e^-700.  Adding 1.5 * 2^52 leaves the nearest integer in the low bits. */
VECTOR_MATH double exp_double(double x) {
  double bounded = x < -700.0 ? -700.0 : x;
  double shifted = bounded * 1.44269504088896340736 + 6755399441055744.0;
  double k = shifted - 6755399441055744.0;
  double r = (bounded - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
  double q = 1.0 / 479001600.0;
  q = q * r + 1.0 / 39916800.0;
  q = q * r + 1.0 / 3628800.0;
  q = q * r + 1.0 / 362880.0;
  q = q * r + 1.0 / 40320.0;
  q = q * r + 1.0 / 5040.0;
  q = q * r + 1.0 / 720.0;
  q = q * r + 1.0 / 120.0;
  q = q * r + 1.0 / 24.0;
  q = q * r + 1.0 / 6.0;
  q = q * r + 0.5;
  q = q * r + 1.0;
  q = q * r + 1.0;
  return q * bits_to_double((double_to_bits(shifted) << 52) + 0x3FF0000000000000u);
}

/* For positive normal x = 2^k m, m in [sqrt(1/2), sqrt(2)): log m = 2 artanh((m - 1) / (m + 1)), as a series. */
VECTOR_MATH double log_double(double x) {
  uint64_t bits = double_to_bits(x);
  uint64_t raised = (bits - 0x3FE6A09E667F3BCDu + 0x4000000000000000u) >> 52;   /* k + 1024 */
  double k = bits_to_double(raised | 0x4330000000000000u) - (4503599627370496.0 + 1024.0);
  double f = bits_to_double(bits - (raised << 52) + 0x4000000000000000u) - 1.0;
  double s = f / (2.0 + f), z = s * s;
  double p = 2.0 / 21.0;
  p = p * z + 2.0 / 19.0;
  p = p * z + 2.0 / 17.0;
  p = p * z + 2.0 / 15.0;
  p = p * z + 2.0 / 13.0;
  p = p * z + 2.0 / 11.0;
  p = p * z + 2.0 / 9.0;
  p = p * z + 2.0 / 7.0;
  p = p * z + 2.0 / 5.0;
  p = p * z + 2.0 / 3.0;
  return k * 6.93147180369123816490e-01 + (2.0 * s + (s * z * p + k * 1.90821492927058770002e-10));
}

#endif
