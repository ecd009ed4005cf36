/* lapack_pool.c -- see lapack_pool.h. */
#include "lapack_pool.h"

#include <string.h>

#include "lapack.h"
#include "matmul.h"

void pool_release(pool *p) {
  for (int i = 0; i < p->n_tensors; i++) tensor_release(p->tensors[i]);
  p->n_tensors = 0;
}

tensor *pool_add(pool *p, tensor *t) {
  if (t == NULL || p->n_tensors == POOL_SIZE) {
    tensor_release(t);
    return NULL;
  }
  p->tensors[p->n_tensors++] = t;
  return t;
}

tensor *pool_double(pool *p, tensor *t) {
  if (t == NULL) return NULL;
  tensor *converted = pool_add(p, tensor_to(p->call->context, t, DTYPE_FLOAT64));
  return converted == NULL ? NULL : pool_add(p, tensor_contiguous(p->call->context, converted));
}

tensor *pool_transposed(pool *p, tensor *t) {
  return t == NULL ? NULL : pool_add(p, tensor_matrix_transposed(p->call->context, t));
}

/* A new tensor with the batch dims of `like`. */
static tensor *fresh(pool *p, const tensor *like, int64_t rows, int64_t columns) {
  int64_t shape[MAX_DIMS];
  memcpy(shape, like->shape, sizeof shape);
  shape[like->n_dims - 2] = rows;
  shape[like->n_dims - 1] = columns;
  return pool_add(p, tensor_new(p->call->context, DTYPE_FLOAT64, like->n_dims, shape));
}

tensor *pool_product(pool *p, tensor *a, tensor *b) {
  if (a == NULL || b == NULL) return NULL;
  tensor *out = fresh(p, a, a->shape[a->n_dims - 2], b->shape[b->n_dims - 1]);
  if (out == NULL) return NULL;
  return tensor_product(p->call->context, p->call->op->name, out, a, b, 1.0, 0.0) == STATUS_OK ? out : NULL;
}

tensor *pool_sum(pool *p, tensor *a, tensor *b, double factor) {
  a = pool_double(p, a);   /* contiguous both */
  b = pool_double(p, b);
  if (a == NULL || b == NULL) return NULL;
  tensor *out = pool_add(p, tensor_new(p->call->context, DTYPE_FLOAT64, a->n_dims, a->shape));
  if (out == NULL) return NULL;
  const double *x = tensor_float64(a), *y = tensor_float64(b);
  double *to = tensor_float64(out);
  int64_t n = tensor_numel(out);
  for (int64_t i = 0; i < n; i++) to[i] = x[i] + factor * y[i];
  return out;
}

tensor *pool_map(pool *p, tensor *a, tensor *vectors, double (*function)(int64_t i, int64_t j, const pool_item *item)) {
  a = pool_double(p, a);
  if (a == NULL) return NULL;
  int64_t rows = a->shape[a->n_dims - 2], columns = a->shape[a->n_dims - 1], n_batch = lapack_batch(a);
  tensor *out = fresh(p, a, rows, columns);
  if (out == NULL) return NULL;
  pool_item item = { NULL, columns, 1, NULL, vectors == NULL ? 0 : vectors->shape[vectors->n_dims - 1] };
  for (int64_t m = 0; m < n_batch; m++) {
    double *to = lapack_member(out, m, rows * columns);
    item.a = lapack_member(a, m, rows * columns);
    if (vectors != NULL) item.v = lapack_member(vectors, m, item.k);
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < columns; j++) to[i * columns + j] = function(i, j, &item);
  }
  return out;
}

status pool_give(pool *p, int i, tensor *t, int drop) {
  const tensor_meta *meta = &p->call->input_meta[i];
  t = pool_double(p, t);
  if (t == NULL) return STATUS_NO_MEMORY;
  tensor *view = tensor_view(p->call->context, t, t->n_dims - drop, t->shape, t->stride, t->offset);
  if (view == NULL) return STATUS_NO_MEMORY;
  p->call->input_gradients[i] = tensor_to(p->call->context, view, meta->dtype);
  tensor_release(view);
  return p->call->input_gradients[i] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}
