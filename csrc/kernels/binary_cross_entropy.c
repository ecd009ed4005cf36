/* binary_cross_entropy.c -- x a probability, w a weight (1 without one):
**   y  = -w (t max(log x, -100) + (1 - t) max(log(1 - x), -100)), its mean or sum
**   dx = w (x - t) / max(x (1 - x), 1e-12);   dt = w (log(1 - x) - log x), the logarithms bounded likewise
** The bounds are PyTorch's.  It leaves the second pair unbounded; with the bound dt is finite at x = 0 and 1. */
#include <math.h>

#include "../tensor/parallel.h"
#include "rows.h"
#include "vector_math.h"
#include "loss.h"

/* max(l, -100), which NaN passes. */
VECTOR_MATH float bounded_float32(float l) { return l < -100.0f ? -100.0f : l; }
VECTOR_MATH double bounded_float64(double l) { return l < -100.0 ? -100.0 : l; }

CLONES static void value_float32(int64_t n, void *out, const void *const *in, double k) {
  const float *restrict x = in[0], *restrict t = in[1];
  float *restrict y = out;
  (void)k;
  const float *restrict weight = in[2];
  for (int64_t i = 0; i < n; i++)
    y[i] = (t[i] - 1.0f) * bounded_float32(log1p_float(-x[i])) - t[i] * bounded_float32(log_float(x[i]));
  if (weight != NULL)
    for (int64_t i = 0; i < n; i++) y[i] *= weight[i];
}

CLONES static void value_float64(int64_t n, void *out, const void *const *in, double k) {
  const double *restrict x = in[0], *restrict t = in[1];
  double *restrict y = out;
  (void)k;
  const double *restrict weight = in[2];
  for (int64_t i = 0; i < n; i++)
    y[i] = (t[i] - 1.0) * bounded_float64(log1p(-x[i])) - t[i] * bounded_float64(log(x[i]));
  if (weight != NULL)
    for (int64_t i = 0; i < n; i++) y[i] *= weight[i];
}

CLONES static void slope_float32(int64_t n, void *out, const void *const *in, double k) {
  const float *restrict x = in[0], *restrict t = in[1];
  float *restrict y = out;
  (void)k;
  const float *restrict weight = in[2];
  for (int64_t i = 0; i < n; i++) {
    float spread = (1.0f - x[i]) * x[i];
    y[i] = (x[i] - t[i]) / (spread < 1e-12f ? 1e-12f : spread);
  }
  if (weight != NULL)
    for (int64_t i = 0; i < n; i++) y[i] *= weight[i];
}

CLONES static void slope_float64(int64_t n, void *out, const void *const *in, double k) {
  const double *restrict x = in[0], *restrict t = in[1];
  double *restrict y = out;
  (void)k;
  const double *restrict weight = in[2];
  for (int64_t i = 0; i < n; i++) {
    double spread = (1.0 - x[i]) * x[i];
    y[i] = (x[i] - t[i]) / (spread < 1e-12 ? 1e-12 : spread);
  }
  if (weight != NULL)
    for (int64_t i = 0; i < n; i++) y[i] *= weight[i];
}

CLONES static void target_slope_float32(int64_t n, void *out, const void *const *in, double k) {
  const float *restrict x = in[0], *restrict t = in[1];
  float *restrict y = out;
  (void)k;
  const float *restrict weight = in[2];
  (void)t;
  for (int64_t i = 0; i < n; i++) y[i] = bounded_float32(log1p_float(-x[i])) - bounded_float32(log_float(x[i]));
  if (weight != NULL)
    for (int64_t i = 0; i < n; i++) y[i] *= weight[i];
}

CLONES static void target_slope_float64(int64_t n, void *out, const void *const *in, double k) {
  const double *restrict x = in[0], *restrict t = in[1];
  double *restrict y = out;
  (void)k;
  const double *restrict weight = in[2];
  (void)t;
  for (int64_t i = 0; i < n; i++) y[i] = bounded_float64(log1p(-x[i])) - bounded_float64(log(x[i]));
  if (weight != NULL)
    for (int64_t i = 0; i < n; i++) y[i] *= weight[i];
}

/* -- x must be a probability -- */

typedef struct range_check {
  const tensor *x;
  rows rows;
  bool holds;
} range_check;

CLONES static bool within_float32(int64_t n, const float *x) {
  int outside = 0;
  for (int64_t i = 0; i < n; i++) outside |= !(x[i] >= 0.0f && x[i] <= 1.0f);
  return outside == 0;
}

static bool within_float64(int64_t n, const double *x) {
  for (int64_t i = 0; i < n; i++)
    if (!(x[i] >= 0.0 && x[i] <= 1.0)) return false;
  return true;
}

static void check_piece(void *argument, int64_t n, const int64_t *at) {
  range_check *r = argument;
  if (r->x->dtype == DTYPE_FLOAT32) r->holds = within_float32(n, tensor_float32(r->x) + at[0]) && r->holds;
  else r->holds = within_float64(n, tensor_float64(r->x) + at[0]) && r->holds;
}

static status require_probabilities(op_call *call) {
  tensor *x = call->inputs[0];
  if (!dtype_is_float(x->dtype)) return STATUS_OK;   /* loss_forward says so */
  range_check r = { .x = rows_beside(call->context, x, NULL), .holds = true };
  if (r.x == NULL) return STATUS_NO_MEMORY;
  tensor *walked = (tensor *)(uintptr_t)r.x;
  rows_plan(1, &walked, &r.rows);
  rows_walk(&r.rows, 0, rows_items(&r.rows), check_piece, &r);
  tensor_release(walked);
  if (r.holds) return STATUS_OK;
  return op_fail(call, "every element of input must lie in [0, 1]");
}

static const loss definition = {
  .value = { value_float32, value_float64 },
  .slope = { slope_float32, slope_float64 },
  .target_slope = { target_slope_float32, target_slope_float64 },
};

static status forward(op_call *call) {
  status code = require_probabilities(call);
  if (code != STATUS_OK) return code;
  return loss_forward(call, &definition, call->values[0].integer, 0.0);
}

static status backward(op_call *call) {
  return loss_backward(call, &definition, call->values[0].integer, 0.0);
}

static const parameter parameters[] = {
  { "input", P_TENSOR, 0, NULL, NULL },
  { "target", P_TENSOR, 0, NULL, NULL },
  { "weight", P_TENSOR_OR_NIL, CONSTANT, NULL, NULL },
  { "reduction", P_CHOICE, OPTION, "mean", "none|mean|sum" },
  { .name = NULL },
};

static const char *const samples[] = {
  "input=unit(4,3,5) target=unit(4,3,5)",
  "input=unit(3,2,4,4):lanes target=unit(3,2,4,4):lanes reduction=sum",
  "input=unit(5,7):t target=unit(5,7) weight=positive(7) reduction=none",
  "input=unit(3,2,2) target=unit(3,2,2) weight=positive(3,1,2)",
  "bench input=unit(256,1,28,28):lanes target=unit(256,1,28,28):lanes",
  NULL,
};

const op op_binary_cross_entropy = {
  .name = "binary_cross_entropy",
  .flags = OP_FUNCTIONAL,
  .help = "binary_cross_entropy(input, target [, weight [, { reduction = \"mean\" }]]) -> tensor\n\n"
          "-(t log x + (1 - t) log(1 - x)) for probabilities x, the logarithms bounded at -100; weight broadcasts to the "
          "input.  Differentiable in input and target.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
