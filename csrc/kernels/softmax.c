/* softmax.c -- y_i = e^(x_i - m) / sum_j e^(x_j - m) along a dim, with m the largest x.
** dx_i = y_i (dy_i - sum_j dy_j y_j). */
#include <math.h>

#include "fold.h"
#include "lines.h"
#include "vector_math.h"

CLONES static void exponentials_float32(int64_t n, float *y, const float *x, float largest) {
  for (int64_t i = 0; i < n; i++) y[i] = exp_float(x[i] - largest);
}

CLONES static void scale_float32(int64_t n, float *y, float factor) {
  for (int64_t i = 0; i < n; i++) y[i] *= factor;
}

static void forward_float32(const line *l) {
  int64_t n = l->length[0];
  float *y = l->data[0];
  const float *x = l->data[1];
  fold_value largest = fold_identity(FOLD_MAX, DTYPE_FLOAT32), sum = fold_identity(FOLD_SUM, DTYPE_FLOAT32);
  fold_row(FOLD_MAX, DTYPE_FLOAT32, n, x, &largest);
  exponentials_float32(n, y, x, (float)largest.real);
  fold_row(FOLD_SUM, DTYPE_FLOAT32, n, y, &sum);
  scale_float32(n, y, (float)(1.0 / sum.real));
}

static void exponentials_float64(int64_t n, double *y, const double *x, double largest) {
  for (int64_t i = 0; i < n; i++) y[i] = exp(x[i] - largest);
}

CLONES static void scale_float64(int64_t n, double *y, double factor) {
  for (int64_t i = 0; i < n; i++) y[i] *= factor;
}

static void forward_float64(const line *l) {
  int64_t n = l->length[0];
  double *y = l->data[0];
  const double *x = l->data[1];
  fold_value largest = fold_identity(FOLD_MAX, DTYPE_FLOAT64), sum = fold_identity(FOLD_SUM, DTYPE_FLOAT64);
  fold_row(FOLD_MAX, DTYPE_FLOAT64, n, x, &largest);
  exponentials_float64(n, y, x, largest.real);
  fold_row(FOLD_SUM, DTYPE_FLOAT64, n, y, &sum);
  scale_float64(n, y, (1.0 / sum.real));
}

static status forward(op_call *call) { return lines_forward(call, forward_float32, forward_float64); }

CLONES static void weigh_float32(int64_t n, float *dx, const float *dy, const float *y) {
  for (int64_t i = 0; i < n; i++) dx[i] = dy[i] * y[i];
}

CLONES static void subtract_float32(int64_t n, float *dx, const float *y, float sum) {
  for (int64_t i = 0; i < n; i++) dx[i] -= y[i] * sum;
}

static void backward_float32(const line *l) {
  int64_t n = l->length[0];
  fold_value sum = fold_identity(FOLD_SUM, DTYPE_FLOAT32);
  weigh_float32(n, l->data[0], l->data[1], l->data[2]);
  fold_row(FOLD_SUM, DTYPE_FLOAT32, n, l->data[0], &sum);
  subtract_float32(n, l->data[0], l->data[2], (float)sum.real);
}

CLONES static void weigh_float64(int64_t n, double *dx, const double *dy, const double *y) {
  for (int64_t i = 0; i < n; i++) dx[i] = dy[i] * y[i];
}

CLONES static void subtract_float64(int64_t n, double *dx, const double *y, double sum) {
  for (int64_t i = 0; i < n; i++) dx[i] -= y[i] * sum;
}

static void backward_float64(const line *l) {
  int64_t n = l->length[0];
  fold_value sum = fold_identity(FOLD_SUM, DTYPE_FLOAT64);
  weigh_float64(n, l->data[0], l->data[1], l->data[2]);
  fold_row(FOLD_SUM, DTYPE_FLOAT64, n, l->data[0], &sum);
  subtract_float64(n, l->data[0], l->data[2], sum.real);
}

static status backward(op_call *call) { return lines_backward(call, backward_float32, backward_float64); }

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "dim", P_DIM, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4) dim=2",
  "x=normal(3,4) dim=1",
  "x=normal(2,3,5):t dim=-2",
  "x=normal(5,7):lanes dim=1",
  "x=normal(5,7):lanes dim=2",
  "x=normal(37) dim=1",
  "bench x=normal(1000,1000) dim=2",
  NULL,
};

const op op_softmax = {
  .name = "softmax",
  .flags = OP_METHOD,
  .help = "softmax(x, dim) -> tensor\n\n"
          "exp(x) / sum(exp(x)) along dim, without overflow.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
