/* slice.c -- parts of a tensor: select(x, dim, i) drops the dim, slice(x, dim, first, last, step) keeps a range.
**
** Views.  Positions are 1-based, negative ones count from the end, both ends of a range are in it.
** Backward puts dy into zeros of x's shape. */
#include <string.h>

#include "op.h"

enum { DIM, INDEX };
enum { SLICE_DIM, FIRST, LAST, STEP };
enum { MEMO_DIM, MEMO_START, MEMO_STEP, MEMO_COUNT, MEMO_DROPS };

/* The part that the memo describes, of any tensor of x's shape. */
static tensor *part_of(context *c, tensor *x, const int64_t *memo) {
  int64_t shape[MAX_DIMS], stride[MAX_DIMS];
  int dim = (int)memo[MEMO_DIM], n = 0;
  for (int d = 0; d < x->n_dims; d++) {
    if (d == dim && memo[MEMO_DROPS]) continue;
    shape[n] = d == dim ? memo[MEMO_COUNT] : x->shape[d];
    stride[n++] = d == dim ? x->stride[d] * memo[MEMO_STEP] : x->stride[d];
  }
  return tensor_view(c, x, n, shape, stride, x->offset + memo[MEMO_START] * x->stride[dim]);
}

static status part_output(op_call *call) {
  call->outputs[0] = part_of(call->context, call->inputs[0], call->memo);
  return call->outputs[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static status select_forward(op_call *call) {
  const tensor *x = call->inputs[0];
  int dim;
  if (x->n_dims == 0) return op_fail(call, "a 0-dim tensor cannot be indexed; use item()");
  status code = op_dim(call, DIM, x->n_dims, &dim);
  if (code != STATUS_OK) return code;
  int64_t i = call->values[INDEX].integer, size = x->shape[dim];
  if (i == 0 || i > size || i < -size)
    return op_fail(call, "index %lld is not in 1..%lld (dim %d of %s)", (long long)i, (long long)size, dim + 1,
                   tensor_shape_text(x).text);
  memcpy(call->memo, (int64_t[]){ dim, i < 0 ? i + size : i - 1, 1, 1, 1 }, 5 * sizeof *call->memo);
  return part_output(call);
}

static status slice_forward(op_call *call) {
  const tensor *x = call->inputs[0];
  int dim;
  status code = op_dim(call, SLICE_DIM, x->n_dims, &dim);
  if (code != STATUS_OK) return code;
  int64_t size = x->shape[dim], step = call->values[STEP].integer;
  int64_t first = call->values[FIRST].integer, last = call->values[LAST].integer;
  int64_t from = first < 0 ? first + size + 1 : first, to = last < 0 ? last + size + 1 : last;
  if (step < 1) return op_fail(call, "the step is %lld; it must be 1 or more", (long long)step);
  if (from < 1 || to > size || to < from - 1)
    return op_fail(call, "the range %lld..%lld is not in 1..%lld (dim %d of %s)", (long long)first, (long long)last,
                   (long long)size, dim + 1, tensor_shape_text(x).text);
  memcpy(call->memo, (int64_t[]){ dim, from - 1, step, (to - from) / step + 1, 0 }, 5 * sizeof *call->memo);
  if (to == from - 1) call->memo[MEMO_COUNT] = call->memo[MEMO_START] = 0;
  return part_output(call);
}

static status backward(op_call *call) {
  context *c = call->context;
  const tensor_meta *meta = &call->input_meta[0];
  tensor *dx = tensor_zeros(c, meta->dtype, meta->n_dims, meta->shape);
  if (dx == NULL) return STATUS_NO_MEMORY;
  call->input_gradients[0] = dx;
  tensor *part = part_of(c, dx, call->memo);
  if (part == NULL) return STATUS_NO_MEMORY;
  status code = tensor_copy(c, part, call->output_gradients[0]);
  tensor_release(part);
  return code;
}

static const parameter select_parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL }, { "dim", P_DIM, 0, NULL, NULL }, { "index", P_INTEGER, 0, NULL, NULL }, { 0 }
};
static const parameter slice_parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { "dim", P_DIM, 0, NULL, NULL },
                                              { "first", P_INTEGER, 0, "1", NULL }, { "last", P_INTEGER, 0, "-1", NULL },
                                              { "step", P_INTEGER, 0, "1", NULL }, { 0 } };
static const char *const select_samples[] = { "x=normal(4,3) dim=1 index=2", "x=normal(2,3,4):t dim=-1 index=-1",
                                              "x=normal(9,3,2):lanes dim=2 index=3", NULL };
static const char *const slice_samples[] = { "x=normal(5,3) dim=1 first=2 last=4", "x=normal(5,7):t dim=2 first=1 last=-1 step=2",
                                             "x=normal(9,3,4):lanes dim=1 first=3 last=5", "x=normal(3,4) dim=1 first=2 last=1", NULL };

const op op_select = { .name = "select",
                       .flags = OP_METHOD,
                       .help = "select(x, dim, index) -> tensor\n\nThe view at position `index` of dim, without that dim.",
                       .parameters = select_parameters,
                       .n_outputs = 1,
                       .forward = select_forward,
                       .backward = backward,
                       .samples = select_samples };

const op op_slice = { .name = "slice",
                      .flags = OP_METHOD,
                      .help = "slice(x, dim, first = 1, last = -1, step = 1) -> tensor\n\nThe view of positions first..last of dim; both ends are in it.",
                      .parameters = slice_parameters,
                      .n_outputs = 1,
                      .forward = slice_forward,
                      .backward = backward,
                      .samples = slice_samples };
