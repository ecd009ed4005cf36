/* scatter.c -- y = x, then y[q] = src[p], where q is p but for q[dim] = index[p].
** Where several p have the same q the last one along dim stays, but each gets dy[q]. */
#include "scatter.h"

int scatter_dim(op_call *call) {
  int dim = 0;
  if (call->input_meta[0].n_dims > 0) op_dim(call, 0, call->input_meta[0].n_dims, &dim);
  return dim;
}

static status check_source(op_call *call, const tensor *index) {
  const tensor *x = call->inputs[0], *src = call->inputs[2];
  if (src->is_number) return STATUS_OK;
  if (src->dtype != x->dtype)
    return op_fail(call, "x is %s but src is %s", dtype_name(x->dtype), dtype_name(src->dtype));
  bool fits = src->n_dims == index->n_dims;
  for (int d = 0; fits && d < src->n_dims; d++) fits = index->shape[d] <= src->shape[d];
  if (fits) return STATUS_OK;
  return op_fail(call, "src is %s but index is %s: it must be at least as large", tensor_shape_text(src).text,
                 tensor_shape_text(index).text);
}

/* src itself, or a number as a view of index's shape (a new reference). */
static tensor *source_view(op_call *call, const tensor *index) {
  tensor *src = call->inputs[2];
  if (!src->is_number) return tensor_retain(src);
  tensor *number = tensor_to(call->context, src, call->inputs[0]->dtype);
  tensor *view = number != NULL ? spread_view(call->context, number, index->n_dims, index->shape) : NULL;
  tensor_release(number);
  return view;
}

status scatter_forward(op_call *call, indices_move move) {
  tensor *x = call->inputs[0], *index = NULL;
  int dim;
  status code = indices_for_dim(call, &dim, &index);
  if (code != STATUS_OK) return code;
  call->saved[0] = index;
  code = check_source(call, index);
  if (code != STATUS_OK) return code;
  tensor *src = source_view(call, index);
  call->outputs[0] = tensor_clone(call->context, x);
  code = src != NULL && call->outputs[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
  if (code == STATUS_OK) code = indices_along(call->context, move, dim, index, call->outputs[0], src);
  tensor_release(src);
  return code;
}

status scatter_source_gradient(op_call *call) {
  const tensor_meta *meta = &call->input_meta[2];
  tensor *dsrc = call->input_gradients[2] = tensor_zeros(call->context, meta->dtype, meta->n_dims, meta->shape);
  if (dsrc == NULL) return STATUS_NO_MEMORY;
  return indices_along(call->context, INDICES_GATHER, scatter_dim(call), call->saved[0], call->output_gradients[0],
                       dsrc);
}

static status forward(op_call *call) { return scatter_forward(call, INDICES_SCATTER); }

/* dx = dy, but 0 where src went. */
static status x_gradient(op_call *call) {
  context *c = call->context;
  const tensor *index = call->saved[0];
  tensor *dx = call->input_gradients[0] = tensor_clone(c, call->output_gradients[0]);
  tensor *zero = tensor_number(c, call->input_meta[0].dtype, 0.0);
  tensor *zeros = zero != NULL ? spread_view(c, zero, index->n_dims, index->shape) : NULL;
  status code = STATUS_NO_MEMORY;
  if (dx != NULL && zeros != NULL)
    code = indices_along(c, INDICES_SCATTER, scatter_dim(call), call->saved[0], dx, zeros);
  tensor_release(zero);
  tensor_release(zeros);
  return code;
}

static status backward(op_call *call) {
  status code = STATUS_OK;
  if (call->needs_gradient[0]) code = x_gradient(call);
  if (code == STATUS_OK && call->needs_gradient[2]) code = scatter_source_gradient(call);
  return code;
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "dim", P_DIM, 0, NULL, NULL },
  { "index", P_TENSOR, 0, NULL, NULL },
  { "src", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4) dim=1 index=index<3>(1,4) src=normal(1,4)",
  "x=normal(3,4) dim=2 index=index<4>(3,1) src=2.5",
  "x=normal(2,3,5):t dim=-2 index=index<3>(2,1,4) src=normal(2,1,4):t",
  "x=normal(5,7):lanes dim=1 index=index<5>(1,7) src=normal(1,7):lanes",
  "bench x=normal(1000,1000) dim=1 index=index<1000>(1000,1000) src=normal(1000,1000)",
  NULL,
};

const op op_scatter = {
  .name = "scatter",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "scatter(x, dim, index, src) -> tensor\n\n"
          "A copy of x with elements of src put in along dim: for dim = 1 of a matrix y[index[i][j]][j] = src[i][j].\n"
          "index is int64 and 1-based; src is a tensor at least as large, or a number.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
