/* spectrum.c -- the largest eigenvalues of a symmetric matrix and their eigenvectors.
**
** All of them: divide and conquer (LAPACK's syevd).  A few of them: tridiagonal form, only the wanted eigenpairs of
** that (multiple relatively robust representations; Dhillon & Parlett 2004), and those turned back: of 784 the largest
** 50 cost less than half. */
#include <string.h>

#include "../kernels/blas.h"
#include "../kernels/lapack.h"
#include "decomposition.h"

static status failed(context *c, int info) {
  if (info == LAPACK_NO_MEMORY) return STATUS_NO_MEMORY;
  if (info == LAPACK_TOO_LARGE)
    return context_fail(c, STATUS_INVALID, "PCA: the covariance is too large for LAPACK's 32-bit sizes");
  return context_fail(c, STATUS_INVALID, "PCA: the eigenvectors were not found (LAPACK's info is %d)", info);
}

/* values (k) and vectors (k, d) of the last k, ascending -> largest first. */
static void turn_round(double *values, double *vectors, int64_t d, int64_t k) {
  for (int64_t i = 0, j = k - 1; i < j; i++, j--) {
    double value = values[i];
    values[i] = values[j];
    values[j] = value;
    for (int64_t f = 0; f < d; f++) {
      double item = vectors[i * d + f];
      vectors[i * d + f] = vectors[j * d + f];
      vectors[j * d + f] = item;
    }
  }
}

/* LAPACK's upper triangle is C's lower one. */
static void mirror(double *symmetric, int64_t d) {
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j < i; j++) symmetric[i * d + j] = symmetric[j * d + i];
}

static int all_of_them(context *c, double *symmetric, int64_t d, int64_t k, double *values, double *vectors) {
  size_t n_bytes = (size_t)d * sizeof(double);
  double *all = context_get(c, n_bytes);
  if (all == NULL) return LAPACK_NO_MEMORY;
  mirror(symmetric, d);
  int info = lapack_syevd(c, DTYPE_FLOAT64, true, (int)d, symmetric, all);
  if (info == 0) {
    memcpy(values, all + d - k, (size_t)k * sizeof *values);
    memcpy(vectors, symmetric + (d - k) * d, (size_t)(k * d) * sizeof *vectors);
  }
  context_put(c, all, n_bytes);
  return info;
}

status largest_eigenvectors(context *c, double *symmetric, int64_t d, int64_t k, double *values, double *vectors) {
  if (!blas_fits(d * d)) return failed(c, LAPACK_TOO_LARGE);
  blas_region region = blas_enter();
  int info = 3 * k > d ? all_of_them(c, symmetric, d, k, values, vectors)
                       : lapack_syev_largest(c, (int)d, (int)k, symmetric, values, vectors);
  blas_leave(region);
  if (info != 0) return failed(c, info);
  turn_round(values, vectors, d, k);
  return STATUS_OK;
}
