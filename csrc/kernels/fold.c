/* fold.c -- sums, products, maxima and minima of dense runs.  See fold.h. */
#include "fold.h"

#include <math.h>

#include "../tensor/parallel.h"

enum { LANES = 64, ROUNDS = 16 };

fold_value fold_identity(fold_kind kind, dtype d) {
  bool real = dtype_is_float(d);
  switch (kind) {
    case FOLD_PRODUCT: return real ? (fold_value){ .real = 1.0 } : (fold_value){ .integer = 1 };
    case FOLD_MAX: return real ? (fold_value){ .real = -INFINITY } : (fold_value){ .integer = INT64_MIN };
    case FOLD_MIN: return real ? (fold_value){ .real = INFINITY } : (fold_value){ .integer = INT64_MAX };
    default: return real ? (fold_value){ .real = 0.0 } : (fold_value){ .integer = 0 };
  }
}

static double larger(double a, double b) { return a > b || a != a ? a : b; }
static double smaller(double a, double b) { return a < b || a != a ? a : b; }
static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }
static int64_t times(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }

/* -- rows -- */

/* n < LANES */
static inline double sum_few(int64_t n, const float *x) {
  float lane[8] = { 0.0f };
  double sum = 0.0;
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int j = 0; j < 8; j++) lane[j] += x[i + j];
  for (int j = 0; j < 8; j++) sum += (double)lane[j];
  for (; i < n; i++) sum += (double)x[i];
  return sum;
}

CLONES static double sum_float32(int64_t n, const float *x) {
  double total[LANES], sum = 0.0;
  int64_t i = 0, whole = n / LANES * LANES;
  for (int j = 0; j < LANES && whole > 0; j++) total[j] = 0.0;
  while (i < whole) {
    float lane[LANES] = { 0.0f };
    int64_t end = whole - i > LANES * ROUNDS ? i + LANES * ROUNDS : whole;
    for (; i < end; i += LANES)
      for (int j = 0; j < LANES; j++) lane[j] += x[i + j];
    for (int j = 0; j < LANES; j++) total[j] += (double)lane[j];
  }
  if (whole > 0) {
    for (int width = LANES / 2; width > 0; width /= 2)
      for (int j = 0; j < width; j++) total[j] += total[j + width];
    sum = total[0];
  }
  return sum + sum_few(n - i, x + i);
}

CLONES static double sum_float64(int64_t n, const double *x) {
  enum { WIDE = 16 };
  double lane[WIDE] = { 0.0 }, sum = 0.0;
  int64_t i = 0;
  for (; i + WIDE <= n; i += WIDE)
    for (int j = 0; j < WIDE; j++) lane[j] += x[i + j];
  if (i > 0)
    for (int j = 0; j < WIDE; j++) sum += lane[j];
  for (; i < n; i++) sum += x[i];
  return sum;
}

CLONES static double product_float32(int64_t n, const float *x) {
  enum { WIDE = 32 };
  double lane[WIDE], product = 1.0;
  int64_t i = 0;
  for (int j = 0; j < WIDE; j++) lane[j] = 1.0;
  for (; i + WIDE <= n; i += WIDE)
    for (int j = 0; j < WIDE; j++) lane[j] *= (double)x[i + j];
  for (int j = 0; j < WIDE && i > 0; j++) product *= lane[j];
  for (; i < n; i++) product *= (double)x[i];
  return product;
}

/* sign = 1: the largest, -1: the smallest (found among -x). */
CLONES static double extreme_float32(int64_t n, const float *x, float sign) {
  enum { WIDE = 32 };
  float lane[WIDE], best = -INFINITY;
  int64_t i = 0;
  if (n >= WIDE)
    for (int j = 0; j < WIDE; j++) lane[j] = -INFINITY;
  for (; i + WIDE <= n; i += WIDE) {
    for (int j = 0; j < WIDE; j++) {
      float item = sign * x[i + j];
      float kept = lane[j] != lane[j] ? lane[j] : item;
      lane[j] = lane[j] >= item ? lane[j] : kept;
    }
  }
  if (i > 0)
    for (int j = 0; j < WIDE; j++) best = lane[j] > best || lane[j] != lane[j] ? lane[j] : best;
  for (; i < n; i++) best = sign * x[i] > best || x[i] != x[i] ? sign * x[i] : best;
  return (double)(sign * best);
}

static void row_float32(fold_kind kind, int64_t n, const float *x, fold_value *total) {
  double value = total->real;
  switch (kind) {
    case FOLD_SUM: value += sum_float32(n, x); break;
    case FOLD_PRODUCT: value *= product_float32(n, x); break;
    case FOLD_MAX: value = larger(value, extreme_float32(n, x, 1.0f)); break;
    case FOLD_MIN: value = smaller(value, extreme_float32(n, x, -1.0f)); break;
  }
  total->real = value;
}

