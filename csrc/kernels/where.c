/* where.c -- y = condition ? a : b.  The gradient goes where the value came from. */
#include "elementwise.h"

CLONES static void forward_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *c = data[1], *a = data[2], *b = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = c[i] != 0.0f ? a[i] : b[i];
}

CLONES static void forward_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *c = data[1], *a = data[2], *b = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = c[i] != 0.0 ? a[i] : b[i];
}

CLONES static void forward_int64(int64_t n, void *const *data, const void *extra) {
  int64_t *y = data[0];
  const int64_t *c = data[1], *a = data[2], *b = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = c[i] != 0 ? a[i] : b[i];
}

static const elementwise forward_loops = {
  .float32 = forward_float32,
  .float64 = forward_float64,
  .int64 = forward_int64,
};

static status forward(op_call *call) {
  if (call->inputs[0]->dtype != DTYPE_BOOL)
    return op_fail(call, "condition is %s; it must be bool", dtype_name(call->inputs[0]->dtype));
  op_save(call, 0, call->inputs[0]);
  return elementwise_output(call, &forward_loops, promoted_dtype(2, call->inputs + 1), 3, call->inputs, NULL);
}

CLONES static void first_float32(int64_t n, void *const *data, const void *extra) {
  float *da = data[0];
  const float *dy = data[1], *c = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) da[i] = c[i] != 0.0f ? dy[i] : 0.0f;
}

CLONES static void first_float64(int64_t n, void *const *data, const void *extra) {
  double *da = data[0];
  const double *dy = data[1], *c = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) da[i] = c[i] != 0.0 ? dy[i] : 0.0;
}

static const elementwise first_loops = { .float32 = first_float32, .float64 = first_float64 };

CLONES static void second_float32(int64_t n, void *const *data, const void *extra) {
  float *db = data[0];
  const float *dy = data[1], *c = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) db[i] = c[i] != 0.0f ? 0.0f : dy[i];
}

CLONES static void second_float64(int64_t n, void *const *data, const void *extra) {
  double *db = data[0];
  const double *dy = data[1], *c = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) db[i] = c[i] != 0.0 ? 0.0 : dy[i];
}

static const elementwise second_loops = { .float32 = second_float32, .float64 = second_float64 };

static status backward(op_call *call) {
  tensor *operands[] = { call->output_gradients[0], call->saved[0] };
  status code = STATUS_OK;
  if (call->needs_gradient[1]) code = elementwise_gradient(call, 1, &first_loops, 2, operands, NULL);
  if (code == STATUS_OK && call->needs_gradient[2])
    code = elementwise_gradient(call, 2, &second_loops, 2, operands, NULL);
  return code;
}

static const parameter parameters[] = {
  { "condition", P_TENSOR, 0, NULL, NULL },
  { "a", P_TENSOR, 0, NULL, NULL },
  { "b", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "condition=bool(3,4) a=normal(3,4) b=normal(3,4)",
  "condition=bool(3,1) a=normal(2,3,5) b=normal(5)",
  "condition=bool(5,7) a=normal(5,7):lanes b=0.5",
  "condition=bool(4) a=int64(3,4):t b=1",
  "bench condition=bool(1000,1000) a=normal(1000,1000) b=normal(1000,1000)",
  NULL,
};

const op op_where = {
  .name = "where",
  .flags = 0,
  .help = "where(condition, a, b) -> tensor\n\n"
          "a where condition is true, else b, elementwise with broadcasting.  condition is a bool tensor.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
