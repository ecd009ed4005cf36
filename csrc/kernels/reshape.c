/* reshape.c -- the same elements, in the same row-major order, under another shape.
**
** A view where the strides allow it (always for contiguous tensors, and for flatten(2) of the lanes order), else a
** copy.  Backward reshapes dy to x's shape the same way. */
#include "reshape.h"

#include <string.h>

#include "../tensor/transpose.h"
#include "op.h"

enum { SIZES };

/* Walks both shapes from the back and matches groups of dimensions with equal products: within a group of x's
** dimensions that lie behind one another in memory, any split is a view. */
bool reshape_strides(const tensor *x, int n_dims, const int64_t *shape, int64_t *stride) {
  int64_t old_shape[MAX_DIMS], old_stride[MAX_DIMS];
  int n_old = 0;
  for (int d = 0; d < x->n_dims; d++) {
    if (x->shape[d] == 1) continue;
    old_shape[n_old] = x->shape[d];
    old_stride[n_old++] = x->stride[d];
  }
  if (tensor_numel(x) == 0) {
    shape_contiguous_strides(n_dims, shape, stride);
    return true;
  }
  int at = n_dims - 1, old = n_old - 1;
  while (old >= 0) {
    int64_t step = old_stride[old], group = old_shape[old];
    while (old > 0 && old_stride[old - 1] == old_shape[old] * old_stride[old]) group *= old_shape[--old];
    old--;
    for (; group > 1; at--) {
      if (at < 0 || shape[at] < 1 || group % shape[at] != 0) return false;
      stride[at] = step;
      step *= shape[at];
      group /= shape[at];
    }
  }
  for (; at >= 0; at--) stride[at] = at + 1 < n_dims ? stride[at + 1] * shape[at + 1] : 1;
  return true;
}

tensor *reshaped(context *c, tensor *x, int n_dims, const int64_t *shape) {
  int64_t stride[MAX_DIMS];
  if (reshape_strides(x, n_dims, shape, stride)) return tensor_view(c, x, n_dims, shape, stride, x->offset);
  tensor *dense = tensor_contiguous(c, x);
  if (dense == NULL) return NULL;
  shape_contiguous_strides(n_dims, shape, stride);
  tensor *out = tensor_view(c, dense, n_dims, shape, stride, dense->offset);
  tensor_release(dense);
  if (out != NULL) out->is_view = false;
  return out;
}

status reshape_output(op_call *call, int n_dims, const int64_t *shape) {
  call->outputs[0] = reshaped(call->context, call->inputs[0], n_dims, shape);
  return call->outputs[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

status reshape_backward(op_call *call) {
  const tensor_meta *meta = &call->input_meta[0];
  call->input_gradients[0] = reshaped(call->context, call->output_gradients[0], meta->n_dims, meta->shape);
  return call->input_gradients[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

typedef struct turn { int64_t channels, pixels; } turn;

static void run_turn(const void *own, const context *c, float *y, const float *x, int64_t x_sample, int64_t n) {
  const turn *t = own;
  for (int64_t i = 0; i < n; i++)
    transpose_float32(c, y + i * t->channels * t->pixels, t->pixels, x + i * x_sample, t->channels, t->pixels,
                      t->channels);
}

/* Do x's samples (C, ...) lie in memory as (..., C)? */
static bool is_channels_last(const tensor *x, turn *t) {
  if (x->n_dims < 3 || x->stride[1] != 1) return false;
  int64_t step = x->shape[1];
  for (int d = x->n_dims - 1; d > 1; step *= x->shape[d--])
    if (x->stride[d] != step) return false;
  *t = (turn){ x->shape[1], step / x->shape[1] };
  return true;
}

bool reshape_repeat(const op_call *call, op_step *s) {
  turn t;
  const tensor *x = call->inputs[0];
  if (call->outputs[0]->storage == x->storage) return true;
  if (!is_channels_last(x, &t)) return false;
  turn *own = context_get(call->context, sizeof *own);
  if (own == NULL) return false;
  *own = t;
  *s = (op_step){ .run = run_turn, .own = own, .own_bytes = sizeof *own, .most = s->most };
  return true;
}

status reshape_sizes(op_call *call, int64_t numel, int n_dims, int64_t *shape, bool *fits) {
  int64_t known;
  int unknown = -1;
  for (int d = 0; d < n_dims; d++) {
    if (shape[d] != -1) continue;
    if (unknown >= 0) return op_fail(call, "only one size can be -1");
    unknown = d;
    shape[d] = 1;
  }
  if (!shape_numel(n_dims, shape, &known)) return op_fail(call, "impossible sizes %s", shape_to_text(n_dims, shape).text);
  *fits = unknown < 0 ? known == numel : known > 0 && numel % known == 0;
  if (unknown >= 0) shape[unknown] = *fits ? numel / known : -1;
  return STATUS_OK;
}

static status forward(op_call *call) {
  int64_t shape[MAX_DIMS];
  int n_dims = call->values[SIZES].list.count;
  memcpy(shape, call->values[SIZES].list.items, sizeof shape);
  const tensor *x = call->inputs[0];
  bool fits;
  status code = reshape_sizes(call, tensor_numel(x), n_dims, shape, &fits);
  if (code == STATUS_OK && !fits)
    code = op_fail(call, "x %s has %lld elements and does not fit into %s", tensor_shape_text(x).text,
                   (long long)tensor_numel(x), shape_to_text(n_dims, shape).text);
  return code == STATUS_OK ? reshape_output(call, n_dims, shape) : code;
}

static const parameter parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { "sizes", P_SIZES, 0, NULL, NULL }, { 0 } };
static const char *const samples[] = { "x=normal(2,3,4) sizes=4,6",       "x=normal(2,3,4):t sizes=-1",
                                       "x=normal(6,4) sizes=2,3,-1,2",    "x=normal(5,3,2):lanes sizes=5,6",
                                       "bench x=normal(256,32,3,3):lanes sizes=256,288", NULL };

const op op_reshape = { .name = "reshape",
                        .flags = OP_METHOD,
                        .help = "reshape(x, sizes...) -> tensor\n\nThe same elements in row-major order under another shape; one size may "
                                "be -1.  A view of x where its strides allow that, else a copy.",
                        .parameters = parameters,
                        .n_outputs = 1,
                        .forward = forward,
                        .backward = reshape_backward,
                        .samples = samples };
