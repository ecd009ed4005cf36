/* gather.c -- y[p] = x[q], where q is p but for q[dim] = index[p].  dx[q] += dy[p]. */
#include "indices.h"

static status forward(op_call *call) {
  tensor *x = call->inputs[0], *index = NULL;
  int dim;
  status code = indices_for_dim(call, &dim, &index);
  if (code != STATUS_OK) return code;
  call->saved[0] = index;
  code = op_output(call, 0, x->dtype, index->n_dims, index->shape);
  return code == STATUS_OK ? indices_along(call->context, INDICES_GATHER, dim, index, x, call->outputs[0]) : code;
}

static status backward(op_call *call) {
  const tensor_meta *meta = &call->input_meta[0];
  int dim = 0;
  if (meta->n_dims > 0) op_dim(call, 0, meta->n_dims, &dim);
  tensor *dx = call->input_gradients[0] = tensor_zeros(call->context, meta->dtype, meta->n_dims, meta->shape);
  if (dx == NULL) return STATUS_NO_MEMORY;
  return indices_along(call->context, INDICES_ADD, dim, call->saved[0], dx, call->output_gradients[0]);
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "dim", P_DIM, 0, NULL, NULL },
  { "index", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4) dim=1 index=index<3>(2,4)",
  "x=normal(3,4) dim=2 index=index<4>(3,6)",
  "x=normal(2,3,5):t dim=-2 index=index<3>(2,2,4)",
  "x=normal(5,7):lanes dim=1 index=index<5>(3,7)",
  "bench x=normal(1000,1000) dim=1 index=index<1000>(1000,1000)",
  NULL,
};

const op op_gather = {
  .name = "gather",
  .flags = OP_METHOD,
  .help = "gather(x, dim, index) -> tensor\n\n"
          "Picks along dim: for dim = 1 of a matrix y[i][j] = x[index[i][j]][j].  index is int64, 1-based, with as many dims\n"
          "as x; the result has its shape.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
