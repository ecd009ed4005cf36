/* roll.c -- y = x moved along dims by shifts, what leaves at the end comes in at the beginning.  Without dims over the
** flattened tensor.  dx is dy moved back. */
#include <string.h>

#include "op.h"

/* to's places [to_start, + n) along dim = from's places [from_start, + n). */
static status copy_part(context *c, tensor *to, int64_t to_start, tensor *from, int64_t from_start, int64_t n,
                        int dim) {
  int64_t shape[MAX_DIMS];
  memcpy(shape, to->shape, sizeof shape);
  shape[dim] = n;
  tensor *a = tensor_view(c, to, to->n_dims, shape, to->stride, to->offset + to_start * to->stride[dim]);
  tensor *b = tensor_view(c, from, from->n_dims, shape, from->stride, from->offset + from_start * from->stride[dim]);
  status code = a != NULL && b != NULL ? tensor_copy(c, a, b) : STATUS_NO_MEMORY;
  tensor_release(a);
  tensor_release(b);
  return code;
}

/* A copy of x moved along one dim (a new reference). */
static tensor *moved(context *c, tensor *x, int dim, int64_t shift) {
  tensor *y = tensor_new_like(c, x, x->dtype);
  int64_t n = x->shape[dim];
  if (y == NULL || tensor_numel(x) == 0) return y;
  shift = (shift % n + n) % n;
  status code = copy_part(c, y, shift, x, 0, n - shift, dim);
  if (code == STATUS_OK && shift > 0) code = copy_part(c, y, 0, x, n - shift, shift, dim);
  if (code == STATUS_OK) return y;
  tensor_release(y);
  return NULL;
}

static tensor *moved_flat(context *c, tensor *x, int64_t shift) {
  int64_t n = tensor_numel(x), stride = 1, strides[MAX_DIMS];
  tensor *dense = tensor_contiguous(c, x);
  tensor *flat = dense != NULL ? tensor_view(c, dense, 1, &n, &stride, dense->offset) : NULL;
  tensor *y = flat != NULL ? moved(c, flat, 0, shift) : NULL;
  shape_contiguous_strides(x->n_dims, x->shape, strides);
  tensor *out = y != NULL ? tensor_view(c, y, x->n_dims, x->shape, strides, 0) : NULL;
  tensor_release(dense);
  tensor_release(flat);
  tensor_release(y);
  return out;
}

static tensor *moved_along_all(op_call *call, tensor *x, const int *dims, int64_t sign) {
  tensor *y = tensor_retain(x);
  for (int i = 0; i < call->values[1].list.count && y != NULL; i++) {
    tensor *next = moved(call->context, y, dims[i], sign * call->values[0].list.items[i]);
    tensor_release(y);
    y = next;
  }
  return y;
}

/* Dims are taken in the order in which they were given, and may be given twice. */
static status roll(op_call *call, tensor *x, int64_t sign, tensor **y) {
  int n_shifts = call->values[0].list.count, n_dims = call->values[1].list.count, dims[MAX_DIMS];
  if (n_dims == 0 && n_shifts != 1) return op_fail(call, "%d shifts need as many dims", n_shifts);
  if (n_dims > 0 && n_dims != n_shifts) return op_fail(call, "%d shifts but %d dims", n_shifts, n_dims);
  for (int i = 0; i < n_dims; i++) {
    int64_t dim = call->values[1].list.items[i];
    dims[i] = (int)(dim < 0 ? dim + x->n_dims : dim - 1);
    if (dim == 0 || dim < -x->n_dims || dim > x->n_dims)
      return op_fail(call, "dim %lld does not exist in a tensor of %d dims", (long long)dim, x->n_dims);
  }
  *y = n_dims == 0 ? moved_flat(call->context, x, sign * call->values[0].list.items[0])
                   : moved_along_all(call, x, dims, sign);
  return *y != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static status forward(op_call *call) { return roll(call, call->inputs[0], 1, &call->outputs[0]); }
static status backward(op_call *call) {
  return roll(call, call->output_gradients[0], -1, &call->input_gradients[0]);
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "shifts", P_DIMS, 0, NULL, NULL },
  { "dims", P_DIMS, 0, "", NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4) shifts=1 dims=1",
  "x=normal(2,3,5):t shifts=-2,7 dims=-1,1",
  "x=normal(5,7):lanes shifts=3 dims=2",
  "x=normal(3,4) shifts=5",
  NULL,
};

const op op_roll = {
  .name = "roll",
  .flags = OP_METHOD,
  .help = "roll(x, shifts, dims = none) -> tensor\n\n"
          "x moved by shifts along dims (each an integer or a list of them); what leaves at the end comes in at the\n"
          "beginning.  Without dims the elements move in row order.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
