/* sort.c -- sort, argsort and topk along a dim; stable, NaN last (first when descending), indices 1-based.
** The gradient goes back to where the values came from. */
#include <string.h>

#include "indices.h"
#include "lines.h"
#include "order.h"

typedef struct wanted {
  dtype d;
  bool descending;
  int64_t k;           /* how many; < 0: all */
} wanted;

/* data: values [k], indices [k], x [n]. */
static void order_line(const line *l) {
  const wanted *w = l->extra;
  int64_t n = l->length[2], *index = l->data[1];
  size_t size = dtype_size(w->d);
  const order_item *items = w->k < 0 ? order_sort(w->d, n, l->data[2], w->descending, l->scratch)
                                     : order_first(w->d, n, l->data[2], w->descending, w->k, l->scratch);
  for (int64_t i = 0; i < l->length[1]; i++) {
    index[i] = items[i].index + 1;
    memcpy((char *)l->data[0] + (size_t)i * size, (const char *)l->data[2] + (size_t)items[i].index * size, size);
  }
}

/* outputs[0] = values, outputs[1] = indices. */
static status order(op_call *call, int dim, wanted w) {
  tensor *x = call->inputs[0];
  int64_t shape[MAX_DIMS], n = x->n_dims > 0 ? x->shape[dim] : 1;
  memcpy(shape, x->shape, sizeof shape);
  if (w.k >= 0 && x->n_dims > 0) shape[dim] = w.k;
  status code = op_output(call, 0, x->dtype, x->n_dims, shape);
  if (code == STATUS_OK) code = op_output(call, 1, DTYPE_INT64, x->n_dims, shape);
  if (code != STATUS_OK) return code;
  op_save(call, 0, call->outputs[1]);
  line_job job = { .function = order_line, .n_operands = 3, .n_outputs = 2,
                   .operands = { call->outputs[0], call->outputs[1], x }, .dim = dim,
                   .scratch_bytes = order_scratch(n), .extra = &w };
  return run_lines(call->context, &job);
}

static status dim_of(op_call *call, int k, int n_dims, int *dim) {
  *dim = 0;
  return op_dim_or_scalar(call, k, n_dims, dim);
}

static status sort_forward(op_call *call) {
  int dim;
  status code = dim_of(call, 0, call->inputs[0]->n_dims, &dim);
  return code == STATUS_OK ? order(call, dim, (wanted){ call->inputs[0]->dtype, call->values[1].flag, -1 }) : code;
}

static status argsort_forward(op_call *call) {
  status code = sort_forward(call);
  if (code != STATUS_OK) return code;
  tensor_release(call->outputs[0]);
  call->outputs[0] = call->outputs[1];
  call->outputs[1] = NULL;
  return STATUS_OK;
}

static status topk_forward(op_call *call) {
  const tensor *x = call->inputs[0];
  int dim;
  int64_t k = call->values[0].integer;
  status code = dim_of(call, 1, x->n_dims, &dim);
  if (code != STATUS_OK) return code;
  int64_t n = x->n_dims > 0 ? x->shape[dim] : 1;
  if (k < 0 || k > n)
    return op_fail(call, "k is %lld but dim %d of x, which is %s, has %lld elements", (long long)k, dim + 1,
                   tensor_shape_text(x).text, (long long)n);
  return order(call, dim, (wanted){ x->dtype, call->values[2].flag, k });
}

static status gradient(op_call *call, int k) {
  const tensor_meta *meta = &call->input_meta[0];
  int dim;
  status code = dim_of(call, k, meta->n_dims, &dim);
  if (code != STATUS_OK) return code;
  tensor *dx = call->input_gradients[0] = tensor_zeros(call->context, meta->dtype, meta->n_dims, meta->shape);
  if (dx == NULL) return STATUS_NO_MEMORY;
  return indices_along(call->context, INDICES_ADD, dim, call->saved[0], dx, call->output_gradients[0]);
}

static status sort_backward(op_call *call) { return gradient(call, 0); }
static status topk_backward(op_call *call) { return gradient(call, 1); }

static const parameter sort_parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "dim", P_DIM, 0, "-1", NULL },
  { "descending", P_FLAG, 0, "false", NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const parameter topk_parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "k", P_INTEGER, 0, NULL, NULL },
  { "dim", P_DIM, 0, "-1", NULL },
  { "largest", P_FLAG, 0, "true", NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const sort_samples[] = {
  "x=distinct(3,4)",
  "x=distinct(3,4) dim=1 descending=true",
  "x=distinct(2,3,5):t dim=-2",
  "x=distinct(5,7):lanes dim=1",
  "x=distinct(37)",
  "bench x=normal(1000,1000)",
  NULL,
};

static const char *const topk_samples[] = {
  "x=distinct(3,4) k=2",
  "x=distinct(3,4) k=1 dim=1 largest=false",
  "x=distinct(2,3,5):t k=3 dim=-2",
  "x=distinct(5,7):lanes k=4 dim=1",
  "x=distinct(97) k=80",
  "bench x=normal(1000,1000) k=10",
  NULL,
};

const op op_sort = {
  .name = "sort",
  .flags = OP_METHOD,
  .help = "sort(x, dim = -1, descending = false) -> values, indices\n\n"
          "The elements in order along dim, and their 1-based places in x.  Equal elements stay in their order; NaN counts\n"
          "as the largest.",
  .parameters = sort_parameters,
  .n_outputs = 2,
  .forward = sort_forward,
  .backward = sort_backward,
  .samples = sort_samples,
};

const op op_argsort = {
  .name = "argsort",
  .flags = OP_METHOD,
  .help = "argsort(x, dim = -1, descending = false) -> int64 tensor\n\n"
          "The 1-based places of the elements of x in order along dim.  Equal elements stay in their order; NaN counts as\n"
          "the largest.",
  .parameters = sort_parameters,
  .n_outputs = 1,
  .forward = argsort_forward,
  .samples = sort_samples,
};

const op op_topk = {
  .name = "topk",
  .flags = OP_METHOD,
  .help = "topk(x, k, dim = -1, largest = true) -> values, indices\n\n"
          "The k largest (or smallest) elements along dim, in order, and their 1-based places in x.  NaN counts as the\n"
          "largest.",
  .parameters = topk_parameters,
  .n_outputs = 2,
  .forward = topk_forward,
  .backward = topk_backward,
  .samples = topk_samples,
};
