/* nll_loss.c -- negative log likelihood, x = log of probabilities, y the class, w the classes' weights:
**   loss[s] = -w[y] x[s, y], 0 where y = ignore_index;   none, their sum, or sum / sum of w[y]
**   dx[s, y] = -w[y] g[s], all others 0 */
#include <string.h>

#include "class_loss.h"

enum { IGNORE_INDEX, REDUCTION };

static status forward(op_call *call) {
  int64_t ignore = call->values[IGNORE_INDEX].integer;
  status code = class_begin(call, ignore);
  if (code != STATUS_OK) return code;
  const tensor *x = call->saved[CLASS_SCORES];
  const int64_t *label = tensor_int64(call->saved[CLASS_TARGET]);
  class_layout l = class_layout_of(x);
  size_t n_bytes = (size_t)(l.n_samples + 1) * sizeof(double);
  double *losses = context_get(call->context, n_bytes);
  if (losses == NULL) return STATUS_NO_MEMORY;
  for (int64_t s = 0; s < l.n_samples; s++) {
    losses[s] = 0.0;
    if (label[s] == ignore) continue;
    int64_t at = class_place(&l, s) + (label[s] - 1) * l.class_stride;
    double score = x->dtype == DTYPE_FLOAT32 ? (double)tensor_float32(x)[at] : tensor_float64(x)[at];
    losses[s] = -class_sample_weight(call, s, ignore) * score;
  }
  code = class_finish(call, losses, call->values[REDUCTION].integer, ignore);
  context_put(call->context, losses, n_bytes);
  return code;
}

static status backward(op_call *call) {
  int64_t ignore = call->values[IGNORE_INDEX].integer;
  const int64_t *label = tensor_int64(call->saved[CLASS_TARGET]);
  class_incoming g;
  status code = class_incoming_begin(call, call->values[REDUCTION].integer, ignore, &g);
  if (code == STATUS_OK) code = op_gradient_like(call, 0, call->saved[CLASS_SCORES]);
  if (code == STATUS_OK) {
    tensor *dx = call->input_gradients[0];
    class_layout l = class_layout_of(dx);
    memset(dx->storage->data, 0, dx->storage->n_bytes);
    for (int64_t s = 0; s < l.n_samples; s++) {
      if (label[s] == ignore) continue;
      int64_t at = class_place(&l, s) + (label[s] - 1) * l.class_stride;
      double slope = -class_sample_weight(call, s, ignore) * class_incoming_at(&g, s);
      if (dx->dtype == DTYPE_FLOAT32) tensor_float32(dx)[at] = (float)slope;
      else tensor_float64(dx)[at] = slope;
    }
  }
  class_incoming_end(&g);
  return code;
}

static const parameter parameters[] = {
  { "input", P_TENSOR, 0, NULL, NULL },
  { "target", P_TENSOR, 0, NULL, NULL },
  { "weight", P_TENSOR_OR_NIL, CONSTANT, NULL, NULL },
  { "ignore_index", P_INTEGER, OPTION, "-100", NULL },
  { "reduction", P_CHOICE, OPTION, "mean", "none|mean|sum" },
  { .name = NULL },
};

static const char *const samples[] = {
  "input=normal(5,4) target=index<4>(5)",
  "input=normal(17,3):lanes target=index<3>(17) weight=positive(3) reduction=sum",
  "input=normal(3,4,2,5) target=index<4>(3,2,5) weight=positive(4)",
  "input=normal(3,4,5):t target=index<4>(3,5) reduction=none ignore_index=2",
  "input=normal(6) target=index<6>()",
  NULL,
};

const op op_nll_loss = {
  .name = "nll_loss",
  .flags = OP_FUNCTIONAL,
  .help = "nll_loss(input, target [, weight [, { ignore_index = -100, reduction = \"mean\" }]]) -> tensor\n\n"
          "-weight[y] input[s, y]: input (N, C) or (N, C, d1, ...) holds logarithms of probabilities, target (N) or "
          "(N, d1, ...) the int64 classes 1..C.  The mean divides by the sum of the weights.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
