/* matmul.c -- y = a b: the product of two matrices, of batches of them, or of vectors.
**
** a (..., M, K), b (..., K, N): y (..., M, N), contiguous; the dims before the last two broadcast as NumPy's.  A 1-dim
** a is a row (1, K), a 1-dim b a column (K, 1); the dim that was added is left out of y.  Any strides; operands whose
** last two dims do not lie as BLAS wants them are copied.
**
**   da = dy b^T,  db = a^T dy,  each summed over the dims along which it was broadcast. */
#include "matmul.h"

#include <string.h>

#include "matmul_product.h"

/* -- tensors of matrices -- */

tensor *tensor_matrix_transposed(context *c, tensor *t) {
  int64_t shape[MAX_DIMS], stride[MAX_DIMS];
  int d = t->n_dims;
  memcpy(shape, t->shape, sizeof shape);
  memcpy(stride, t->stride, sizeof stride);
  shape[d - 2] = t->shape[d - 1], shape[d - 1] = t->shape[d - 2];
  stride[d - 2] = t->stride[d - 1], stride[d - 1] = t->stride[d - 2];
  return tensor_view(c, t, d, shape, stride, t->offset);
}

/* (..., M, K) as one matrix (... M, K), where the strides allow it; else NULL without a message. */
static tensor *folded(context *c, tensor *t) {
  int d = t->n_dims;
  int64_t rows = d < 2 ? 1 : t->shape[d - 2];
  for (int i = d - 3; i >= 0; i--) {
    if (t->stride[i] != t->stride[i + 1] * t->shape[i + 1]) return NULL;
    rows *= t->shape[i];
  }
  int64_t shape[2] = { rows, t->shape[d - 1] }, stride[2] = { t->stride[d - 2], t->stride[d - 1] };
  return tensor_view(c, t, 2, shape, stride, t->offset);
}

/* offsets[i] = where member i of out's batch lies in t. */
static void member_offsets(int64_t *offsets, const tensor *out, const tensor *t, int64_t n_batch) {
  int batch_dims = out->n_dims - 2, missing = out->n_dims - t->n_dims;
  for (int64_t i = 0; i < n_batch; i++) {
    int64_t rest = i, offset = 0;
    for (int d = batch_dims - 1; d >= 0; d--) {
      int64_t index = rest % out->shape[d];
      rest /= out->shape[d];
      if (d >= missing && t->shape[d - missing] != 1) offset += index * t->stride[d - missing];
    }
    offsets[i] = offset;
  }
}

static status run_batched(context *c, product *p, const tensor *out, const tensor *a, const tensor *b) {
  p->n_batch = 1;
  for (int d = 0; d < out->n_dims - 2; d++) p->n_batch *= out->shape[d];
  if (p->n_batch == 1) return product_run(c, p);
  size_t n = (size_t)(p->n_batch > 0 ? p->n_batch : 1);
  int64_t *offsets = context_get(c, 3 * n * sizeof *offsets);
  if (offsets == NULL) return STATUS_NO_MEMORY;
  member_offsets(offsets, out, out, p->n_batch);
  member_offsets(offsets + n, out, a, p->n_batch);
  member_offsets(offsets + 2 * n, out, b, p->n_batch);
  p->out_offset = offsets;
  p->a_offset = offsets + n;
  p->b_offset = offsets + 2 * n;
  status code = product_run(c, p);
  context_put(c, offsets, 3 * n * sizeof *offsets);
  return code;
}

static status plain_product(context *c, const char *name, tensor *out, tensor *a, tensor *b, double alpha,
                            double beta) {
  product p = { .name = name, .dtype = out->dtype, .out = matrix_of(out), .alpha = alpha, .beta = beta };
  status code = product_check_sizes(c, name, p.out.rows, a->shape[a->n_dims - 1], p.out.columns);
  if (code != STATUS_OK) return code;
  tensor *plain_a = tensor_plain(c, a), *plain_b = tensor_plain(c, b);
  code = STATUS_NO_MEMORY;
  if (plain_a != NULL && plain_b != NULL) {
    p.a = matrix_of(plain_a);
    p.b = matrix_of(plain_b);
    code = run_batched(c, &p, out, plain_a, plain_b);
  }
  tensor_release(plain_a);
  tensor_release(plain_b);
  return code;
}

