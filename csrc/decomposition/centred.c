/* centred.c -- rows of a matrix without their mean, in the dtype that is computed in. */
#include "../tensor/parallel.h"
#include "decomposition.h"

CLONES static void subtract_float32(float *restrict to, const float *restrict x, const float *restrict mean,
                                    int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = x[i] - mean[i];
}

CLONES static void subtract_uint8(float *restrict to, const uint8_t *restrict x, const float *restrict mean,
                                  int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = (float)x[i] - mean[i];
}

CLONES static void subtract_float64(double *restrict to, const double *restrict x, const double *restrict mean,
                                    int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = x[i] - mean[i];
}

void centred(const rows *x, const void *mean, int64_t first, int64_t n, int64_t feature, int64_t depth, void *to,
             int64_t to_stride) {
  for (int64_t k = 0; k < n; k++) {
    int64_t at = (first + k) * x->stride + feature, put = k * to_stride;
    if (x->dtype == DTYPE_FLOAT64)
      subtract_float64((double *)to + put, (const double *)x->data + at, (const double *)mean + feature, depth);
    else if (x->dtype == DTYPE_FLOAT32)
      subtract_float32((float *)to + put, (const float *)x->data + at, (const float *)mean + feature, depth);
    else
      subtract_uint8((float *)to + put, (const uint8_t *)x->data + at, (const float *)mean + feature, depth);
  }
}
