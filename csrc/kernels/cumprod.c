/* cumprod.c -- y_i = x_1 ... x_i along a dim; integers and bool in int64.  Totals are double.
** dx_k = sum_{i >= k} dy_i prod_{j <= i, j != k} x_j.  Let z be the first place with x_z = 0.  Then for k < z that is
** sum_{k <= i < z} dy_i y_i / x_k; at z it is the sum of dy_i times the product of the others, which is carried along;
** behind z it is 0. */
#include "lines.h"

static void forward_float32(const line *l) {
  float *y = l->data[0];
  const float *x = l->data[1];
  double total = 1.0;
  for (int64_t i = 0; i < l->length[0]; i++) {
    total *= (double)x[i];
    y[i] = (float)total;
  }
}

static void forward_float64(const line *l) {
  double *y = l->data[0];
  const double *x = l->data[1];
  double total = 1.0;
  for (int64_t i = 0; i < l->length[0]; i++) {
    total *= x[i];
    y[i] = total;
  }
}

static void forward_int64(const line *l) {
  int64_t *y = l->data[0];
  const int64_t *x = l->data[1];
  int64_t total = 1;
  for (int64_t i = 0; i < l->length[0]; i++) {
    total = (int64_t)((uint64_t)total * (uint64_t)x[i]);
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
  op_save(call, 0, x);
  line_job job = { .n_operands = 2, .n_outputs = 1, .operands = { call->outputs[0], ready }, .dim = dim };
  job.function = d == DTYPE_FLOAT32 ? forward_float32 : d == DTYPE_FLOAT64 ? forward_float64 : forward_int64;
  code = run_lines(call->context, &job);
  tensor_release(ready);
  return code;
}

static void backward_float32(const line *l) {
  float *dx = l->data[0];
  const float *dy = l->data[1], *x = l->data[2];
  int64_t n = l->length[0], z = 0;
  double product = 1.0, total = 0.0;
  for (; z < n && x[z] != 0; z++) {
    product *= (double)x[z];
    dx[z] = (float)((double)dy[z] * product);
  }
  for (int64_t k = z - 1; k >= 0; k--) {
    total += (double)dx[k];
    dx[k] = (float)(total / (double)x[k]);
  }
  total = 0.0;
  for (int64_t i = z; i < n; i++) {
    if (i > z) product *= (double)x[i];
    total += (double)dy[i] * product;
    dx[i] = 0;
  }
  if (z < n) dx[z] = (float)total;
}

static void backward_float64(const line *l) {
  double *dx = l->data[0];
  const double *dy = l->data[1], *x = l->data[2];
  int64_t n = l->length[0], z = 0;
  double product = 1.0, total = 0.0;
  for (; z < n && x[z] != 0; z++) {
    product *= x[z];
    dx[z] = dy[z] * product;
  }
  for (int64_t k = z - 1; k >= 0; k--) {
    total += dx[k];
    dx[k] = total / x[k];
  }
  total = 0.0;
  for (int64_t i = z; i < n; i++) {
    if (i > z) product *= x[i];
    total += dy[i] * product;
    dx[i] = 0;
  }
  if (z < n) dx[z] = total;
}

static status backward(op_call *call) { return lines_backward(call, backward_float32, backward_float64); }

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
  NULL,
};

const op op_cumprod = {
  .name = "cumprod",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "cumprod(x, dim) -> tensor\n\n"
          "The running products along dim.  Integers and bool give int64.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
