/* flatten.c -- flatten(x, first, last) merges dims first..last; unflatten(x, dim, sizes) splits one. */
#include <string.h>

#include "reshape.h"

enum { FIRST, LAST };
enum { DIM, SIZES };

static status flatten_forward(op_call *call) {
  const tensor *x = call->inputs[0];
  int first = 0, last = 0, n = 0;
  int64_t shape[MAX_DIMS], one = 1;
  if (x->n_dims == 0) return reshape_output(call, 1, &one);
  status code = op_dim(call, FIRST, x->n_dims, &first);
  if (code == STATUS_OK) code = op_dim(call, LAST, x->n_dims, &last);
  if (code != STATUS_OK) return code;
  if (first > last) return op_fail(call, "the first dim (%d) comes after the last (%d)", first + 1, last + 1);
  for (int d = 0; d < x->n_dims; d++) {
    if (d > first && d <= last) shape[n - 1] *= x->shape[d];
    else shape[n++] = x->shape[d];
  }
  return reshape_output(call, n, shape);
}

/* Dims behind the first alone: samples stay samples. */
static bool repeat(op_call *call, op_step *s) {
  int dim = 0;   /* FIRST or DIM: both are value 0 */
  return op_dim(call, 0, call->inputs[0]->n_dims, &dim) == STATUS_OK && dim > 0 && reshape_repeat(call, s);
}

static status unflatten_forward(op_call *call) {
  const tensor *x = call->inputs[0];
  const op_value *sizes = &call->values[SIZES];
  int dim = 0, n_sizes = sizes->list.count;
  int64_t shape[MAX_DIMS];
  bool fits;
  status code = op_dim(call, DIM, x->n_dims, &dim);
  if (code != STATUS_OK) return code;
  if (x->n_dims - 1 + n_sizes > MAX_DIMS) return op_fail(call, "more than %d dims", MAX_DIMS);
  memcpy(shape, x->shape, (size_t)dim * sizeof *shape);
  memcpy(shape + dim, sizes->list.items, (size_t)n_sizes * sizeof *shape);
  memcpy(shape + dim + n_sizes, x->shape + dim + 1, (size_t)(x->n_dims - dim - 1) * sizeof *shape);
  code = reshape_sizes(call, x->shape[dim], n_sizes, shape + dim, &fits);
  if (code != STATUS_OK) return code;
  if (!fits)
    return op_fail(call, "dim %d of x %s cannot be split into %s", dim + 1, tensor_shape_text(x).text,
                   shape_to_text(n_sizes, shape + dim).text);
  return reshape_output(call, x->n_dims - 1 + n_sizes, shape);
}

static const parameter flatten_parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL }, { "first", P_DIM, 0, "1", NULL }, { "last", P_DIM, 0, "-1", NULL }, { 0 }
};
static const parameter unflatten_parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL }, { "dim", P_DIM, 0, NULL, NULL }, { "sizes", P_SIZES, 0, NULL, NULL }, { 0 }
};
static const char *const flatten_samples[] = { "x=normal(2,3,4)", "x=normal(2,3,4) first=2", "x=normal(2,3,4,5):lanes first=2",
                                               "x=normal(2,3,4,5):t first=2 last=3", NULL };
static const char *const unflatten_samples[] = { "x=normal(2,12) dim=2 sizes=3,4", "x=normal(6,5):lanes dim=1 sizes=2,3",
                                                 "x=normal(9,12):lanes dim=-1 sizes=3,2,2", NULL };

const op op_flatten = { .name = "flatten",
                        .flags = OP_METHOD,
                        .help = "flatten(x, first = 1, last = -1) -> tensor\n\nMerges the dims first..last into one.  "
                                "A view where x's strides allow that.",
                        .parameters = flatten_parameters,
                        .n_outputs = 1,
                        .forward = flatten_forward,
                        .backward = reshape_backward,
                        .samples = flatten_samples,
                        .repeat = repeat };

const op op_unflatten = { .name = "unflatten",
                          .flags = OP_METHOD,
                          .help = "unflatten(x, dim, sizes...) -> tensor\n\nSplits dim into sizes, whose product is its size; one of "
                                  "them may be -1.",
                          .parameters = unflatten_parameters,
                          .n_outputs = 1,
                          .forward = unflatten_forward,
                          .backward = reshape_backward,
                          .samples = unflatten_samples,
                          .repeat = repeat };
