/* fold.h -- sums, products, maxima and minima of dense runs: the leaves of reduce.h.
**
** Accumulators are double for float32 and float64, int64_t for int64 (which wraps around).  float32 sums are
** added up in float32 for at most 16 items before they go into a double, in an order that depends on n alone.
** NaN wins in maxima and minima. */
#ifndef PERILUNE_FOLD_H
#define PERILUNE_FOLD_H

#include "../tensor/tensor.h"

typedef enum fold_kind { FOLD_SUM, FOLD_PRODUCT, FOLD_MAX, FOLD_MIN } fold_kind;

typedef union fold_value {
  double real;
  int64_t integer;
} fold_value;

fold_value fold_identity(fold_kind kind, dtype d);
/* *total = *total o x[0] o ... o x[n - 1].  d: float32, float64 or int64. */
void fold_row(fold_kind kind, dtype d, int64_t n, const void *x, fold_value *total);
/* total[i] = total[i] o x[i]. */
void fold_lanes(fold_kind kind, dtype d, int64_t n, const void *x, fold_value *total);
/* The sum of FOLD_ROWS rows, `pitch` items apart, into each total: one conversion to double for all of them. */
enum { FOLD_ROWS = 8 };
void fold_sum_rows(int64_t n, const float *x, int64_t pitch, double *total);
/* total[i] = total[i] o part[i]. */
void fold_totals(fold_kind kind, dtype d, int64_t n, const fold_value *part, fold_value *total);

#endif
