/* tensor.c -- making, sharing and releasing tensors and their storage.  See tensor.h. */
#include "tensor.h"

#include <string.h>

#include "derived.h"

static storage *storage_new(context *c, size_t n_bytes) {
  storage *s = context_get(c, sizeof *s);
  if (s == NULL) return NULL;
  void *data = context_get(c, n_bytes);
  if (data == NULL) {
    context_put(c, s, sizeof *s);
    return NULL;
  }
  atomic_init(&s->references, 1);
  atomic_init(&s->watchers, 1);
  atomic_init(&s->version, 0);
  atomic_init(&s->derived, NULL);
  s->n_bytes = n_bytes;
  s->data = data;
  s->memory = c->memory;
  return s;
}

static void storage_release(storage *s) {
  if (atomic_fetch_sub(&s->references, 1) != 1) return;
  derived_free(s->memory, atomic_load(&s->derived));
  allocator_put(s->memory, s->data, s->n_bytes > 0 ? s->n_bytes : 1);
  storage_unwatch(s);
}

storage *storage_watch(storage *s) {
  atomic_fetch_add(&s->watchers, 1);
  return s;
}

void storage_unwatch(storage *s) {
  if (s != NULL && atomic_fetch_sub(&s->watchers, 1) == 1) allocator_put(s->memory, s, sizeof *s);
}

/* The header alone: no storage, strides undefined. */
static tensor *header_new(context *c, dtype d, int n_dims, const int64_t *shape) {
  tensor *t = context_get(c, sizeof *t);
  if (t == NULL) return NULL;
  memset(t, 0, sizeof *t);
  atomic_init(&t->references, 1);
  t->dtype = d;
  t->n_dims = n_dims;
  t->memory = c->memory;
  if (n_dims > 0) memcpy(t->shape, shape, (size_t)n_dims * sizeof *shape);
  allocator_count_tensor(c->memory, 1);
  return t;
}

static void header_free(tensor *t) {
  allocator_count_tensor(t->memory, -1);
  allocator_put(t->memory, t, sizeof *t);
}

static tensor *new_with_room(context *c, dtype d, int n_dims, const int64_t *shape, int64_t n_items) {
  tensor *t = header_new(c, d, n_dims, shape);
  if (t == NULL) return NULL;
  t->storage = storage_new(c, (size_t)n_items * dtype_size(d));
  if (t->storage == NULL) {
    header_free(t);
    return NULL;
  }
  return t;
}

/* Counts the elements, or leaves the message. */
static bool checked_numel(context *c, int n_dims, const int64_t *shape, int64_t *out) {
  if (n_dims > MAX_DIMS) {
    context_fail(c, STATUS_INVALID, "a tensor has at most %d dimensions, not %d", MAX_DIMS, n_dims);
    return false;
  }
  if (shape_numel(n_dims, shape, out)) return true;
  context_fail(c, STATUS_INVALID, "impossible shape %s: sizes must be 0 or more and their product must fit",
               shape_to_text(n_dims, shape).text);
  return false;
}

tensor *tensor_new(context *c, dtype d, int n_dims, const int64_t *shape) {
  int64_t n;
  if (!checked_numel(c, n_dims, shape, &n)) return NULL;
  tensor *t = new_with_room(c, d, n_dims, shape, n);
  if (t != NULL) shape_contiguous_strides(n_dims, t->shape, t->stride);
  return t;
}

tensor *tensor_new_lanes(context *c, dtype d, int n_dims, const int64_t *shape) {
  int64_t padded[MAX_DIMS], n;
  if (!checked_numel(c, n_dims, shape, &n)) return NULL;
  memcpy(padded, shape, (size_t)n_dims * sizeof *shape);
  padded[0] = lanes_padded(shape[0]);
  if (!checked_numel(c, n_dims, padded, &n)) return NULL;
  tensor *t = new_with_room(c, d, n_dims, shape, n);
  if (t == NULL) return NULL;
  shape_contiguous_strides(n_dims - 1, t->shape + 1, t->stride + 1);
  for (int k = 1; k < n_dims; k++) t->stride[k] *= padded[0];
  t->stride[0] = 1;
  return t;
}

