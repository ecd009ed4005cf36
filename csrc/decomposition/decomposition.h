/* decomposition.h -- the stages of principal component analysis, each a function of plain arrays.
**
**   n   rows (samples)        d   their features        k   components
**
** A stage allocates only what its comment says, through the context, and gives the same bits for any number of
** threads. */
#ifndef PERILUNE_DECOMPOSITION_H
#define PERILUNE_DECOMPOSITION_H

#include "../tensor/tensor.h"

/* n rows of d features, `stride` elements apart; dtype uint8, float32 or float64. */
typedef struct rows {
  const void *data;
  dtype dtype;
  int64_t n, d, stride;
} rows;

/* to (n, depth), its rows to_stride apart: features feature .. of rows first .. of x, minus their mean (of all d).
** mean and to are float64 where x is, else float32.  A leaf. */
void centred(const rows *x, const void *mean, int64_t first, int64_t n, int64_t feature, int64_t depth, void *to,
             int64_t to_stride);

/* mean (d) of the rows, and scatter (d, d), unless it is NULL: the sum over the rows of (x - mean)(x - mean)', on and
** above the diagonal; what is below is no result.
** One pass over x, n >= 1; what is not finite in a column makes its mean and its part of the scatter so.
** Allocates two blocks of 2,048 rows. */
status moments(context *c, const rows *x, double *mean, double *scatter);

/* The k largest eigenvalues of a symmetric matrix (d, d) of finite numbers, read on and above the diagonal, largest
** first, and the eigenvectors, one a row of vectors (k, d), unit length.  The matrix is destroyed.
** Allocates some 50 d numbers for a few eigenvectors, 2 d^2 for many. */
status largest_eigenvectors(context *c, double *symmetric, int64_t d, int64_t k, double *values, double *vectors);

/* out (min(n, d), d): upper triangular (trapezoidal), with out' out = (x - mean)' (x - mean); without a product of x
** with itself, which would square the condition.  dtypes as of project.  Allocates up to 8 blocks of 4,096 rows and
** n / 2,048 matrices (d, d). */
status triangle(context *c, const rows *x, const void *mean, dtype d, void *out);

/* out (n, k) = (x - mean) basis', basis (k, d), mean (d): all of one dtype, float64, or float32 where x may be uint8.
** x is never copied as a whole.  Allocates a copy of the basis. */
status project(context *c, const rows *x, const void *mean, const void *basis, int64_t k, dtype d, void *out);

#endif
