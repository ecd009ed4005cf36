/* cat.c -- tensors one behind the other along a dim.  The gradient is cut up again.
** As in PyTorch, a tensor (0) is left out beside tensors with other than one dim. */
#include <string.h>

#include "elementwise.h"

static bool is_nothing(int n_dims, const int64_t *shape) { return n_dims == 1 && shape[0] == 0; }

/* The first that is not left out, or the first. */
static int leader(const op_call *call) {
  for (int i = 0; i < call->n_inputs; i++)
    if (!is_nothing(call->inputs[i]->n_dims, call->inputs[i]->shape)) return i;
  return 0;
}

/* Items along dim that a tensor of this shape brings. */
static int64_t length_of(int n_dims, const int64_t *shape, int dim) {
  return is_nothing(n_dims, shape) ? 0 : shape[dim];
}

static status check_shapes(op_call *call, int dim, int leading) {
  const tensor *first = call->inputs[leading];
  for (int i = leading + 1; i < call->n_inputs; i++) {
    const tensor *t = call->inputs[i];
    if (is_nothing(t->n_dims, t->shape)) continue;
    bool fits = t->n_dims == first->n_dims;
    for (int d = 0; fits && d < t->n_dims; d++) fits = d == dim || t->shape[d] == first->shape[d];
    if (!fits)
      return op_fail(call, "tensor %d is %s but tensor %d is %s: only dim %d may differ", leading + 1,
                     tensor_shape_text(first).text, i + 1, tensor_shape_text(t).text, dim + 1);
  }
  return STATUS_OK;
}

/* The part of t that input i fills: a view. */
static tensor *part(op_call *call, tensor *t, int dim, int64_t start, int64_t length) {
  int64_t shape[MAX_DIMS];
  memcpy(shape, t->shape, sizeof shape);
  shape[dim] = length;
  return tensor_view(call->context, t, t->n_dims, shape, t->stride, t->offset + start * t->stride[dim]);
}

static status copy_parts(op_call *call, int dim) {
  int64_t start = 0;
  for (int i = 0; i < call->n_inputs; i++) {
    const tensor *from = call->inputs[i];
    int64_t length = length_of(from->n_dims, from->shape, dim);
    if (length == 0) continue;
    tensor *to = part(call, call->outputs[0], dim, start, length);
    status code = to != NULL ? tensor_copy(call->context, to, from) : STATUS_NO_MEMORY;
    tensor_release(to);
    if (code != STATUS_OK) return code;
    start += length;
  }
  return STATUS_OK;
}

static status forward(op_call *call) {
  int dim, leading = leader(call);
  int64_t shape[MAX_DIMS];
  const tensor *first = call->inputs[leading];
  if (first->n_dims == 0) return op_fail(call, "tensors with 0 dims have no place one behind the other; use stack");
  status code = op_dim(call, 0, first->n_dims, &dim);
  if (code == STATUS_OK) code = check_shapes(call, dim, leading);
  if (code != STATUS_OK) return code;
  memcpy(shape, first->shape, sizeof shape);
  for (int i = leading + 1; i < call->n_inputs; i++)
    shape[dim] += length_of(call->inputs[i]->n_dims, call->inputs[i]->shape, dim);
  code = op_output(call, 0, promoted_dtype(call->n_inputs, call->inputs), first->n_dims, shape);
  return code == STATUS_OK ? copy_parts(call, dim) : code;
}

static status backward(op_call *call) {
  tensor *dy = call->output_gradients[0];
  int64_t start = 0;
  int dim;
  status code = op_dim(call, 0, dy->n_dims, &dim);
  for (int i = 0; i < call->n_inputs && code == STATUS_OK; i++) {
    int64_t length = length_of(call->input_meta[i].n_dims, call->input_meta[i].shape, dim);
    if (call->needs_gradient[i]) {
      tensor *piece = part(call, dy, dim, start, length);
      code = op_gradient(call, i);
      if (piece == NULL) code = STATUS_NO_MEMORY;
      if (code == STATUS_OK && length > 0) code = tensor_copy(call->context, call->input_gradients[i], piece);
      tensor_release(piece);
    }
    start += length;
  }
  return code;
}

static const parameter parameters[] = {
  { "tensors", P_TENSOR_LIST, 0, NULL, NULL },
  { "dim", P_DIM, 0, "1", NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "tensors=normal(2,3);normal(4,3)",
  "tensors=normal(2,3):t;normal(2,1);normal(2,5):lanes dim=2",
  "tensors=normal(2,3,4);normal(2,3,4) dim=-2",
  "tensors=normal(5)",
  "bench tensors=normal(500,1000);normal(500,1000)",
  NULL,
};

const op op_cat = {
  .name = "cat",
  .flags = 0,
  .help = "cat(tensors, dim = 1) -> tensor\n\n"
          "The tensors of a list one behind the other along dim; their other sizes must be equal.\n"
          "A tensor (0) among tensors of more dims is left out.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
