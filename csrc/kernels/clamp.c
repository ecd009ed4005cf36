/* clamp.c -- y = min(max(x, low), high), NaN stays NaN, and NaN where a bound is.  The gradient passes where
** low <= x <= high. */
#include <math.h>

#include "elementwise.h"

typedef struct bounds {
  float low_float32, high_float32;
  double low_float64, high_float64;
  int64_t low_int64, high_int64;
} bounds;

static int64_t saturated(double x) {
  if (x >= 0x1p63) return INT64_MAX;
  return x <= -0x1p63 ? INT64_MIN : (int64_t)x;
}

static bounds bounds_of(const op_call *call) {
  double low = call->values[0].number, high = call->values[1].number;
  return (bounds){ (float)low, (float)high, low, high, saturated(low), saturated(high) };
}

static bool whole(double x) { return isinf(x) || x == floor(x); }

CLONES static void forward_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  const bounds *b = extra;
  float low = b->low_float32, high = b->high_float32;
  for (int64_t i = 0; i < n; i++) {
    float raised = x[i] < low ? low : x[i];
    y[i] = raised > high ? high : raised;
  }
}

CLONES static void forward_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  const bounds *b = extra;
  double low = b->low_float64, high = b->high_float64;
  for (int64_t i = 0; i < n; i++) {
    double raised = x[i] < low ? low : x[i];
    y[i] = raised > high ? high : raised;
  }
}

CLONES static void forward_int64(int64_t n, void *const *data, const void *extra) {
  int64_t *y = data[0];
  const int64_t *x = data[1];
  const bounds *b = extra;
  int64_t low = b->low_int64, high = b->high_int64;
  for (int64_t i = 0; i < n; i++) {
    int64_t raised = x[i] < low ? low : x[i];
    y[i] = raised > high ? high : raised;
  }
}

static const elementwise forward_loops = {
  .float32 = forward_float32,
  .float64 = forward_float64,
  .int64 = forward_int64,
};

/* An integer tensor with a bound that is not whole becomes float32. */
static status forward(op_call *call) {
  bounds b = bounds_of(call);
  tensor *x = call->inputs[0];
  bool stays = dtype_is_float(x->dtype) || (whole(b.low_float64) && whole(b.high_float64));
  op_save(call, 0, x);
  status code = elementwise_output(call, &forward_loops, stays ? x->dtype : DTYPE_FLOAT32, 1, call->inputs, &b);
  bool are_numbers = !isnan(b.low_float64) && !isnan(b.high_float64);
  return code != STATUS_OK || are_numbers ? code : tensor_fill(call->context, call->outputs[0], (double)NAN);
}

CLONES static void backward_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *x = data[2];
  const bounds *b = extra;
  float low = b->low_float32, high = b->high_float32;
  for (int64_t i = 0; i < n; i++) {
    float inside = x[i] <= high ? dy[i] : 0;
    dx[i] = x[i] >= low ? inside : 0;
  }
}

CLONES static void backward_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *x = data[2];
  const bounds *b = extra;
  double low = b->low_float64, high = b->high_float64;
  for (int64_t i = 0; i < n; i++) {
    double inside = x[i] <= high ? dy[i] : 0;
    dx[i] = x[i] >= low ? inside : 0;
  }
}

static const elementwise backward_loops = { .float32 = backward_float32, .float64 = backward_float64 };

static status backward(op_call *call) {
  bounds b = bounds_of(call);
  return elementwise_saved_gradient(call, &backward_loops, &b);
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "min", P_NUMBER, 0, "-inf", NULL },
  { "max", P_NUMBER, 0, "inf", NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4) min=-0.5 max=0.5",
  "x=normal(2,3,5):t min=0.1",
  "x=normal(5,7):lanes max=0.3",
  "x=normal(4) min=1 max=-1",
  "bench x=normal(1000,1000) min=-0.5 max=0.5",
  NULL,
};

const op op_clamp = {
  .name = "clamp",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "clamp(x, min = -inf, max = inf) -> tensor\n\n"
          "x brought into [min, max], elementwise; the bounds may also be given by name: x:clamp({ max = 1 }).  Where min > max the result is max.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
