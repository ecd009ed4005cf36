/* sum.c -- y = sum of x over dims; integers and bool are added up in int64.  dx = dy, spread. */
#include "reduce.h"

static status forward(op_call *call) {
  tensor *x = call->inputs[0];
  bool reduced[MAX_DIMS];
  status code = op_dims(call, 0, x->n_dims, reduced);
  if (code != STATUS_OK) return code;
  dtype d = dtype_is_float(x->dtype) ? x->dtype : DTYPE_INT64;
  reduction r = { .kind = FOLD_SUM, .compute = d };
  call->memo[0] = tensor_is_lanes(x);
  return reduce_output(call, &r, x, reduced, call->values[1].flag, d);
}

CLONES static void spread_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = dy[i];
}

CLONES static void spread_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = dy[i];
}

static const elementwise spread_loops = { .float32 = spread_float32, .float64 = spread_float64 };

static status backward(op_call *call) {
  bool reduced[MAX_DIMS], spread[] = { true };
  status code = op_dims(call, 0, call->input_meta[0].n_dims, reduced);
  if (code != STATUS_OK) return code;
  return reduce_gradient(call, reduced, &spread_loops, 1, call->output_gradients, spread, NULL);
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
  "x=int64(3,4) dim=1",
  "x=bool(3,4)",
  NULL,
};

const op op_sum = {
  .name = "sum",
  .flags = OP_METHOD,
  .help = "sum(x, dim = all, { keepdim = false }) -> tensor\n\n"
          "The sum over all elements, or over one or several dims.  Integers and bool give int64.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
