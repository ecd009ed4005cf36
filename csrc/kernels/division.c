/* division.c -- floor_divide, remainder (sign of b) and fmod (sign of a); a = b floor_divide(a, b) + remainder(a, b).
** Integers: dividing by 0 is an error.  The quotient counts as constant in the gradients. */
#include <math.h>

#include "elementwise.h"

/* floor(a / b) by way of fmod, which is exact; a / b alone may be rounded up to the next whole number. */
static double floored(double a, double b) {
  double rest = fmod(a, b);
  if (b == 0.0) return a / b;
  double quotient = (a - rest) / b;
  if (rest != 0.0 && (rest < 0.0) != (b < 0.0)) quotient -= 1.0;
  double whole = floor(quotient);
  return quotient - whole > 0.5 ? whole + 1.0 : whole;
}

static double rest_of(double a, double b) {
  double rest = fmod(a, b);
  return rest != 0.0 && (rest < 0.0) != (b < 0.0) ? rest + b : rest;
}

/* INT64_MIN / -1 does not fit: division by -1 is negation. */
static int64_t floored_int64(int64_t a, int64_t b) {
  if (b == -1) return (int64_t)(0 - (uint64_t)a);
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t rest_int64(int64_t a, int64_t b) {
  if (b == -1) return 0;
  int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

static void floor_divide_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = (float)floored(a[i], b[i]);
}

static void floor_divide_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = floored(a[i], b[i]);
}

static void floor_divide_int64(int64_t n, void *const *data, const void *extra) {
  int64_t *y = data[0];
  const int64_t *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = floored_int64(a[i], b[i]);
}

static const elementwise floor_divide_loops = {
  .float32 = floor_divide_float32,
  .float64 = floor_divide_float64,
  .int64 = floor_divide_int64,
};

static void remainder_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = (float)rest_of(a[i], b[i]);
}

static void remainder_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = rest_of(a[i], b[i]);
}

static void remainder_int64(int64_t n, void *const *data, const void *extra) {
  int64_t *y = data[0];
  const int64_t *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = rest_int64(a[i], b[i]);
}

static const elementwise remainder_loops = {
  .float32 = remainder_float32,
  .float64 = remainder_float64,
  .int64 = remainder_int64,
};

static void fmod_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = fmodf(a[i], b[i]);
}

static void fmod_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = fmod(a[i], b[i]);
}

static void fmod_int64(int64_t n, void *const *data, const void *extra) {
  int64_t *y = data[0];
  const int64_t *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = b[i] == -1 ? 0 : a[i] % b[i];
}

static const elementwise fmod_loops = {
  .float32 = fmod_float32,
  .float64 = fmod_float64,
  .int64 = fmod_int64,
};

static status require_no_zero(op_call *call) {
  tensor *b = tensor_to(call->context, call->inputs[1], DTYPE_INT64);
  tensor *dense = b != NULL ? tensor_contiguous(call->context, b) : NULL;
  tensor_release(b);
  if (dense == NULL) return STATUS_NO_MEMORY;
  int64_t n = tensor_numel(dense), i = 0;
  for (const int64_t *item = tensor_int64(dense); i < n && item[i] != 0;) i++;
  tensor_release(dense);
  return i < n ? op_fail(call, "integer division by zero") : STATUS_OK;
}

static status divide(op_call *call, const elementwise *loops) {
  dtype promoted = promoted_dtype(2, call->inputs);
  if (promoted == DTYPE_BOOL) return op_fail(call, "a and b are bool");
  status code = dtype_is_float(promoted) ? STATUS_OK : require_no_zero(call);
  return code == STATUS_OK ? elementwise_forward(call, loops, NULL) : code;
}

static status divide_and_save(op_call *call, const elementwise *loops) {
  status code = divide(call, loops);
  for (int i = 0; i < 2 && code == STATUS_OK && call->needs_gradient[1]; i++) op_save(call, i, call->inputs[i]);
  return code;
}

static status floor_divide_forward(op_call *call) { return divide(call, &floor_divide_loops); }
static status remainder_forward(op_call *call) { return divide_and_save(call, &remainder_loops); }
static status fmod_forward(op_call *call) { return divide_and_save(call, &fmod_loops); }

/* y = a - b q with q constant: da = dy, db = -dy q. */
static status rest_gradient(op_call *call, const elementwise *second) {
  tensor *operands[] = { call->output_gradients[0], call->saved[0], call->saved[1] };
  status code = STATUS_OK;
  if (call->needs_gradient[0]) code = elementwise_pass_gradient(call, 0);
  if (code == STATUS_OK && call->needs_gradient[1]) code = elementwise_gradient(call, 1, second, 3, operands, NULL);
  return code;
}

static void remainder_second_float32(int64_t n, void *const *data, const void *extra) {
  float *db = data[0];
  const float *dy = data[1], *a = data[2], *b = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) db[i] = -dy[i] * (float)floored(a[i], b[i]);
}

static void remainder_second_float64(int64_t n, void *const *data, const void *extra) {
  double *db = data[0];
  const double *dy = data[1], *a = data[2], *b = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) db[i] = -dy[i] * floored(a[i], b[i]);
}

static const elementwise remainder_second_loops = {
  .float32 = remainder_second_float32,
  .float64 = remainder_second_float64,
};

static void fmod_second_float32(int64_t n, void *const *data, const void *extra) {
  float *db = data[0];
  const float *dy = data[1], *a = data[2], *b = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) db[i] = -dy[i] * truncf(a[i] / b[i]);
}

static void fmod_second_float64(int64_t n, void *const *data, const void *extra) {
  double *db = data[0];
  const double *dy = data[1], *a = data[2], *b = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) db[i] = -dy[i] * trunc(a[i] / b[i]);
}

static const elementwise fmod_second_loops = {
  .float32 = fmod_second_float32,
  .float64 = fmod_second_float64,
};

static status remainder_backward(op_call *call) { return rest_gradient(call, &remainder_second_loops); }
static status fmod_backward(op_call *call) { return rest_gradient(call, &fmod_second_loops); }

static const parameter parameters[] = {
  { "a", P_TENSOR, 0, NULL, NULL },
  { "b", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "a=normal(3,4) b=positive(3,4)",
  "a=normal(2,3,5) b=positive(3,1)",
  "a=normal(5,7):lanes b=0.3",
  "a=positive(4,3):t b=-0.7",
  NULL,
};

const op op_floor_divide = {
  .name = "floor_divide",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "floor_divide(a, b) -> tensor\n\n"
          "floor(a / b), elementwise with broadcasting; also written a // b.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = floor_divide_forward,
  .samples = samples,
};

const op op_remainder = {
  .name = "remainder",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "remainder(a, b) -> tensor\n\n"
          "a - b * floor(a / b), elementwise with broadcasting: has the sign of b; also written a % b.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = remainder_forward,
  .backward = remainder_backward,
  .samples = samples,
};

const op op_fmod = {
  .name = "fmod",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "fmod(a, b) -> tensor\n\n"
          "a - b * trunc(a / b), elementwise with broadcasting: has the sign of a.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = fmod_forward,
  .backward = fmod_backward,
  .samples = samples,
};
