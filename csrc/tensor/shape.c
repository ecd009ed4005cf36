/* shape.c -- dtypes, sizes, strides and broadcasting: arithmetic on shapes, no memory. */
#include <stdio.h>
#include <string.h>

#include "tensor.h"

static const struct {
  const char *name;
  size_t size;
} DTYPES[N_DTYPES] = { { "bool", 1 }, { "uint8", 1 }, { "int64", 8 }, { "float32", 4 }, { "float64", 8 } };

size_t dtype_size(dtype d) { return DTYPES[d].size; }
const char *dtype_name(dtype d) { return DTYPES[d].name; }

bool dtype_from_name(const char *name, dtype *out) {
  for (int d = 0; d < N_DTYPES; d++) {
    if (strcmp(name, DTYPES[d].name) != 0) continue;
    *out = (dtype)d;
    return true;
  }
  return false;
}

/* The limit leaves room for padding and for bytes: no later product of a legal count can wrap. */
bool shape_numel(int n_dims, const int64_t *shape, int64_t *out) {
  const int64_t most = INT64_MAX / 64;
  int64_t n = 1;
  bool empty = false;
  for (int d = 0; d < n_dims; d++) {
    if (shape[d] < 0) return false;
    if (shape[d] == 0) {
      empty = true;
      continue;
    }
    if (n > most / shape[d]) return false;
    n *= shape[d];
  }
  *out = empty ? 0 : n;
  return true;
}

int64_t tensor_numel(const tensor *t) {
  int64_t n = 1;
  for (int d = 0; d < t->n_dims; d++) n *= t->shape[d];
  return n;
}

void shape_contiguous_strides(int n_dims, const int64_t *shape, int64_t *stride) {
  int64_t running = 1;
  for (int d = n_dims - 1; d >= 0; d--) {
    stride[d] = running;
    running *= shape[d] > 0 ? shape[d] : 1;
  }
}

bool tensor_is_expanded(const tensor *t) {
  for (int d = 0; d < t->n_dims; d++)
    if (t->stride[d] == 0 && t->shape[d] > 1) return true;
  return false;
}

bool shape_broadcast(int n_a, const int64_t *a, int n_b, const int64_t *b, int *n_out, int64_t *out) {
  int n = n_a > n_b ? n_a : n_b;
  for (int d = 0; d < n; d++) {
    int64_t size_a = d < n - n_a ? 1 : a[d - (n - n_a)];
    int64_t size_b = d < n - n_b ? 1 : b[d - (n - n_b)];
    if (size_a != size_b && size_a != 1 && size_b != 1) return false;
    out[d] = size_a == 1 ? size_b : size_a;
  }
  *n_out = n;
  return true;
}

int64_t lanes_padded(int64_t n) { return n <= 8 ? 8 : (n + 15) / 16 * 16; }

bool tensor_is_contiguous(const tensor *t) {
  int64_t running = 1;
  for (int d = t->n_dims - 1; d >= 0; d--) {
    if (t->shape[d] == 0) return true;
    if (t->shape[d] != 1 && t->stride[d] != running) return false;
    running *= t->shape[d];
  }
  return true;
}

/* The padding must lie inside the storage, since kernels read whole vectors of lanes. */
bool tensor_is_lanes(const tensor *t) {
  if (t->n_dims < 2 || tensor_numel(t) == 0) return false;
  if (t->shape[0] != 1 && t->stride[0] != 1) return false;
  if ((size_t)t->offset * dtype_size(t->dtype) % 64 != 0) return false;
  int64_t running = lanes_padded(t->shape[0]);
  for (int d = t->n_dims - 1; d >= 1; d--) {
    if (t->shape[d] != 1 && t->stride[d] != running) return false;
    running *= t->shape[d];
  }
  return (size_t)(t->offset + running) * dtype_size(t->dtype) <= t->storage->n_bytes;
}

bool tensor_same_shape(const tensor *a, const tensor *b) {
  return a->n_dims == b->n_dims && memcmp(a->shape, b->shape, (size_t)a->n_dims * sizeof *a->shape) == 0;
}

shape_text shape_to_text(int n_dims, const int64_t *shape) {
  shape_text out;
  size_t used = 0;
  used += (size_t)snprintf(out.text, sizeof out.text, "(");
  for (int d = 0; d < n_dims && used < sizeof out.text; d++)
    used += (size_t)snprintf(out.text + used, sizeof out.text - used, "%s%lld", d > 0 ? ", " : "", (long long)shape[d]);
  if (used < sizeof out.text) snprintf(out.text + used, sizeof out.text - used, ")");
  return out;
}

shape_text tensor_shape_text(const tensor *t) { return shape_to_text(t->n_dims, t->shape); }
