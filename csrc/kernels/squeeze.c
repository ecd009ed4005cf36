/* squeeze.c -- squeeze(x, dims) drops dims of size 1; unsqueeze(x, dim) puts one in.  Views. */
#include "reshape.h"

enum { DIMS };

static status squeeze_forward(op_call *call) {
  const tensor *x = call->inputs[0];
  bool chosen[MAX_DIMS];
  int64_t shape[MAX_DIMS];
  int n = 0;
  status code = op_dims(call, DIMS, x->n_dims, chosen);
  if (code != STATUS_OK) return code;
  for (int d = 0; d < x->n_dims; d++)
    if (!chosen[d] || x->shape[d] != 1) shape[n++] = x->shape[d];
  return reshape_output(call, n, shape);
}

static status unsqueeze_forward(op_call *call) {
  const tensor *x = call->inputs[0];
  int64_t shape[MAX_DIMS + 1];
  int dim;
  if (x->n_dims == MAX_DIMS) return op_fail(call, "x has %d dims already", MAX_DIMS);
  status code = op_dim(call, DIMS, x->n_dims + 1, &dim);
  if (code != STATUS_OK) return code;
  for (int d = 0; d <= x->n_dims; d++) shape[d] = d < dim ? x->shape[d] : d == dim ? 1 : x->shape[d - 1];
  return reshape_output(call, x->n_dims + 1, shape);
}

static const parameter squeeze_parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { "dims", P_DIMS, 0, "", NULL }, { 0 } };
static const parameter unsqueeze_parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { "dim", P_DIM, 0, NULL, NULL }, { 0 } };
static const char *const squeeze_samples[] = { "x=normal(2,1,3,1)", "x=normal(2,1,3,1) dims=2", "x=normal(2,1,3) dims=1", NULL };
static const char *const unsqueeze_samples[] = { "x=normal(2,3) dim=1", "x=normal(2,3):t dim=-1", "x=normal(9,3):lanes dim=2", NULL };

const op op_squeeze = { .name = "squeeze",
                        .flags = OP_METHOD,
                        .help = "squeeze(x, dims) -> tensor\n\nDrops the given dims where their size is 1; without dims, all of size 1.",
                        .parameters = squeeze_parameters,
                        .n_outputs = 1,
                        .forward = squeeze_forward,
                        .backward = reshape_backward,
                        .samples = squeeze_samples };

const op op_unsqueeze = { .name = "unsqueeze",
                          .flags = OP_METHOD,
                          .help = "unsqueeze(x, dim) -> tensor\n\nPuts in a dim of size 1, which is then dim `dim` of the result.",
                          .parameters = unsqueeze_parameters,
                          .n_outputs = 1,
                          .forward = unsqueeze_forward,
                          .backward = reshape_backward,
                          .samples = unsqueeze_samples };
