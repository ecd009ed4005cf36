/* one_hot.c -- y[..., k] = 1 where x = k, else 0: int64, one dim more than x.  No gradient. */
#include "indices.h"

static int64_t largest(const tensor *x) {
  int64_t n = tensor_numel(x), most = 0;
  for (int64_t i = 0; i < n; i++)
    if (tensor_int64(x)[i] > most) most = tensor_int64(x)[i];
  return most;
}

static status write_ones(op_call *call, const tensor *index, int64_t n_classes) {
  int64_t shape[MAX_DIMS], n = tensor_numel(index);
  for (int d = 0; d < index->n_dims; d++) shape[d] = index->shape[d];
  shape[index->n_dims] = n_classes;
  call->outputs[0] = tensor_zeros(call->context, DTYPE_INT64, index->n_dims + 1, shape);
  if (call->outputs[0] == NULL) return STATUS_NO_MEMORY;
  for (int64_t i = 0; i < n; i++) tensor_int64(call->outputs[0])[i * n_classes + tensor_int64(index)[i] - 1] = 1;
  return STATUS_OK;
}

static status forward(op_call *call) {
  int64_t n_classes = call->values[0].integer;
  tensor *index = NULL;
  if (call->inputs[0]->n_dims == MAX_DIMS) return op_fail(call, "x has %d dims already", MAX_DIMS);
  if (n_classes < 0 && n_classes != -1) return op_fail(call, "%lld classes", (long long)n_classes);
  status code = indices_checked(call, 0, n_classes < 0 ? INT64_MAX : n_classes, &index);
  if (code == STATUS_OK) code = write_ones(call, index, n_classes < 0 ? largest(index) : n_classes);
  tensor_release(index);
  return code;
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "num_classes", P_INTEGER, 0, "-1", NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = { "x=index<5>(7) num_classes=5", "x=index<3>(2,4):t num_classes=3", NULL };

const op op_one_hot = {
  .name = "one_hot",
  .flags = OP_FUNCTIONAL,
  .help = "one_hot(x, num_classes = -1) -> int64 tensor\n\n"
          "One dim more than x, with 1 at the place that x names and 0 elsewhere.  x is int64, 1-based; without num_classes\n"
          "the largest x counts.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .samples = samples,
};
