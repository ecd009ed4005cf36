/* variance.c -- var and std over dims: v = sum (x - mean)^2 / max(0, n - correction), std = sqrt v.
** Two passes, since one loses the digits that the mean and the squares have in common.
** dvar/dx = 2 (x - mean) / (n - correction), as in PyTorch also where that is below 0;
** dstd/dx = (x - mean) / (std (n - correction)), and 0 where std = 0. */
#include <math.h>

#include "reduce.h"

CLONES static void deviation_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1], *mean = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean[i]) * (x[i] - mean[i]);
}

CLONES static void deviation_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1], *mean = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean[i]) * (x[i] - mean[i]);
}

static const elementwise deviation_loops = { .float32 = deviation_float32, .float64 = deviation_float64 };

static double degrees_of_freedom(const op_call *call, int64_t n) {
  double correction = call->values[2].flag ? call->values[1].number : 0.0;
  return (double)n - correction;
}

/* saved[1] = the mean over the reduced dims, which stay as 1. */
static status save_mean(op_call *call, const bool *reduced, int64_t *n) {
  tensor *x = call->inputs[0];
  int64_t shape[MAX_DIMS];
  *n = reduced_shape(x, reduced, shape);
  reduction r = { .kind = FOLD_SUM, .compute = x->dtype, .divisor = *n > 0 ? (double)*n : (double)NAN };
  op_save(call, 0, x);
  call->saved[1] = tensor_new(call->context, x->dtype, x->n_dims, shape);
  if (call->saved[1] == NULL) return STATUS_NO_MEMORY;
  return reduce(call->context, &r, call->saved[1], x, reduced);
}

static void over_zero_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0.0f ? INFINITY : NAN;
}

static void over_zero_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0.0 ? (double)INFINITY : (double)NAN;
}

static const elementwise over_zero_loops = { .float32 = over_zero_float32, .float64 = over_zero_float64 };

static status var_forward(op_call *call) {
  tensor *x = call->inputs[0];
  bool reduced[MAX_DIMS];
  int64_t n;
  status code = op_dims(call, 0, x->n_dims, reduced);
  if (code == STATUS_OK) code = op_require_float(call);
  if (code == STATUS_OK) code = save_mean(call, reduced, &n);
  if (code != STATUS_OK) return code;
  double divisor = degrees_of_freedom(call, n);
  reduction r = { .kind = FOLD_SUM, .compute = x->dtype, .map = &deviation_loops, .center = call->saved[1],
                  .divisor = fmax(0.0, divisor) };   /* 0: not divided */
  code = reduce_output(call, &r, x, reduced, call->values[3].flag, x->dtype);
  if (code != STATUS_OK || divisor > 0.0) return code;
  tensor *y = call->outputs[0];
  elementwise_run(call->context, &over_zero_loops, y->dtype, y, 1, &y, NULL);
  return STATUS_OK;
}

CLONES static void root_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = sqrtf(x[i]);
}

CLONES static void root_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = sqrt(x[i]);
}

static const elementwise root_loops = { .float32 = root_float32, .float64 = root_float64 };

static status std_forward(op_call *call) {
  status code = var_forward(call);
  if (code != STATUS_OK) return code;
  tensor *y = call->outputs[0];
  elementwise_run(call->context, &root_loops, y->dtype, y, 1, &y, NULL);
  op_save(call, 2, y);
  return STATUS_OK;
}

CLONES static void var_gradient_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *x = data[2], *mean = data[3];
  float scale = (float)*(const double *)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = dy[i] * scale * (x[i] - mean[i]);
}

CLONES static void var_gradient_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *x = data[2], *mean = data[3];
  double scale = *(const double *)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = dy[i] * scale * (x[i] - mean[i]);
}

static const elementwise var_gradient_loops = {
  .float32 = var_gradient_float32,
  .float64 = var_gradient_float64,
};

CLONES static void std_gradient_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *x = data[2], *mean = data[3], *std = data[4];
  float scale = (float)*(const double *)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = std[i] == 0.0f ? 0.0f : dy[i] * scale * (x[i] - mean[i]) / std[i];
}

CLONES static void std_gradient_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *x = data[2], *mean = data[3], *std = data[4];
  double scale = *(const double *)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = std[i] == 0.0 ? 0.0 : dy[i] * scale * (x[i] - mean[i]) / std[i];
}

static const elementwise std_gradient_loops = {
  .float32 = std_gradient_float32,
  .float64 = std_gradient_float64,
};

static status gradient(op_call *call, const elementwise *loops, int n_operands, double factor) {
  bool reduced[MAX_DIMS], spread[] = { true, false, true, true };
  int64_t shape[MAX_DIMS];
  status code = op_dims(call, 0, call->input_meta[0].n_dims, reduced);
  if (code != STATUS_OK) return code;
  double scale = factor / degrees_of_freedom(call, reduced_shape(call->saved[0], reduced, shape));
  tensor *operands[] = { call->output_gradients[0], call->saved[0], call->saved[1], call->saved[2] };
  return reduce_gradient(call, reduced, loops, n_operands, operands, spread, &scale);
}

static status var_backward(op_call *call) { return gradient(call, &var_gradient_loops, 3, 2.0); }
static status std_backward(op_call *call) { return gradient(call, &std_gradient_loops, 4, 1.0); }

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "dim", P_DIMS, 0, "", NULL },
  { "correction", P_NUMBER, OPTION, "1", NULL },
  { "unbiased", P_FLAG, OPTION, "true", NULL },
  { "keepdim", P_FLAG, OPTION, "false", NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4)",
  "x=normal(3,4) dim=1",
  "x=normal(2,3,5):t dim=-1 correction=0",
  "x=normal(2,3,4,5) dim=2,4 keepdim=true",
  "x=normal(5,7):lanes dim=1 correction=2",
  "x=normal(37,3) dim=2 unbiased=false",
  "bench x=normal(1000,1000)",
  NULL,
};

const op op_var = {
  .name = "var",
  .flags = OP_METHOD,
  .help = "var(x, dim = all, { correction = 1, unbiased = true, keepdim = false }) -> tensor\n\n"
          "The variance over all elements, or over one or several dims: the squared deviations are divided by\n"
          "n - correction, or by n where unbiased is false.  x must be float32 or float64.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = var_forward,
  .backward = var_backward,
  .samples = samples,
};

const op op_std = {
  .name = "std",
  .flags = OP_METHOD,
  .help = "std(x, dim = all, { correction = 1, unbiased = true, keepdim = false }) -> tensor\n\n"
          "The standard deviation over all elements, or over one or several dims: the squared deviations are divided by\n"
          "n - correction, or by n where unbiased is false.  x must be float32 or float64.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = std_forward,
  .backward = std_backward,
  .samples = samples,
};
