/* permute.c -- permute(x, dims) and transpose(x, a, b): another order of the dims.  Views; backward permutes back. */
#include "op.h"

enum { DIMS };
enum { A, B };

/* Dim d of the result is dim order[d] of x. */
static tensor *permuted(context *c, tensor *x, const int64_t *order) {
  int64_t shape[MAX_DIMS], stride[MAX_DIMS];
  for (int d = 0; d < x->n_dims; d++) {
    shape[d] = x->shape[order[d]];
    stride[d] = x->stride[order[d]];
  }
  return tensor_view(c, x, x->n_dims, shape, stride, x->offset);
}

static status permute_output(op_call *call, const int64_t *order) {
  tensor *x = call->inputs[0];
  call->outputs[0] = permuted(call->context, x, order);
  for (int d = 0; d < x->n_dims; d++) call->memo[order[d]] = d;
  return call->outputs[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static status permute_forward(op_call *call) {
  const tensor *x = call->inputs[0];
  const op_value *dims = &call->values[DIMS];
  int64_t order[MAX_DIMS];
  bool seen[MAX_DIMS] = { false };
  if (dims->list.count != x->n_dims)
    return op_fail(call, "x %s has %d dims, but %d are given", tensor_shape_text(x).text, x->n_dims, dims->list.count);
  for (int d = 0; d < x->n_dims; d++) {
    int64_t dim = dims->list.items[d] < 0 ? dims->list.items[d] + x->n_dims : dims->list.items[d] - 1;
    if (dim < 0 || dim >= x->n_dims || seen[dim])
      return op_fail(call, "dims must name each of 1..%d once", x->n_dims);
    seen[dim] = true;
    order[d] = dim;
  }
  return permute_output(call, order);
}

static status transpose_forward(op_call *call) {
  const tensor *x = call->inputs[0];
  int64_t order[MAX_DIMS];
  int a, b;
  status code = op_dim_or_scalar(call, A, x->n_dims, &a);
  if (code == STATUS_OK) code = op_dim_or_scalar(call, B, x->n_dims, &b);
  if (code != STATUS_OK) return code;
  for (int d = 0; d < x->n_dims; d++) order[d] = d == a ? b : d == b ? a : d;
  return permute_output(call, order);
}

/* y dim d = x dim order[d]; memo holds the inverse order. */
static status backward(op_call *call) {
  call->input_gradients[0] = permuted(call->context, call->output_gradients[0], call->memo);
  return call->input_gradients[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static const parameter permute_parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { "dims", P_SIZES, 0, "", NULL }, { 0 } };
static const parameter transpose_parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL }, { "a", P_DIM, 0, NULL, NULL }, { "b", P_DIM, 0, NULL, NULL }, { 0 }
};
static const char *const permute_samples[] = { "x=normal(2,3,4) dims=3,1,2", "x=normal(2,3,4,5):lanes dims=-1,2,1,3", NULL };
static const char *const transpose_samples[] = { "x=normal(2,3) a=1 b=2", "x=normal(2,3,4) a=-1 b=1", NULL };

const op op_permute = { .name = "permute",
                        .flags = OP_METHOD,
                        .help = "permute(x, dims...) -> tensor\n\nA view whose dim d is dim dims[d] of x.",
                        .parameters = permute_parameters,
                        .n_outputs = 1,
                        .forward = permute_forward,
                        .backward = backward,
                        .samples = permute_samples };

const op op_transpose = { .name = "transpose",
                          .flags = OP_METHOD,
                          .help = "transpose(x, a, b) -> tensor\n\nA view with dims a and b exchanged.",
                          .parameters = transpose_parameters,
                          .n_outputs = 1,
                          .forward = transpose_forward,
                          .backward = backward,
                          .samples = transpose_samples };
