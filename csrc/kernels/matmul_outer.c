/* matmul_outer.c -- see matmul_outer.h. */
#include "matmul_outer.h"

#include "../tensor/parallel.h"

CLONES static void row_float32(float *restrict out, int64_t n, float factor, const float *restrict b) {
  for (int64_t i = 0; i < n; i++) out[i] = factor * b[i];
}

CLONES static void row_float64(double *restrict out, int64_t n, double factor, const double *restrict b) {
  for (int64_t i = 0; i < n; i++) out[i] = factor * b[i];
}

void matmul_outer(dtype d, matrix out, matrix a, matrix b, double alpha) {
  for (int64_t r = 0; r < out.rows; r++) {
    int64_t to = r * out.row_stride, from = r * a.row_stride;
    if (d == DTYPE_FLOAT32)
      row_float32((float *)out.data + to, out.columns, (float)alpha * ((const float *)a.data)[from], b.data);
    else row_float64((double *)out.data + to, out.columns, alpha * ((const double *)a.data)[from], b.data);
  }
}
