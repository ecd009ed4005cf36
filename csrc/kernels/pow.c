/* pow.c -- y = a^b.  Integers wrap around.
** Where all items of a run are ordinary, float32 goes through e^(b log a) in float64, which vectorises, else libm. */
#include <float.h>
#include <math.h>

#include "elementwise.h"
#include "vector_double.h"

/* Squares are what is wanted most, and pow() is slow. */
CLONES static bool all_float32(int64_t n, const float *x, float value) {
  int different = 0;
  for (int64_t i = 0; i < n; i++) different |= x[i] != value;
  return different == 0;
}

CLONES static bool all_float64(int64_t n, const double *x, double value) {
  int different = 0;
  for (int64_t i = 0; i < n; i++) different |= x[i] != value;
  return different == 0;
}

/* All a positive, normal and finite, all b finite. */
CLONES static bool all_ordinary(int64_t n, const float *a, const float *b) {
  int other = 0;
  for (int64_t i = 0; i < n; i++) other |= !(a[i] >= FLT_MIN && a[i] <= FLT_MAX) | !(fabsf(b[i]) <= FLT_MAX);
  return other == 0;
}

/* For ordinary a and b.  Beyond 700 either way float32 has infinity and 0. */
VECTOR_MATH double power(float a, double b) {
  double exponent = b * log_double((double)a);
  return exp_double(exponent > 700.0 ? 700.0 : exponent);
}

CLONES static void ordinary_powers(int64_t n, float *y, const float *a, const float *b) {
  for (int64_t i = 0; i < n; i++) y[i] = (float)power(a[i], (double)b[i]);
}

static void forward_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *a = data[1], *b = data[2];
  (void)extra;
  if (all_float32(n, b, 2.0f)) {
    for (int64_t i = 0; i < n; i++) y[i] = a[i] * a[i];
  } else if (all_ordinary(n, a, b)) {
    ordinary_powers(n, y, a, b);
  } else {
    for (int64_t i = 0; i < n; i++) y[i] = powf(a[i], b[i]);
  }
}

static void forward_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *a = data[1], *b = data[2];
  (void)extra;
  if (all_float64(n, b, 2.0)) {
    for (int64_t i = 0; i < n; i++) y[i] = a[i] * a[i];
  } else {
    for (int64_t i = 0; i < n; i++) y[i] = pow(a[i], b[i]);
  }
}

/* By squaring; b >= 0 was checked. */
static int64_t power_int64(int64_t base, int64_t exponent) {
  uint64_t result = 1, factor = (uint64_t)base;
  for (; exponent > 0; exponent >>= 1, factor *= factor)
    if (exponent & 1) result *= factor;
  return (int64_t)result;
}

static void forward_int64(int64_t n, void *const *data, const void *extra) {
  int64_t *y = data[0];
  const int64_t *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = power_int64(a[i], b[i]);
}

static const elementwise forward_loops = {
  .float32 = forward_float32,
  .float64 = forward_float64,
  .int64 = forward_int64,
};

static status require_not_negative(op_call *call) {
  tensor *b = tensor_to(call->context, call->inputs[1], DTYPE_INT64);
  tensor *dense = b != NULL ? tensor_contiguous(call->context, b) : NULL;
  tensor_release(b);
  if (dense == NULL) return STATUS_NO_MEMORY;
  int64_t n = tensor_numel(dense), i = 0;
  for (const int64_t *item = tensor_int64(dense); i < n && item[i] >= 0;) i++;
  tensor_release(dense);
  if (i < n) return op_fail(call, "integers cannot be raised to negative integer powers; convert one with :to()");
  return STATUS_OK;
}

static status forward(op_call *call) {
  status code = STATUS_OK;
  if (!dtype_is_float(promoted_dtype(2, call->inputs))) code = require_not_negative(call);
  if (code == STATUS_OK) code = elementwise_forward(call, &forward_loops, NULL);
  if (code != STATUS_OK) return code;
  op_save(call, 0, call->inputs[0]);
  op_save(call, 1, call->inputs[1]);
  op_save(call, 2, call->outputs[0]);
  return STATUS_OK;
}

