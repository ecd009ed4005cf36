/* binary_cross_entropy_with_logits.c -- x a logit, w a weight, p the weight of the positive class (1 without them):
**   s = softplus(-x) = max(-x, 0) + log(1 + e^-|x|);   y = w ((1 - t) x + (1 + (p - 1) t) s), its mean or sum
**   dx = w ((p t + 1 - t) sigmoid(x) - p t);   dt = w ((p - 1) s - x)
** p is tested outside of the loops: inside, gcc makes masked loads of it, which are very slow where it is NULL. */
#include <math.h>

#include "../tensor/parallel.h"
#include "vector_math.h"
#include "loss.h"

VECTOR_MATH float softplus_float32(float x) { return (x > 0.0f ? x : 0.0f) + log1p_float(exp_float(-fabsf(x))); }
VECTOR_MATH double softplus_float64(double x) { return (x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x))); }

CLONES static void value_float32(int64_t n, void *out, const void *const *in, double k) {
  const float *restrict x = in[0], *restrict t = in[1];
  float *restrict y = out;
  (void)k;
  const float *restrict weight = in[2], *restrict positive = in[3];
  if (positive == NULL)
    for (int64_t i = 0; i < n; i++) y[i] = (1.0f - t[i]) * x[i] + softplus_float32(-x[i]);
  else
    for (int64_t i = 0; i < n; i++)
      y[i] = (1.0f - t[i]) * x[i] + (1.0f + (positive[i] - 1.0f) * t[i]) * softplus_float32(-x[i]);
  if (weight != NULL)
    for (int64_t i = 0; i < n; i++) y[i] *= weight[i];
}

CLONES static void value_float64(int64_t n, void *out, const void *const *in, double k) {
  const double *restrict x = in[0], *restrict t = in[1];
  double *restrict y = out;
  (void)k;
  const double *restrict weight = in[2], *restrict positive = in[3];
  for (int64_t i = 0; i < n; i++) {
    double factor = positive != NULL ? 1.0 + (positive[i] - 1.0) * t[i] : 1.0;
    y[i] = (1.0 - t[i]) * x[i] + factor * softplus_float64(-x[i]);
  }
  if (weight != NULL)
    for (int64_t i = 0; i < n; i++) y[i] *= weight[i];
}

CLONES static void slope_float32(int64_t n, void *out, const void *const *in, double k) {
  const float *restrict x = in[0], *restrict t = in[1];
  float *restrict y = out;
  (void)k;
  const float *restrict weight = in[2], *restrict positive = in[3];
  if (positive == NULL)
    for (int64_t i = 0; i < n; i++) y[i] = sigmoid_float(x[i]) - t[i];
  else
    for (int64_t i = 0; i < n; i++) {
      float hit = positive[i] * t[i];
      y[i] = (hit + 1.0f - t[i]) * sigmoid_float(x[i]) - hit;
    }
  if (weight != NULL)
    for (int64_t i = 0; i < n; i++) y[i] *= weight[i];
}

CLONES static void slope_float64(int64_t n, void *out, const void *const *in, double k) {
  const double *restrict x = in[0], *restrict t = in[1];
  double *restrict y = out;
  (void)k;
  const double *restrict weight = in[2], *restrict positive = in[3];
  for (int64_t i = 0; i < n; i++) {
    double hit = positive != NULL ? positive[i] * t[i] : t[i];
    y[i] = (hit + 1.0 - t[i]) / (1.0 + exp(-x[i])) - hit;
  }
  if (weight != NULL)
    for (int64_t i = 0; i < n; i++) y[i] *= weight[i];
}

CLONES static void target_slope_float32(int64_t n, void *out, const void *const *in, double k) {
  const float *restrict x = in[0], *restrict t = in[1];
  float *restrict y = out;
  (void)k;
  const float *restrict weight = in[2], *restrict positive = in[3];
  (void)t;
  if (positive == NULL)
    for (int64_t i = 0; i < n; i++) y[i] = -x[i];
  else
    for (int64_t i = 0; i < n; i++) y[i] = (positive[i] - 1.0f) * softplus_float32(-x[i]) - x[i];
  if (weight != NULL)
    for (int64_t i = 0; i < n; i++) y[i] *= weight[i];
}

CLONES static void target_slope_float64(int64_t n, void *out, const void *const *in, double k) {
  const double *restrict x = in[0], *restrict t = in[1];
  double *restrict y = out;
  (void)k;
  const double *restrict weight = in[2], *restrict positive = in[3];
  (void)t;
  for (int64_t i = 0; i < n; i++)
    y[i] = (positive != NULL ? (positive[i] - 1.0) * softplus_float64(-x[i]) : 0.0) - x[i];
  if (weight != NULL)
    for (int64_t i = 0; i < n; i++) y[i] *= weight[i];
}

static const loss definition = {
  .value = { value_float32, value_float64 },
  .slope = { slope_float32, slope_float64 },
  .target_slope = { target_slope_float32, target_slope_float64 },
};

static status forward(op_call *call) {
  return loss_forward(call, &definition, call->values[0].integer, 0.0);
}

static status backward(op_call *call) {
  return loss_backward(call, &definition, call->values[0].integer, 0.0);
}

static const parameter parameters[] = {
  { "input", P_TENSOR, 0, NULL, NULL },
  { "target", P_TENSOR, 0, NULL, NULL },
  { "weight", P_TENSOR_OR_NIL, CONSTANT, NULL, NULL },
  { "pos_weight", P_TENSOR_OR_NIL, CONSTANT, NULL, NULL },
  { "reduction", P_CHOICE, OPTION, "mean", "none|mean|sum" },
  { .name = NULL },
};

static const char *const samples[] = {
  "input=normal(4,3,5) target=unit(4,3,5)",
  "input=normal(3,2,4,4):lanes target=unit(3,2,4,4):lanes pos_weight=positive(2,1,1) reduction=sum",
  "input=normal(5,7):t target=unit(5,7) weight=positive(7) pos_weight=positive(5,7) reduction=none",
  "input=normal(3,2,2) target=unit(3,2,2) weight=positive(3,1,2)",
  "bench input=normal(256,1,28,28):lanes target=unit(256,1,28,28):lanes",
  NULL,
};

const op op_binary_cross_entropy_with_logits = {
  .name = "binary_cross_entropy_with_logits",
  .flags = OP_FUNCTIONAL,
  .help = "binary_cross_entropy_with_logits(input, target [, weight [, pos_weight [, { reduction = \"mean\" }]]]) -> tensor\n\n"
          "binary_cross_entropy(sigmoid(input), target), computed without overflow; pos_weight multiplies the part of "
          "the positive class; both weights broadcast to the input.  Differentiable in input and target.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
