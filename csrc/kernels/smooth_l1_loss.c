/* smooth_l1_loss.c -- d = |x - t|:  y = d^2 / (2 beta) where d < beta, else d - beta / 2;  its mean or sum.
** dx = (x - t) / beta or sign(x - t); dt = -dx.  Girshick, Fast R-CNN, ICCV 2015. */
#include <math.h>

#include "../tensor/parallel.h"
#include "loss.h"

CLONES static void value_float32(int64_t n, void *out, const void *const *in, double k) {
  const float *restrict x = in[0], *restrict t = in[1];
  float *restrict y = out;
  const float beta = (float)k, inverse = k > 0.0 ? (float)(0.5 / k) : 0.0f;
  for (int64_t i = 0; i < n; i++) {
    float d = fabsf(x[i] - t[i]);
    y[i] = d < beta ? d * d * inverse : d - 0.5f * beta;
  }
}

CLONES static void value_float64(int64_t n, void *out, const void *const *in, double k) {
  const double *restrict x = in[0], *restrict t = in[1];
  double *restrict y = out;
  const double inverse = k > 0.0 ? 0.5 / k : 0.0;
  for (int64_t i = 0; i < n; i++) {
    double d = fabs(x[i] - t[i]);
    y[i] = d < k ? d * d * inverse : d - 0.5 * k;
  }
}

CLONES static void slope_float32(int64_t n, void *out, const void *const *in, double k) {
  const float *restrict x = in[0], *restrict t = in[1];
  float *restrict y = out;
  const float beta = (float)k, inverse = k > 0.0 ? (float)(1.0 / k) : 0.0f;
  for (int64_t i = 0; i < n; i++) {
    float d = x[i] - t[i];
    float sign = d > 0.0f ? 1.0f : d < 0.0f ? -1.0f : d;
    y[i] = fabsf(d) < beta ? d * inverse : sign;
  }
}

CLONES static void slope_float64(int64_t n, void *out, const void *const *in, double k) {
  const double *restrict x = in[0], *restrict t = in[1];
  double *restrict y = out;
  const double inverse = k > 0.0 ? 1.0 / k : 0.0;
  for (int64_t i = 0; i < n; i++) {
    double d = x[i] - t[i];
    double sign = d > 0.0 ? 1.0 : d < 0.0 ? -1.0 : d;
    y[i] = fabs(d) < k ? d * inverse : sign;
  }
}

static const loss definition = {
  .value = { value_float32, value_float64 },
  .slope = { slope_float32, slope_float64 },
};

static status forward(op_call *call) {
  double beta = call->values[0].number;
  if (!(beta >= 0.0)) return op_fail(call, "beta is %g; it must be 0 or more", message_number(beta));
  return loss_forward(call, &definition, call->values[1].integer, beta);
}

static status backward(op_call *call) {
  return loss_backward(call, &definition, call->values[1].integer, call->values[0].number);
}

static const parameter parameters[] = {
  { "input", P_TENSOR, 0, NULL, NULL },
  { "target", P_TENSOR, 0, NULL, NULL },
  { "beta", P_NUMBER, OPTION, "1", NULL },
  { "reduction", P_CHOICE, OPTION, "mean", "none|mean|sum" },
  { .name = NULL },
};

static const char *const samples[] = {
  "input=normal(4,3,5) target=normal(4,3,5)",
  "input=normal(3,2,4,4):lanes target=normal(3,2,4,4):lanes beta=0.3 reduction=sum",
  "input=distinct(5,7):t target=normal(5,7) beta=0 reduction=none",
  NULL,
};

const op op_smooth_l1_loss = {
  .name = "smooth_l1_loss",
  .flags = OP_FUNCTIONAL,
  .help = "smooth_l1_loss(input, target [, { beta = 1, reduction = \"mean\" }]) -> tensor\n\n"
          "(input - target)^2 / (2 beta) where the two are closer than beta, |input - target| - beta / 2 elsewhere; "
          "averaged (\"mean\"), added up (\"sum\") or by element (\"none\").  Differentiable in both.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