/* da = dy b a^(b - 1), and 0 where b = 0. */
CLONES static void ordinary_base(int64_t n, float *da, const float *dy, const float *a, const float *b) {
  for (int64_t i = 0; i < n; i++) {
    double slope = (double)b[i] * power(a[i], (double)b[i] - 1.0);
    da[i] = b[i] == 0.0f ? 0.0f : dy[i] * (float)slope;
  }
}

static void base_float32(int64_t n, void *const *data, const void *extra) {
  float *da = data[0];
  const float *dy = data[1], *a = data[2], *b = data[3];
  (void)extra;
  if (!all_float32(n, b, 2.0f) && all_ordinary(n, a, b)) {
    ordinary_base(n, da, dy, a, b);
    return;
  }
  for (int64_t i = 0; i < n; i++)
    da[i] = b[i] == 0.0f ? 0.0f : b[i] == 2.0f ? 2.0f * dy[i] * a[i] : dy[i] * b[i] * powf(a[i], b[i] - 1.0f);
}

static void base_float64(int64_t n, void *const *data, const void *extra) {
  double *da = data[0];
  const double *dy = data[1], *a = data[2], *b = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++)
    da[i] = b[i] == 0.0 ? 0.0 : b[i] == 2.0 ? 2.0 * dy[i] * a[i] : dy[i] * b[i] * pow(a[i], b[i] - 1.0);
}

static const elementwise base_loops = { .float32 = base_float32, .float64 = base_float64 };

/* db = dy y log(a), and 0 where a = 0 and b >= 0. */
CLONES static void exponent_float32(int64_t n, void *const *data, const void *extra) {
  float *db = data[0];
  const float *dy = data[1], *a = data[2], *b = data[3], *y = data[4];
  (void)extra;
  for (int64_t i = 0; i < n; i++) db[i] = a[i] == 0.0f && b[i] >= 0.0f ? 0.0f : dy[i] * y[i] * log_float(a[i]);
}

static void exponent_float64(int64_t n, void *const *data, const void *extra) {
  double *db = data[0];
  const double *dy = data[1], *a = data[2], *b = data[3], *y = data[4];
  (void)extra;
  for (int64_t i = 0; i < n; i++) db[i] = a[i] == 0.0 && b[i] >= 0.0 ? 0.0 : dy[i] * y[i] * log(a[i]);
}

static const elementwise exponent_loops = { .float32 = exponent_float32, .float64 = exponent_float64 };

static status backward(op_call *call) {
  tensor *operands[] = { call->output_gradients[0], call->saved[0], call->saved[1], call->saved[2] };
  status code = STATUS_OK;
  if (call->needs_gradient[0]) code = elementwise_gradient(call, 0, &base_loops, 3, operands, NULL);
  if (code == STATUS_OK && call->needs_gradient[1])
    code = elementwise_gradient(call, 1, &exponent_loops, 4, operands, NULL);
  return code;
}

static const parameter parameters[] = {
  { "a", P_TENSOR, 0, NULL, NULL },
  { "b", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "a=positive(3,4) b=positive(3,4)",
  "a=positive(2,3,5) b=positive(3,1)",
  "a=positive(4) b=positive(3,4):t",
  "a=positive(5,7):lanes b=positive(7)",
  "a=positive(3,4) b=2.5",
  "a=1.5 b=positive(2,3):t",
  "a=normal(3,4) b=2",
  "a=normal(3) b=3",
  "a=int64(3) b=2",
  "bench a=positive(1000,1000) b=positive(1000,1000)",
  NULL,
};

const op op_pow = {
  .name = "pow",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "pow(a, b) -> tensor\n\n"
          "a to the power of b, elementwise with broadcasting; also written a ^ b.\n"
          "Integers to negative integer powers are an error.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
