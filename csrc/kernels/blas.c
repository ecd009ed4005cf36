/* blas.c -- see blas.h. */
#include "blas.h"

#include <cblas.h>
#include <pthread.h>

/* There when OpenBLAS was built on OpenMP, and only called then. */
extern int omp_get_max_threads(void) __attribute__((weak));
extern void omp_set_num_threads(int n) __attribute__((weak));

/* openblas_get_parallel's answers */
enum { FLAVOUR_SERIAL = 0, FLAVOUR_PTHREAD = 1, FLAVOUR_OPENMP = 2 };

static struct {
  pthread_mutex_t lock;
  int users;    /* regions that are open in the whole process */
  int found;    /* the host's number of threads, while users > 0 */
} guard = { PTHREAD_MUTEX_INITIALIZER, 0, 0 };

static void guard_enter(void) {
  pthread_mutex_lock(&guard.lock);
  if (guard.users++ == 0) {
    guard.found = openblas_get_num_threads();
    if (guard.found != 1) openblas_set_num_threads(1);
  }
  pthread_mutex_unlock(&guard.lock);
}

static void guard_leave(void) {
  pthread_mutex_lock(&guard.lock);
  if (--guard.users == 0 && guard.found != 1 && openblas_get_num_threads() == 1)
    openblas_set_num_threads(guard.found);
  pthread_mutex_unlock(&guard.lock);
}

blas_region blas_enter(void) {
  blas_region region = { 0 };
  int flavour = openblas_get_parallel();
  if (flavour == FLAVOUR_PTHREAD) guard_enter();
  if (flavour == FLAVOUR_OPENMP) {
    region.found = omp_get_max_threads();
    omp_set_num_threads(1);
  }
  return region;
}

void blas_leave(blas_region region) {
  int flavour = openblas_get_parallel();
  if (flavour == FLAVOUR_PTHREAD) guard_leave();
  if (flavour == FLAVOUR_OPENMP) omp_set_num_threads(region.found);
}

/* -- products -- */

static CBLAS_TRANSPOSE order_of(matrix m) {
  return m.column_stride == 1 && m.row_stride >= m.columns ? CblasNoTrans : CblasTrans;
}

static int leading_of(matrix m) {
  return (int)(order_of(m) == CblasNoTrans ? m.row_stride : m.column_stride);
}

void blas_product(dtype d, matrix out, matrix a, matrix b, double alpha, double beta) {
  int rows = (int)out.rows, columns = (int)out.columns, depth = (int)a.columns;
  int leading = (int)(out.rows > 1 ? out.row_stride : (out.columns > 1 ? out.columns : 1));
  if (d == DTYPE_FLOAT32)
    cblas_sgemm(CblasRowMajor, order_of(a), order_of(b), rows, columns, depth, (float)alpha, a.data,
                leading_of(a), b.data, leading_of(b), (float)beta, out.data, leading);
  else
    cblas_dgemm(CblasRowMajor, order_of(a), order_of(b), rows, columns, depth, alpha, a.data, leading_of(a),
                b.data, leading_of(b), beta, out.data, leading);
}
