/* logsumexp.c -- y = log(sum of e^x over dims), by way of m + log(sum of e^(x - m)) with m the largest item.
** dx = dy e^(x - y). */
#include <math.h>

#include "reduce.h"
#include "vector_math.h"

CLONES static void shifted_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1], *m = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = exp_float(x[i] - m[i]);
}

static void shifted_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1], *m = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = exp(x[i] - m[i]);
}

static const elementwise shifted_loops = { .float32 = shifted_float32, .float64 = shifted_float64 };

CLONES static void finite_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *m = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = fabsf(m[i]) < INFINITY ? m[i] : m[i] != m[i] ? m[i] : 0.0f;
}

CLONES static void finite_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *m = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = fabs(m[i]) < INFINITY ? m[i] : m[i] != m[i] ? m[i] : 0.0;
}

static const elementwise finite_loops = { .float32 = finite_float32, .float64 = finite_float64 };

static void unshift_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *sum = data[1], *m = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = log_float(sum[i]) + m[i];
}

static void unshift_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *sum = data[1], *m = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = log(sum[i]) + m[i];
}

static const elementwise unshift_loops = { .float32 = unshift_float32, .float64 = unshift_float64 };

/* saved[1] = the largest items, 0 where they are infinite; they have 1 for the reduced dims. */
static status save_largest(op_call *call, const bool *reduced) {
  tensor *x = call->inputs[0];
  int64_t shape[MAX_DIMS];
  reduced_shape(x, reduced, shape);
  tensor *m = call->saved[1] = tensor_new(call->context, x->dtype, x->n_dims, shape);
  if (m == NULL) return STATUS_NO_MEMORY;
  reduction r = { .kind = FOLD_MAX, .compute = x->dtype };
  status code = reduce(call->context, &r, m, x, reduced);
  if (code == STATUS_OK) elementwise_run(call->context, &finite_loops, m->dtype, m, 1, &m, NULL);
  return code;
}

static status forward(op_call *call) {
  tensor *x = call->inputs[0];
  bool reduced[MAX_DIMS];
  status code = op_dims(call, 0, x->n_dims, reduced);
  if (code == STATUS_OK) code = op_require_float(call);
  if (code == STATUS_OK) code = save_largest(call, reduced);
  if (code != STATUS_OK) return code;
  tensor *m = call->saved[1];
  reduction r = { .kind = FOLD_SUM, .compute = x->dtype, .map = &shifted_loops, .center = m };
  code = reduce_output(call, &r, x, reduced, true, x->dtype);
  if (code != STATUS_OK) return code;
  tensor *y = call->outputs[0], *operands[] = { y, m };
  elementwise_run(call->context, &unshift_loops, y->dtype, y, 2, operands, NULL);
  if (!call->values[1].flag) forget_reduced(y, reduced);
  tensor_release(m);
  call->saved[1] = NULL;
  op_save(call, 0, x);
  op_save(call, 1, call->outputs[0]);
  return STATUS_OK;
}

CLONES static void gradient_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *x = data[2], *y = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = dy[i] * exp_float(x[i] - y[i]);
}

static void gradient_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *x = data[2], *y = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = dy[i] * exp(x[i] - y[i]);
}

static const elementwise gradient_loops = { .float32 = gradient_float32, .float64 = gradient_float64 };

static status backward(op_call *call) {
  bool reduced[MAX_DIMS], spread[] = { true, false, true };
  status code = op_dims(call, 0, call->input_meta[0].n_dims, reduced);
  if (code != STATUS_OK) return code;
  tensor *operands[] = { call->output_gradients[0], call->saved[0], call->saved[1] };
  return reduce_gradient(call, reduced, &gradient_loops, 3, operands, spread, NULL);
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "dim", P_DIMS, 0, "", NULL },
  { "keepdim", P_FLAG, OPTION, "false", NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4)",
  "x=normal(3,4) dim=1",
  "x=normal(2,3,5):t dim=-1",
  "x=normal(2,3,4,5) dim=2,4 keepdim=true",
  "x=normal(5,7):lanes dim=1",
  "x=normal(37,3) dim=2",
  "bench x=normal(1000,1000)",
  NULL,
};

const op op_logsumexp = {
  .name = "logsumexp",
  .flags = OP_METHOD,
  .help = "logsumexp(x, dim = all, { keepdim = false }) -> tensor\n\n"
          "log(sum(exp(x))) over all elements, or over one or several dims, without overflow.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