/* Dimensions from the outermost in memory to the innermost. */
static void sort_by_stride(const tensor *t, int order[MAX_DIMS]) {
  for (int d = 0; d < t->n_dims; d++) {
    int at = d;
    while (at > 0 && t->stride[order[at - 1]] < t->stride[d]) {
      order[at] = order[at - 1];
      at--;
    }
    order[at] = d;
  }
}

tensor *tensor_new_like(context *c, const tensor *t, dtype d) {
  if (tensor_is_contiguous(t)) return tensor_new(c, d, t->n_dims, t->shape);
  if (tensor_is_lanes(t)) return tensor_new_lanes(c, d, t->n_dims, t->shape);
  tensor *like = tensor_new(c, d, t->n_dims, t->shape);
  if (like == NULL || tensor_is_expanded(t)) return like;
  int order[MAX_DIMS];
  sort_by_stride(t, order);
  int64_t running = 1;
  for (int k = t->n_dims - 1; k >= 0; k--) {
    like->stride[order[k]] = running;
    running *= t->shape[order[k]] > 0 ? t->shape[order[k]] : 1;
  }
  return like;
}

static tensor *zeroed(tensor *t) {
  if (t != NULL) memset(t->storage->data, 0, t->storage->n_bytes);
  return t;
}

tensor *tensor_zeros(context *c, dtype d, int n_dims, const int64_t *shape) {
  return zeroed(tensor_new(c, d, n_dims, shape));
}

tensor *tensor_zeros_like(context *c, const tensor *t, dtype d) { return zeroed(tensor_new_like(c, t, d)); }

tensor *tensor_view(context *c, tensor *t, int n_dims, const int64_t *shape, const int64_t *stride,
                    int64_t offset) {
  tensor *view = header_new(c, t->dtype, n_dims, shape);
  if (view == NULL) return NULL;
  if (n_dims > 0) memcpy(view->stride, stride, (size_t)n_dims * sizeof *stride);
  view->offset = offset;
  view->storage = t->storage;
  view->is_view = true;
  atomic_fetch_add(&t->storage->references, 1);
  return view;
}

tensor *tensor_alias(context *c, tensor *t) {
  tensor *alias = tensor_view(c, t, t->n_dims, t->shape, t->stride, t->offset);
  if (alias != NULL) alias->is_number = t->is_number;
  return alias;
}

void tensor_exchange_memory(tensor *a, tensor *b) {
  struct { dtype dtype; bool is_view; int64_t offset; storage *storage; int64_t stride[MAX_DIMS]; } of_a;
  of_a.dtype = a->dtype, of_a.is_view = a->is_view, of_a.offset = a->offset, of_a.storage = a->storage;
  memcpy(of_a.stride, a->stride, sizeof of_a.stride);
  a->dtype = b->dtype, a->is_view = b->is_view, a->offset = b->offset, a->storage = b->storage;
  memcpy(a->stride, b->stride, sizeof a->stride);
  b->dtype = of_a.dtype, b->is_view = of_a.is_view, b->offset = of_a.offset, b->storage = of_a.storage;
  memcpy(b->stride, of_a.stride, sizeof b->stride);
}

tensor *tensor_retain(tensor *t) {
  if (t != NULL) atomic_fetch_add(&t->references, 1);
  return t;
}

void tensor_release(tensor *t) {
  if (t == NULL || atomic_fetch_sub(&t->references, 1) != 1) return;
  if (t->history != NULL) t->history->release(t->history);
  storage_release(t->storage);
  header_free(t);
}

bool tensor_owns_alone(const tensor *t) {
  return atomic_load(&t->references) == 1 && atomic_load(&t->storage->references) == 1 &&
         atomic_load(&t->storage->derived) == NULL;
}
