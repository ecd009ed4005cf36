/* cumsum.c -- y_i = x_1 + ... + x_i along a dim; integers and bool in int64.  dx_i = dy_i + ... + dy_n.
** Totals are double. */
#include "lines.h"

static void forward_float32(const line *l) {
  float *y = l->data[0];
  const float *x = l->data[1];
  double total = 0.0;
  for (int64_t i = 0; i < l->length[0]; i++) {
    total += (double)x[i];
    y[i] = (float)total;
  }
}

static void forward_float64(const line *l) {
  double *y = l->data[0];
  const double *x = l->data[1];
  double total = 0.0;
  for (int64_t i = 0; i < l->length[0]; i++) {
    total += x[i];
    y[i] = total;
  }
}

static void forward_int64(const line *l) {
  int64_t *y = l->data[0];
  const int64_t *x = l->data[1];
  int64_t total = 0;
  for (int64_t i = 0; i < l->length[0]; i++) {
    total = (int64_t)((uint64_t)total + (uint64_t)x[i]);
    y[i] = total;
  }
}

static status forward(op_call *call) {
  tensor *x = call->inputs[0], *ready = NULL;
  dtype d = dtype_is_float(x->dtype) ? x->dtype : DTYPE_INT64;
  int dim = 0;
  status code = STATUS_OK;
  code = op_dim_or_scalar(call, 0, x->n_dims, &dim);
  if (code == STATUS_OK) code = op_output_like(call, 0, x, d);
  if (code == STATUS_OK && (ready = tensor_to(call->context, x, d)) == NULL) code = STATUS_NO_MEMORY;
  if (code != STATUS_OK) return code;
  line_job job = { .n_operands = 2, .n_outputs = 1, .operands = { call->outputs[0], ready }, .dim = dim };
  job.function = d == DTYPE_FLOAT32 ? forward_float32 : d == DTYPE_FLOAT64 ? forward_float64 : forward_int64;
  code = run_lines(call->context, &job);
  tensor_release(ready);
  return code;
}

static void backward_float32(const line *l) {
  float *dx = l->data[0];
  const float *dy = l->data[1];
  double total = 0.0;
  for (int64_t i = l->length[0] - 1; i >= 0; i--) {
    total += (double)dy[i];
    dx[i] = (float)total;
  }
}

static void backward_float64(const line *l) {
  double *dx = l->data[0];
  const double *dy = l->data[1];
  double total = 0.0;
  for (int64_t i = l->length[0] - 1; i >= 0; i--) {
    total += dy[i];
    dx[i] = total;
  }
}

static status backward(op_call *call) {
  tensor *dy = call->output_gradients[0];
  int dim = 0;
  status code = op_gradient_like(call, 0, dy);
  if (code == STATUS_OK) code = op_dim_or_scalar(call, 0, dy->n_dims, &dim);
  if (code != STATUS_OK) return code;
  line_job job = { .function = dy->dtype == DTYPE_FLOAT32 ? backward_float32 : backward_float64, .n_operands = 2,
                   .n_outputs = 1, .operands = { call->input_gradients[0], dy }, .dim = dim };
  return run_lines(call->context, &job);
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "dim", P_DIM, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4) dim=2",
  "x=normal(3,4) dim=1",
  "x=normal(2,3,5):t dim=-2",
  "x=normal(5,7):lanes dim=1",
  "x=normal(5,7):lanes dim=2",
  "x=normal(37) dim=1",
  "bench x=normal(1000,1000) dim=2",
  "x=int64(3,4) dim=1",
  "x=bool(7) dim=1",
  NULL,
};

const op op_cumsum = {
  .name = "cumsum",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "cumsum(x, dim) -> tensor\n\n"
          "The running sums along dim.  Integers and bool give int64.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