status tensor_product(context *c, const char *name, tensor *out, tensor *a, tensor *b, double alpha, double beta) {
  if (b->n_dims != 2 || a->n_dims != out->n_dims || a->n_dims <= 2)
    return plain_product(c, name, out, a, b, alpha, beta);
  /* one large product instead of a batch of small ones */
  tensor *a_folded = folded(c, a), *out_folded = folded(c, out);
  bool fold = a_folded != NULL && out_folded != NULL;
  status code = fold ? plain_product(c, name, out_folded, a_folded, b, alpha, beta)
                     : plain_product(c, name, out, a, b, alpha, beta);
  tensor_release(a_folded);
  tensor_release(out_folded);
  return code;
}

/* -- forward -- */

static tensor *view_as(context *c, tensor *t, matrix_view view) {
  if (view == VIEW_AS_IS) return tensor_retain(t);
  bool row = view == VIEW_AS_ROW;
  int64_t shape[2] = { row ? 1 : t->shape[0], row ? t->shape[0] : 1 };
  int64_t stride[2] = { row ? t->shape[0] * t->stride[0] : t->stride[0], row ? t->stride[0] : 1 };
  return tensor_view(c, t, 2, shape, stride, t->offset);
}

/* The full shape (..., M, N) of the product. */
static status product_shape(op_call *call, const tensor *a, const tensor *b, int *n_dims, int64_t *shape) {
  const char *a_name = op_input_name(call, call->n_inputs - 2), *b_name = op_input_name(call, call->n_inputs - 1);
  const tensor *a_given = call->inputs[call->n_inputs - 2], *b_given = call->inputs[call->n_inputs - 1];
  int64_t rows = a->shape[a->n_dims - 2], columns = b->shape[b->n_dims - 1];
  if (a->shape[a->n_dims - 1] != b->shape[b->n_dims - 2])
    return op_fail(call, "%s is %s but %s is %s: %lld columns against %lld rows", a_name,
                   tensor_shape_text(a_given).text, b_name, tensor_shape_text(b_given).text,
                   (long long)a->shape[a->n_dims - 1], (long long)b->shape[b->n_dims - 2]);
  if (!shape_broadcast(a->n_dims - 2, a->shape, b->n_dims - 2, b->shape, n_dims, shape))
    return op_fail(call, "%s is %s but %s is %s: the batch dims do not broadcast", a_name,
                   tensor_shape_text(a_given).text, b_name, tensor_shape_text(b_given).text);
  shape[(*n_dims)++] = rows;
  shape[(*n_dims)++] = columns;
  return product_check_sizes(call->context, call->op->name, rows, a->shape[a->n_dims - 1], columns);
}

/* shape without the dims that the views have added */
static int dropped(int n_dims, int64_t *shape, matrix_view a_view, matrix_view b_view) {
  if (b_view == VIEW_AS_COLUMN) n_dims--;
  if (a_view == VIEW_AS_ROW) {
    if (b_view != VIEW_AS_COLUMN) shape[n_dims - 2] = shape[n_dims - 1];
    n_dims--;
  }
  return n_dims;
}

