/* kl_div.c -- Kullback-Leibler divergence by element, x = log of the model's probability:
**   y = t (log t - x), 0 where t = 0;   log_target: y = e^t (t - x);   their mean, sum, or sum / batch size
**   dx = -t or -e^t;   dt = log t + 1 - x or e^t (t - x + 1) */
#include <math.h>

#include "../tensor/parallel.h"
#include "vector_math.h"
#include "loss.h"

CLONES static void value_float32(int64_t n, void *out, const void *const *in, double k) {
  const float *restrict x = in[0], *restrict t = in[1];
  float *restrict y = out;
  if (k > 0.0)
    for (int64_t i = 0; i < n; i++) y[i] = exp_float(t[i]) * (t[i] - x[i]);
  else
    for (int64_t i = 0; i < n; i++) y[i] = (t[i] == 0.0f ? 0.0f : t[i] * log_float(t[i])) - t[i] * x[i];
}

CLONES static void value_float64(int64_t n, void *out, const void *const *in, double k) {
  const double *restrict x = in[0], *restrict t = in[1];
  double *restrict y = out;
  if (k > 0.0)
    for (int64_t i = 0; i < n; i++) y[i] = exp(t[i]) * (t[i] - x[i]);
  else
    for (int64_t i = 0; i < n; i++) y[i] = (t[i] == 0.0 ? 0.0 : t[i] * log(t[i])) - t[i] * x[i];
}

CLONES static void slope_float32(int64_t n, void *out, const void *const *in, double k) {
  const float *restrict x = in[0], *restrict t = in[1];
  float *restrict y = out;
  (void)x;
  if (k > 0.0)
    for (int64_t i = 0; i < n; i++) y[i] = -exp_float(t[i]);
  else
    for (int64_t i = 0; i < n; i++) y[i] = -t[i];
}

CLONES static void slope_float64(int64_t n, void *out, const void *const *in, double k) {
  const double *restrict x = in[0], *restrict t = in[1];
  double *restrict y = out;
  (void)x;
  if (k > 0.0)
    for (int64_t i = 0; i < n; i++) y[i] = -exp(t[i]);
  else
    for (int64_t i = 0; i < n; i++) y[i] = -t[i];
}

CLONES static void target_slope_float32(int64_t n, void *out, const void *const *in, double k) {
  const float *restrict x = in[0], *restrict t = in[1];
  float *restrict y = out;
  if (k > 0.0)
    for (int64_t i = 0; i < n; i++) y[i] = exp_float(t[i]) * (t[i] - x[i] + 1.0f);
  else
    for (int64_t i = 0; i < n; i++) y[i] = log_float(t[i]) + 1.0f - x[i];
}

CLONES static void target_slope_float64(int64_t n, void *out, const void *const *in, double k) {
  const double *restrict x = in[0], *restrict t = in[1];
  double *restrict y = out;
  if (k > 0.0)
    for (int64_t i = 0; i < n; i++) y[i] = exp(t[i]) * (t[i] - x[i] + 1.0);
  else
    for (int64_t i = 0; i < n; i++) y[i] = log(t[i]) + 1.0 - x[i];
}

static const loss definition = {
  .value = { value_float32, value_float64 },
  .slope = { slope_float32, slope_float64 },
  .target_slope = { target_slope_float32, target_slope_float64 },
};

static status forward(op_call *call) {
  return loss_forward(call, &definition, call->values[1].integer, call->values[0].flag ? 1.0 : 0.0);
}

static status backward(op_call *call) {
  return loss_backward(call, &definition, call->values[1].integer, call->values[0].flag ? 1.0 : 0.0);
}

static const parameter parameters[] = {
  { "input", P_TENSOR, 0, NULL, NULL },
  { "target", P_TENSOR, 0, NULL, NULL },
  { "log_target", P_FLAG, OPTION, "false", NULL },
  { "reduction", P_CHOICE, OPTION, "mean", "none|mean|sum|batchmean" },
  { .name = NULL },
};

static const char *const samples[] = {
  "input=normal(4,3,5) target=unit(4,3,5)",
  "input=normal(3,2,4,4):lanes target=unit(3,2,4,4):lanes reduction=batchmean",
  "input=normal(5,7):t target=normal(5,7) log_target=true reduction=none",
  "input=normal(5,7) target=unit(5,7) reduction=sum",
  NULL,
};

const op op_kl_div = {
  .name = "kl_div",
  .flags = OP_FUNCTIONAL,
  .help = "kl_div(input, target [, { log_target = false, reduction = \"mean\" }]) -> tensor\n\n"
          "target (log target - input), where input holds logarithms of probabilities and target probabilities, or "
          "their logarithms with log_target.  reduction \"batchmean\" (the mathematical definition) divides the sum by "
          "the size of dim 1; \"mean\" divides by all elements.  Differentiable in both.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
