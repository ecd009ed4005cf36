/* masked_fill.c -- y = mask ? value : x.  value (a number or a 0-dim tensor) takes x's dtype. */
#include "elementwise.h"

CLONES static void forward_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1], *m = data[2], *v = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = m[i] != 0.0f ? v[i] : x[i];
}

CLONES static void forward_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1], *m = data[2], *v = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = m[i] != 0.0 ? v[i] : x[i];
}

CLONES static void forward_int64(int64_t n, void *const *data, const void *extra) {
  int64_t *y = data[0];
  const int64_t *x = data[1], *m = data[2], *v = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = m[i] != 0 ? v[i] : x[i];
}

static const elementwise forward_loops = {
  .float32 = forward_float32,
  .float64 = forward_float64,
  .int64 = forward_int64,
};

static status forward(op_call *call) {
  const tensor *x = call->inputs[0], *mask = call->inputs[1], *value = call->inputs[2];
  if (mask->dtype != DTYPE_BOOL) return op_fail(call, "mask is %s; it must be bool", dtype_name(mask->dtype));
  if (value->n_dims != 0)
    return op_fail(call, "value must be a number or a 0-dim tensor, but is %s", tensor_shape_text(value).text);
  if (dtype_is_float(value->dtype) && !dtype_is_float(x->dtype))
    return op_fail(call, "value is %s but x is %s", dtype_name(value->dtype), dtype_name(x->dtype));
  if (value->dtype == DTYPE_INT64) {
    status code = dtype_check_integer(call->context, call->op->name, x->dtype, *tensor_int64(value));
    if (code != STATUS_OK) return code;
  }
  op_save(call, 0, call->inputs[1]);
  return elementwise_output(call, &forward_loops, x->dtype, 3, call->inputs, NULL);
}

CLONES static void outside_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *m = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = m[i] != 0.0f ? 0.0f : dy[i];
}

CLONES static void outside_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *m = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = m[i] != 0.0 ? 0.0 : dy[i];
}

static const elementwise outside_loops = { .float32 = outside_float32, .float64 = outside_float64 };

CLONES static void inside_float32(int64_t n, void *const *data, const void *extra) {
  float *dv = data[0];
  const float *dy = data[1], *m = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dv[i] = m[i] != 0.0f ? dy[i] : 0.0f;
}

CLONES static void inside_float64(int64_t n, void *const *data, const void *extra) {
  double *dv = data[0];
  const double *dy = data[1], *m = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dv[i] = m[i] != 0.0 ? dy[i] : 0.0;
}

static const elementwise inside_loops = { .float32 = inside_float32, .float64 = inside_float64 };

static status backward(op_call *call) {
  tensor *operands[] = { call->output_gradients[0], call->saved[0] };
  status code = STATUS_OK;
  if (call->needs_gradient[0]) code = elementwise_gradient(call, 0, &outside_loops, 2, operands, NULL);
  if (code == STATUS_OK && call->needs_gradient[2])
    code = elementwise_gradient(call, 2, &inside_loops, 2, operands, NULL);
  return code;
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "mask", P_TENSOR, 0, NULL, NULL },
  { "value", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4) mask=bool(3,4) value=0.5",
  "x=normal(2,3,5) mask=bool(3,1) value=-1",
  "x=normal(5,7):lanes mask=bool(7) value=0",
  "x=int64(3,4) mask=bool(4) value=7",
  "bench x=normal(1000,1000) mask=bool(1000,1000) value=0",
  NULL,
};

const op op_masked_fill = {
  .name = "masked_fill",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "masked_fill(x, mask, value) -> tensor\n\n"
          "value where mask is true, else x.  mask is a bool tensor that broadcasts with x; value is a number or a 0-dim\n"
          "tensor.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