static status run_views(op_call *call, tensor *a, tensor *b, bool drop) {
  context *c = call->context;
  int n_dims;
  int64_t full[MAX_DIMS + 2], shape[MAX_DIMS + 2], stride[MAX_DIMS];
  status code = product_shape(call, a, b, &n_dims, full);
  if (code != STATUS_OK) return code;
  memcpy(shape, full, sizeof shape);
  int n_left = drop ? dropped(n_dims, shape, (matrix_view)call->memo[0], (matrix_view)call->memo[1]) : n_dims;
  code = op_output(call, 0, a->dtype, n_left, shape);
  if (code != STATUS_OK) return code;
  shape_contiguous_strides(n_dims, full, stride);
  tensor *out = tensor_view(c, call->outputs[0], n_dims, full, stride, call->outputs[0]->offset);
  if (out == NULL) return STATUS_NO_MEMORY;
  code = tensor_product(c, call->op->name, out, a, b, 1.0, 0.0);
  tensor_release(out);
  return code;
}

status matmul_run(op_call *call, matrix_view a_view, matrix_view b_view, bool drop) {
  tensor *a = call->inputs[0], *b = call->inputs[1];
  call->memo[0] = a_view;
  call->memo[1] = b_view;
  call->memo[2] = drop;
  tensor *a_matrix = view_as(call->context, a, a_view), *b_matrix = view_as(call->context, b, b_view);
  status code = STATUS_NO_MEMORY;
  if (a_matrix != NULL && b_matrix != NULL) code = run_views(call, a_matrix, b_matrix, drop);
  tensor_release(a_matrix);
  tensor_release(b_matrix);
  if (call->needs_gradient[0]) op_save(call, 1, b);
  if (call->needs_gradient[1]) op_save(call, 0, a);
  return code;
}

status matmul_forward(op_call *call) {
  for (int i = 0; i < 2; i++)
    if (call->inputs[i]->n_dims == 0)
      return op_fail(call, "%s has no dims; multiply by a number with *", op_input_name(call, i));
  status code = op_require_float(call);
  if (code != STATUS_OK) return code;
  return matmul_run(call, call->inputs[0]->n_dims == 1 ? VIEW_AS_ROW : VIEW_AS_IS,
                    call->inputs[1]->n_dims == 1 ? VIEW_AS_COLUMN : VIEW_AS_IS, true);
}

/* -- backward -- */

/* dy (..., M, N), with the dims that the forward has dropped. */
static tensor *full_gradient(op_call *call) {
  tensor *g = call->output_gradients[0];
  if (!call->memo[2]) return tensor_retain(g);
  int64_t shape[MAX_DIMS + 2], stride[MAX_DIMS + 2];
  int n = g->n_dims;
  memcpy(shape, g->shape, sizeof g->shape);
  memcpy(stride, g->stride, sizeof g->stride);
  if (call->memo[1] == VIEW_AS_COLUMN) shape[n] = 1, stride[n] = 1, n++;
  if (call->memo[0] == VIEW_AS_ROW) {
    shape[n] = shape[n - 1], stride[n] = stride[n - 1];
    shape[n - 1] = 1, stride[n - 1] = 1, n++;
  }
  return tensor_view(call->context, g, n, shape, stride, g->offset);
}

/* A fresh product x y of the batch that g has, given as input i's gradient (which sums the broadcast dims). */
static status give_product(op_call *call, int i, const tensor *g, tensor *x, tensor *y) {
  context *c = call->context;
  matrix_view view = (matrix_view)call->memo[i];
  int64_t shape[MAX_DIMS];
  int n = g->n_dims;
  memcpy(shape, g->shape, sizeof shape);
  shape[n - 2] = x->shape[x->n_dims - 2];
  shape[n - 1] = y->shape[y->n_dims - 1];
  tensor *out = tensor_new(c, g->dtype, n, shape);
  if (out == NULL) return STATUS_NO_MEMORY;
  status code = tensor_product(c, call->op->name, out, x, y, 1.0, 0.0);
  if (code == STATUS_OK && view != VIEW_AS_IS) {   /* back to the vector that was given */
    if (view == VIEW_AS_ROW) shape[n - 2] = shape[n - 1];
    int64_t stride[MAX_DIMS];
    shape_contiguous_strides(n - 1, shape, stride);
    tensor *vector = tensor_view(c, out, n - 1, shape, stride, out->offset);
    tensor_release(out);
    if (vector == NULL) return STATUS_NO_MEMORY;
    out = vector;
  }
  if (code == STATUS_OK) code = op_gradient_unbroadcast(call, i, out);
  tensor_release(out);
  return code;
}

