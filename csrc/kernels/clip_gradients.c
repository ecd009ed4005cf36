/* clip_gradients.c -- clipping a list of gradients in place, by their common norm or by value.
**
**   norm = (sum over all gradients of |g|^p)^(1/p), or the largest |g| for p = infinity
**   g *= min(1, max_norm / (norm + 1e-6))        Pascanu, Mikolov & Bengio, ICML 2013; PyTorch's form
** Sums are double, made per chunk and added in chunk order.  A NaN anywhere makes the norm NaN. */
#include <math.h>
#include <string.h>

#include "../tensor/iterate.h"
#include "../tensor/parallel.h"
#include "optimizer.h"
#include "rows.h"

typedef struct power_sum {
  const tensor *t;
  rows rows;
  double power;
  double *partial;   /* by chunk */
  double running;
} power_sum;

CLONES static double squares_float32(int64_t n, const float *x) {
  double sum[8] = { 0 };
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int64_t j = 0; j < 8; j++) sum[j] += (double)x[i + j] * (double)x[i + j];
  for (; i < n; i++) sum[0] += (double)x[i] * (double)x[i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

/* The running sum of |x|^power, or the running maximum, which NaN wins. */
static double with_item(double running, double x, double power) {
  double size = fabs(x);
  if (isinf(power)) return size > running || isnan(size) ? size : running;
  return running + (power == 2.0 ? size * size : power == 1.0 ? size : pow(size, power));
}

static void add_piece(void *argument, int64_t n, const int64_t *at) {
  power_sum *s = argument;
  if (s->t->dtype == DTYPE_FLOAT32 && s->power == 2.0) {
    s->running += squares_float32(n, tensor_float32(s->t) + at[0]);
    return;
  }
  for (int64_t i = at[0]; i < at[0] + n; i++) {
    double x = s->t->dtype == DTYPE_FLOAT32 ? (double)tensor_float32(s->t)[i] : tensor_float64(s->t)[i];
    s->running = with_item(s->running, x, s->power);
  }
}

static void add_chunk(void *argument, int64_t begin, int64_t end) {
  power_sum mine = *(const power_sum *)argument;
  mine.running = 0.0;
  rows_walk(&mine.rows, begin, end, add_piece, &mine);
  mine.partial[begin / ROWS_GRAIN] = mine.running;
}

static double joined(double a, double b, double power) {
  if (!isinf(power)) return a + b;
  return b > a || isnan(b) ? b : a;
}

/* Adds one gradient's part to *total. */
static status add_gradient(context *c, tensor *gradient, double power, double *total) {
  tensor *dense = rows_beside(c, gradient, NULL);
  if (dense == NULL) return STATUS_NO_MEMORY;
  power_sum s = { .t = dense, .power = power };
  rows_plan(1, &dense, &s.rows);
  int64_t n = rows_items(&s.rows), n_chunks = (n + ROWS_GRAIN - 1) / ROWS_GRAIN;
  double few[16];
  size_t n_bytes = (size_t)n_chunks * sizeof *s.partial;
  s.partial = n_chunks <= 16 ? few : context_get(c, n_bytes);
  if (s.partial != NULL) {
    parallel_for(c, n, ROWS_GRAIN, add_chunk, &s);
    for (int64_t k = 0; k < n_chunks; k++) *total = joined(*total, s.partial[k], power);
    if (s.partial != few) context_put(c, s.partial, n_bytes);
  }
  tensor_release(dense);
  return s.partial != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static void scale_loop(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  const double factor = *(const double *)extra;
  float *x = (float *)(void *)data[0];
  if (step[0] == 4)
    for (int64_t i = 0; i < n; i++) x[i] *= (float)factor;
  else
    for (int64_t i = 0; i < n; i++) *(float *)(void *)(data[0] + i * step[0]) *= (float)factor;
}

static void scale_loop_float64(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  const double factor = *(const double *)extra;
  for (int64_t i = 0; i < n; i++) *(double *)(void *)(data[0] + i * step[0]) *= factor;
}

status clip_grad_norm(context *c, int n, tensor *const *gradients, double max_norm, double norm_type, double *norm) {
  double total = 0.0;
  for (int i = 0; i < n; i++) {
    status code = add_gradient(c, gradients[i], norm_type, &total);
    if (code != STATUS_OK) return code;
  }
  if (norm_type == 2.0) total = sqrt(total);
  else if (!isinf(norm_type)) total = pow(total, 1.0 / norm_type);
  *norm = total;
  double factor = max_norm / (total + 1e-6);
  if (factor >= 1.0) return STATUS_OK;
  for (int i = 0; i < n; i++) {
    tensor *g = gradients[i];
    iterate(c, 1, &g, g->dtype == DTYPE_FLOAT32 ? scale_loop : scale_loop_float64, &factor);
    atomic_fetch_add(&g->storage->version, 1);
  }
  return STATUS_OK;
}

static void clamp_loop(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  const float limit = (float)*(const double *)extra;
  for (int64_t i = 0; i < n; i++) {
    float *x = (float *)(void *)(data[0] + i * step[0]);
    *x = *x > limit ? limit : *x < -limit ? -limit : *x;
  }
}

static void clamp_loop_float64(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  const double limit = *(const double *)extra;
  for (int64_t i = 0; i < n; i++) {
    double *x = (double *)(void *)(data[0] + i * step[0]);
    *x = *x > limit ? limit : *x < -limit ? -limit : *x;
  }
}

void clip_grad_value(const context *c, int n, tensor *const *gradients, double limit) {
  for (int i = 0; i < n; i++) {
    tensor *g = gradients[i];
    iterate(c, 1, &g, g->dtype == DTYPE_FLOAT32 ? clamp_loop : clamp_loop_float64, &limit);
    atomic_fetch_add(&g->storage->version, 1);
  }
}
