/* mean.c -- y = sum of x over dims / n.  dx = dy / n, spread.  The mean of nothing is NaN. */
#include <math.h>

#include "reduce.h"

static int64_t count(const op_call *call, const bool *reduced) {
  const tensor_meta *meta = &call->input_meta[0];
  int64_t n = 1;
  for (int d = 0; d < meta->n_dims; d++)
    if (reduced[d]) n *= meta->shape[d];
  return n;
}

static status forward(op_call *call) {
  tensor *x = call->inputs[0];
  bool reduced[MAX_DIMS];
  status code = op_dims(call, 0, x->n_dims, reduced);
  if (code == STATUS_OK) code = op_require_float(call);
  if (code != STATUS_OK) return code;
  int64_t n = count(call, reduced);
  reduction r = { .kind = FOLD_SUM, .compute = x->dtype, .divisor = n > 0 ? (double)n : (double)NAN };
  call->memo[0] = tensor_is_lanes(x);
  return reduce_output(call, &r, x, reduced, call->values[1].flag, x->dtype);
}

CLONES static void spread_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1];
  float scale = (float)*(const double *)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = dy[i] * scale;
}

CLONES static void spread_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1];
  double scale = *(const double *)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = dy[i] * scale;
}

static const elementwise spread_loops = { .float32 = spread_float32, .float64 = spread_float64 };

static status backward(op_call *call) {
  bool reduced[MAX_DIMS], spread[] = { true };
  status code = op_dims(call, 0, call->input_meta[0].n_dims, reduced);
  if (code != STATUS_OK) return code;
  double scale = 1.0 / (double)count(call, reduced);
  return reduce_gradient(call, reduced, &spread_loops, 1, call->output_gradients, spread, &scale);
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

const op op_mean = {
  .name = "mean",
  .flags = OP_METHOD,
  .help = "mean(x, dim = all, { keepdim = false }) -> tensor\n\n"
          "The mean over all elements, or over one or several dims.  x must be float32 or float64.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