static void row_float64(fold_kind kind, int64_t n, const double *x, fold_value *total) {
  double value = total->real;
  switch (kind) {
    case FOLD_SUM: value += sum_float64(n, x); break;
    case FOLD_PRODUCT: for (int64_t i = 0; i < n; i++) value *= x[i]; break;
    case FOLD_MAX: for (int64_t i = 0; i < n; i++) value = larger(value, x[i]); break;
    case FOLD_MIN: for (int64_t i = 0; i < n; i++) value = smaller(value, x[i]); break;
  }
  total->real = value;
}

static void row_int64(fold_kind kind, int64_t n, const int64_t *x, fold_value *total) {
  int64_t value = total->integer;
  switch (kind) {
    case FOLD_SUM: for (int64_t i = 0; i < n; i++) value = plus(value, x[i]); break;
    case FOLD_PRODUCT: for (int64_t i = 0; i < n; i++) value = times(value, x[i]); break;
    case FOLD_MAX: for (int64_t i = 0; i < n; i++) value = x[i] > value ? x[i] : value; break;
    case FOLD_MIN: for (int64_t i = 0; i < n; i++) value = x[i] < value ? x[i] : value; break;
  }
  total->integer = value;
}

void fold_row(fold_kind kind, dtype d, int64_t n, const void *x, fold_value *total) {
  if (d == DTYPE_FLOAT32) row_float32(kind, n, x, total);
  else if (d == DTYPE_FLOAT64) row_float64(kind, n, x, total);
  else row_int64(kind, n, x, total);
}

/* -- lanes -- */

CLONES static void lanes_float32(fold_kind kind, int64_t n, const float *x, double *total) {
  switch (kind) {
    case FOLD_SUM: for (int64_t i = 0; i < n; i++) total[i] += (double)x[i]; break;
    case FOLD_PRODUCT: for (int64_t i = 0; i < n; i++) total[i] *= (double)x[i]; break;
    case FOLD_MAX: for (int64_t i = 0; i < n; i++) total[i] = larger(total[i], (double)x[i]); break;
    case FOLD_MIN: for (int64_t i = 0; i < n; i++) total[i] = smaller(total[i], (double)x[i]); break;
  }
}

CLONES static void lanes_float64(fold_kind kind, int64_t n, const double *x, double *total) {
  switch (kind) {
    case FOLD_SUM: for (int64_t i = 0; i < n; i++) total[i] += x[i]; break;
    case FOLD_PRODUCT: for (int64_t i = 0; i < n; i++) total[i] *= x[i]; break;
    case FOLD_MAX: for (int64_t i = 0; i < n; i++) total[i] = larger(total[i], x[i]); break;
    case FOLD_MIN: for (int64_t i = 0; i < n; i++) total[i] = smaller(total[i], x[i]); break;
  }
}

CLONES static void lanes_int64(fold_kind kind, int64_t n, const int64_t *x, int64_t *total) {
  switch (kind) {
    case FOLD_SUM: for (int64_t i = 0; i < n; i++) total[i] = plus(total[i], x[i]); break;
    case FOLD_PRODUCT: for (int64_t i = 0; i < n; i++) total[i] = times(total[i], x[i]); break;
    case FOLD_MAX: for (int64_t i = 0; i < n; i++) total[i] = x[i] > total[i] ? x[i] : total[i]; break;
    case FOLD_MIN: for (int64_t i = 0; i < n; i++) total[i] = x[i] < total[i] ? x[i] : total[i]; break;
  }
}

void fold_lanes(fold_kind kind, dtype d, int64_t n, const void *x, fold_value *total) {
  if (d == DTYPE_FLOAT32) lanes_float32(kind, n, x, &total->real);
  else if (d == DTYPE_FLOAT64) lanes_float64(kind, n, x, &total->real);
  else lanes_int64(kind, n, x, &total->integer);
}

CLONES void fold_sum_rows(int64_t n, const float *x, int64_t pitch, double *total) {
  for (int64_t i = 0; i < n; i++) {
    float a = (x[i] + x[i + pitch]) + (x[i + 2 * pitch] + x[i + 3 * pitch]);
    float b = (x[i + 4 * pitch] + x[i + 5 * pitch]) + (x[i + 6 * pitch] + x[i + 7 * pitch]);
    total[i] += (double)(a + b);
  }
}

void fold_totals(fold_kind kind, dtype d, int64_t n, const fold_value *part, fold_value *total) {
  fold_lanes(kind, dtype_is_float(d) ? DTYPE_FLOAT64 : DTYPE_INT64, n, part, total);
}
