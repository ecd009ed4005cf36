/* copy.c -- clone(x), contiguous(x), to(x, dtype): the same values in other memory.  Backward hands dy on. */
#include "op.h"

enum { DTYPE };

static status finish(op_call *call, tensor *out) {
  call->outputs[0] = out;
  return out != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static status clone_forward(op_call *call) { return finish(call, tensor_clone(call->context, call->inputs[0])); }

/* An output must be a tensor of its own for the tape, hence the alias where nothing is to be done. */
static status alias_of(op_call *call, tensor *made) {
  if (made == NULL || made != call->inputs[0]) return finish(call, made);
  tensor *alias = tensor_alias(call->context, made);
  tensor_release(made);
  return finish(call, alias);
}

static status contiguous_forward(op_call *call) {
  return alias_of(call, tensor_contiguous(call->context, call->inputs[0]));
}

static status to_forward(op_call *call) {
  return alias_of(call, tensor_to(call->context, call->inputs[0], (dtype)call->values[DTYPE].integer));
}

static status backward(op_call *call) {
  call->input_gradients[0] = tensor_to(call->context, call->output_gradients[0], call->input_meta[0].dtype);
  return call->input_gradients[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static const parameter only_x[] = { { "x", P_TENSOR, 0, NULL, NULL }, { 0 } };
static const parameter to_parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { "dtype", P_DTYPE, 0, NULL, NULL }, { 0 } };
static const char *const copy_samples[] = { "x=normal(2,3)", "x=normal(2,3,4):t", "x=normal(17,3,2):lanes", NULL };
static const char *const to_samples[] = { "x=normal(2,3) dtype=float64", "x=normal(2,3):t dtype=float32",
                                          "x=uint8(2,3) dtype=float32", "x=int64(2,3) dtype=uint8", "x=bool(4) dtype=int64",
                                          "x=normal(2,3) dtype=bool", NULL };

const op op_clone = { .name = "clone",
                      .flags = OP_METHOD,
                      .help = "clone(x) -> tensor\n\nA copy with memory of its own, in x's memory order.",
                      .parameters = only_x,
                      .n_outputs = 1,
                      .forward = clone_forward,
                      .backward = backward,
                      .samples = copy_samples };

const op op_contiguous = { .name = "contiguous",
                           .flags = OP_METHOD,
                           .help = "contiguous(x) -> tensor\n\nx in row-major order: the same elements if it is already, else a copy.",
                           .parameters = only_x,
                           .n_outputs = 1,
                           .forward = contiguous_forward,
                           .backward = backward,
                           .samples = copy_samples };

const op op_to = { .name = "to",
                   .flags = OP_METHOD,
                   .help = "to(x, dtype) -> tensor\n\nx as bool, uint8, int64, float32 or float64; the same elements if it is already.  A float "
                           "becomes an integer by truncation, clamped to the type's range; NaN becomes 0.",
                   .parameters = to_parameters,
                   .n_outputs = 1,
                   .forward = to_forward,
                   .backward = backward,
                   .samples = to_samples };
