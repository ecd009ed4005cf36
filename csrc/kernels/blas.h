/* blas.h -- the only door to OpenBLAS.
**
** BLAS and LAPACK run single-threaded here: the threads are ours (parallel_for), so that results have the same
** bits for any number of them, and OpenBLAS serialises concurrent callers when it threads itself.  Whoever calls
** this file's products or LAPACK stands between blas_enter and blas_leave, on the thread that starts the
** parallel region:
**
**     blas_region region = blas_enter();
**     parallel_for(...);                   the body calls blas_product
**     blas_leave(region);
**
** A host's own setting is left as found, for each way in which Debian builds OpenBLAS 0.3.21:
**   pthread   its number of threads is one variable of the process.  The first region in sets it to 1 and the
**             last one out puts back what it found, unless the host changed it meanwhile.  That needs the one
**             mutable static of this library, a counter behind a mutex: the variable that it guards is the
**             process's own, so one for each context could not do.  Setting is a plain store (10 ns for there
**             and back; no thread is started or stopped), entering and leaving 40 ns.
**   openmp    follows the calling thread's OpenMP setting: that of the caller is set to 1 meanwhile, that of our
**             own threads for good (pool.c).
**   serial    nothing to do.
** Regions may be nested and may run on several threads at once.
** BLAS takes 32-bit sizes: the callers have checked theirs with blas_fits. */
#ifndef PERILUNE_BLAS_H
#define PERILUNE_BLAS_H

#include "../tensor/tensor.h"

typedef struct blas_region { int found; } blas_region;

blas_region blas_enter(void);
void blas_leave(blas_region region);

/* rows x columns elements; strides count elements. */
typedef struct matrix {
  void *data;
  int64_t rows, columns;
  int64_t row_stride, column_stride;
} matrix;

static inline matrix matrix_transposed(matrix m) {
  return (matrix){ m.data, m.columns, m.rows, m.column_stride, m.row_stride };
}

/* height x width of m from (row, column) on, in elements of `size` bytes. */
static inline matrix matrix_block(matrix m, size_t size, int64_t row, int64_t height, int64_t column, int64_t width) {
  char *data = (char *)m.data + (row * m.row_stride + column * m.column_stride) * (int64_t)size;
  return (matrix){ data, height, width, m.row_stride, m.column_stride };
}

/* Dimensions of size 1 get a stride that BLAS accepts. */
static inline matrix matrix_normal(matrix m) {
  if (m.rows <= 1) m.row_stride = m.column_stride == 1 ? (m.columns > 1 ? m.columns : 1) : 1;
  if (m.columns <= 1) m.column_stride = m.row_stride == 1 ? (m.rows > 1 ? m.rows : 1) : 1;
  return m;
}

/* One stride is 1 and the other steps over it: BLAS takes it as it lies. */
static inline bool matrix_is_plain(matrix m) {
  return (m.column_stride == 1 && m.row_stride >= m.columns && m.row_stride >= 1) ||
         (m.row_stride == 1 && m.column_stride >= m.rows && m.column_stride >= 1);
}

static inline bool blas_fits(int64_t size) { return size >= 0 && size <= INT32_MAX; }

/* out = alpha a b + beta out; out is not read when beta is 0.  float32 or float64; a and b are plain, out has
** column_stride 1, every size and stride fits.  May be called from a parallel_body.  Cannot fail. */
void blas_product(dtype d, matrix out, matrix a, matrix b, double alpha, double beta);

#endif