/* da = dy b^T */
static status gradient_of_a(op_call *call, tensor *g) {
  tensor *b = view_as(call->context, call->saved[1], (matrix_view)call->memo[1]);
  tensor *b_transposed = b == NULL ? NULL : tensor_matrix_transposed(call->context, b);
  status code = b_transposed == NULL ? STATUS_NO_MEMORY : give_product(call, 0, g, g, b_transposed);
  tensor_release(b_transposed);
  tensor_release(b);
  return code;
}

/* db = a^T dy; for one b under a whole batch of a, the batch is part of the sum: one product. */
static status gradient_of_b(op_call *call, tensor *g) {
  context *c = call->context;
  tensor *a = view_as(c, call->saved[0], (matrix_view)call->memo[0]);
  tensor *a_folded = NULL, *g_folded = NULL;
  if (a != NULL && call->input_meta[1].n_dims == 2 && a->n_dims > 2 && a->n_dims == g->n_dims) {
    a_folded = folded(c, a);
    g_folded = folded(c, g);
  }
  bool fold = a_folded != NULL && g_folded != NULL && a_folded->shape[0] == g_folded->shape[0];
  tensor *a_transposed = a == NULL ? NULL : tensor_matrix_transposed(c, fold ? a_folded : a);
  status code = STATUS_NO_MEMORY;
  if (a_transposed != NULL) code = give_product(call, 1, fold ? g_folded : g, a_transposed, fold ? g_folded : g);
  tensor_release(a_transposed);
  tensor_release(a_folded);
  tensor_release(g_folded);
  tensor_release(a);
  return code;
}

status matmul_backward(op_call *call) {
  tensor *g = full_gradient(call);
  if (g == NULL) return STATUS_NO_MEMORY;
  status code = STATUS_OK;
  if (call->needs_gradient[0]) code = gradient_of_a(call, g);
  if (code == STATUS_OK && call->needs_gradient[1]) code = gradient_of_b(call, g);
  tensor_release(g);
  return code;
}

/* -- registration -- */

double matmul_flops(const op_call *call) {
  const tensor *a = call->inputs[0];
  double depth = a->n_dims > 0 ? (double)a->shape[a->n_dims - 1] : 1.0;
  return 2.0 * (double)tensor_numel(call->outputs[0]) * depth;
}

static const parameter parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { "other", P_TENSOR, 0, NULL, NULL },
                                        { NULL, 0, 0, NULL, NULL } };

static const char *const samples[] = {
  "bench x=normal(512,512) other=normal(512,512)",
  "x=normal(3,5) other=normal(5,4)",
  "x=normal(7) other=normal(7)",
  "x=normal(7) other=normal(7,3)",
  "x=normal(3,7) other=normal(7)",
  "x=normal(2,3,7) other=normal(7)",
  "x=normal(7) other=normal(2,7,3)",
  "x=normal(2,3,5) other=normal(5,4)",
  "x=normal(5,1,3,2) other=normal(4,2,3)",
  "x=normal(3,2) other=normal(4,2,3)",
  "x=normal(19,13):t other=normal(13,17):t",
  "x=normal(9,11):lanes other=normal(11,6)",
  "x=normal(1,1) other=normal(1,1)",
  NULL
};

const op op_matmul = {
  .name = "matmul",
  .flags = OP_METHOD,
  .help = "matmul(x, other) -> tensor\n\n"
          "The matrix product x (..., M, K) times other (..., K, N): (..., M, N).  Dims before the last two\n"
          "broadcast.  A vector x (K) counts as a row, a vector other (K) as a column; the result then lacks that\n"
          "dim.  float32 or float64; both of one dtype.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = matmul_forward,
  .backward = matmul_backward,
  .samples = samples,
  .flops = matmul_flops,
};
