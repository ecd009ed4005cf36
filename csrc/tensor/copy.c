/* copy.c -- moving elements between tensors: strides, dtypes and memory orders.
**
** Conversions: to bool is x ~= 0; a float becomes an integer by truncation, clamped to the type's range, NaN
** becomes 0; an integer becomes uint8 modulo 256. */
#include <string.h>

#include "iterate.h"
#include "parallel.h"
#include "tensor.h"
#include "transpose.h"

enum { BLOCK = 256 };

/* -- the same dtype: items of 1, 4 or 8 bytes -- */

static void copy_1(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  (void)extra;
  if (step[0] == 1 && step[1] == 1) {
    memmove(data[0], data[1], (size_t)n);
    return;
  }
  for (int64_t i = 0; i < n; i++) data[0][i * step[0]] = data[1][i * step[1]];
}

static void copy_4(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  (void)extra;
  if (step[0] == 4 && step[1] == 4) {
    memmove(data[0], data[1], (size_t)n * 4);
    return;
  }
  for (int64_t i = 0; i < n; i++) memcpy(data[0] + i * step[0], data[1] + i * step[1], 4);
}

static void copy_8(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  (void)extra;
  if (step[0] == 8 && step[1] == 8) {
    memmove(data[0], data[1], (size_t)n * 8);
    return;
  }
  for (int64_t i = 0; i < n; i++) memcpy(data[0] + i * step[0], data[1] + i * step[1], 8);
}

/* -- between dtypes: through a block of doubles, or of int64 where both sides are integers -- */

static void load_double(dtype d, int64_t n, const char *from, int64_t step, double *out) {
  for (int64_t i = 0; i < n; i++, from += step) {
    switch (d) {
      case DTYPE_BOOL:
      case DTYPE_UINT8: out[i] = *(const uint8_t *)from; break;
      case DTYPE_INT64: out[i] = (double)*(const int64_t *)(const void *)from; break;
      case DTYPE_FLOAT32: out[i] = (double)*(const float *)(const void *)from; break;
      case DTYPE_FLOAT64: out[i] = *(const double *)(const void *)from; break;
    }
  }
}

int64_t double_to_integer(double x, int64_t low, int64_t high) {
  if (x >= (double)high) return high;
  if (x <= (double)low) return low;
  return x == x ? (int64_t)x : 0;
}

status dtype_check_integer(context *c, const char *name, dtype d, int64_t value) {
  if (d != DTYPE_UINT8 || (value >= 0 && value <= UINT8_MAX)) return STATUS_OK;
  return context_fail(c, STATUS_INVALID, "%s: %lld does not fit into uint8", name, (long long)value);
}

status dtype_check_number(context *c, const char *name, dtype d, double value) {
  const double limit = 9223372036854775808.0;   /* 2^63 */
  bool fits = true;
  if (d == DTYPE_UINT8) fits = value >= 0.0 && value <= UINT8_MAX;
  if (d == DTYPE_INT64) fits = value >= -limit && value < limit;
  if (fits) return STATUS_OK;
  return context_fail(c, STATUS_INVALID, "%s: %g does not fit into %s", name, message_number(value), dtype_name(d));
}

static void store_double(dtype d, int64_t n, const double *in, char *to, int64_t step) {
  for (int64_t i = 0; i < n; i++, to += step) {
    switch (d) {
      case DTYPE_BOOL: *(uint8_t *)to = in[i] != 0.0; break;
      case DTYPE_UINT8: *(uint8_t *)to = (uint8_t)double_to_integer(in[i], 0, UINT8_MAX); break;
      case DTYPE_INT64: *(int64_t *)(void *)to = double_to_integer(in[i], INT64_MIN, INT64_MAX); break;
      case DTYPE_FLOAT32: *(float *)(void *)to = (float)in[i]; break;
      case DTYPE_FLOAT64: *(double *)(void *)to = in[i]; break;
    }
  }
}

typedef struct dtype_pair {
  dtype to, from;
} dtype_pair;

static void convert_float(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  const dtype_pair *pair = extra;
  double block[BLOCK];
  for (int64_t i = 0; i < n; i += BLOCK) {
    int64_t count = n - i < BLOCK ? n - i : BLOCK;
    load_double(pair->from, count, data[1] + i * step[1], step[1], block);
    store_double(pair->to, count, block, data[0] + i * step[0], step[0]);
  }
}

static void convert_integer(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  const dtype_pair *pair = extra;
  for (int64_t i = 0; i < n; i++) {
    const char *from = data[1] + i * step[1];
    char *to = data[0] + i * step[0];
    int64_t x = pair->from == DTYPE_INT64 ? *(const int64_t *)(const void *)from : *(const uint8_t *)from;
    if (pair->to == DTYPE_INT64) *(int64_t *)(void *)to = x;
    else *(uint8_t *)to = pair->to == DTYPE_BOOL ? x != 0 : (uint8_t)x;
  }
}

CLONES static void widen_dense(int64_t n, const uint8_t *restrict from, float *restrict to) {
  for (int64_t i = 0; i < n; i++) to[i] = from[i];
}

/* Images to numbers: the one conversion that is asked for in bulk. */
static void uint8_to_float32(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  if (step[0] == 4 && step[1] == 1)
    widen_dense(n, (const uint8_t *)data[1], (float *)(void *)data[0]);
  else
    convert_float(n, data, step, extra);
}

/* -- between the contiguous and the lanes order: a transpose of (N, K); from channels-last: one for each sample -- */

/* (N, C, ...) that lies in memory as (N, ..., C). */
static bool is_channels_last(const tensor *t) {
  int64_t step = t->n_dims > 2 ? t->shape[1] : 0;
  if (step == 0 || t->stride[1] != 1) return false;
  for (int d = t->n_dims - 1; d > 1; step *= t->shape[d--])
    if (t->stride[d] != step) return false;
  return t->stride[0] == step;
}

static void from_channels_last(context *c, tensor *to, const tensor *from) {
  int64_t channels = from->shape[1], size = from->stride[0], pixels = size / channels;
  for (int64_t n = 0; n < from->shape[0]; n++)
    transpose_float32(c, tensor_float32(to) + n * size, pixels, tensor_float32(from) + n * size, channels, pixels,
                      channels);
}

static bool transposes(context *c, tensor *to, const tensor *from) {
  if (to->dtype != DTYPE_FLOAT32 || from->dtype != DTYPE_FLOAT32 || !tensor_same_shape(to, from)) return false;
  if (to->n_dims < 2 || tensor_numel(to) == 0) return false;
  int64_t n = to->shape[0], k = tensor_numel(to) / n, lanes = lanes_padded(n);
  if (tensor_is_lanes(to) && tensor_is_contiguous(from))
    transpose_float32(c, tensor_float32(to), lanes, tensor_float32(from), k, n, k);
  else if (tensor_is_contiguous(to) && tensor_is_lanes(from))
    transpose_float32(c, tensor_float32(to), k, tensor_float32(from), lanes, k, n);
  else if (tensor_is_contiguous(to) && is_channels_last(from))
    from_channels_last(c, to, from);
  else
    return false;
  return true;
}

static iterate_loop loop_for(dtype_pair pair) {
  if (pair.to == pair.from) {
    size_t size = dtype_size(pair.to);
    return size == 1 ? copy_1 : size == 4 ? copy_4 : copy_8;
  }
  if (pair.from == DTYPE_UINT8 && pair.to == DTYPE_FLOAT32) return uint8_to_float32;
  return dtype_is_float(pair.to) || dtype_is_float(pair.from) ? convert_float : convert_integer;
}

static bool broadcasts_to(const tensor *from, const tensor *to) {
  int n;
  int64_t shape[MAX_DIMS];
  if (from->n_dims > to->n_dims) return false;
  if (!shape_broadcast(from->n_dims, from->shape, to->n_dims, to->shape, &n, shape)) return false;
  return memcmp(shape, to->shape, (size_t)n * sizeof *shape) == 0;
}

/* A source that shares the target's storage is copied first, so that overlapping views read what was there. */
status tensor_copy(context *c, tensor *to, const tensor *from) {
  if (!broadcasts_to(from, to))
    return context_fail(c, STATUS_INVALID, "copy: %s cannot be written into %s", tensor_shape_text(from).text,
                        tensor_shape_text(to).text);
  if (tensor_is_expanded(to))
    return context_fail(c, STATUS_INVALID, "copy: the target %s repeats elements (expand); clone it first",
                        tensor_shape_text(to).text);
  tensor *apart = NULL;
  if (to->storage == from->storage) {
    apart = tensor_clone(c, from);
    if (apart == NULL) return STATUS_NO_MEMORY;
    from = apart;
  }
  atomic_fetch_add(&to->storage->version, 1);
  if (!transposes(c, to, from)) {
    dtype_pair pair = { to->dtype, from->dtype };
    tensor *operands[2] = { to, (tensor *)(uintptr_t)from };
    iterate(c, 2, operands, loop_for(pair), &pair);
  }
  tensor_release(apart);
  return STATUS_OK;
}

status tensor_fill(context *c, tensor *t, double value) {
  tensor *number = tensor_number(c, t->dtype, value);
  if (number == NULL) return STATUS_NO_MEMORY;
  status code = tensor_copy(c, t, number);
  tensor_release(number);
  return code;
}

tensor *tensor_number(context *c, dtype d, double value) {
  tensor *t = tensor_new(c, d, 0, NULL);
  if (t != NULL) store_double(d, 1, &value, tensor_data(t), 0);
  return t;
}

tensor *tensor_integer(context *c, dtype d, int64_t value) {
  tensor *t = tensor_new(c, d, 0, NULL);
  if (t == NULL) return NULL;
  if (d == DTYPE_INT64) *tensor_int64(t) = value;
  else if (d == DTYPE_UINT8) *tensor_uint8(t) = (uint8_t)value;
  else store_double(d, 1, &(double){ (double)value }, tensor_data(t), 0);
  return t;
}

static tensor *copied_into(context *c, tensor *to, const tensor *from) {
  if (to == NULL) return NULL;
  tensor_copy(c, to, from); /* a fresh target of the same shape: cannot fail */
  return to;
}

tensor *tensor_clone(context *c, const tensor *t) { return copied_into(c, tensor_new_like(c, t, t->dtype), t); }

tensor *tensor_contiguous(context *c, tensor *t) {
  if (tensor_is_contiguous(t)) return tensor_retain(t);
  return copied_into(c, tensor_new(c, t->dtype, t->n_dims, t->shape), t);
}

tensor *tensor_lanes(context *c, tensor *t) {
  if (tensor_is_lanes(t)) return tensor_retain(t);
  return copied_into(c, tensor_new_lanes(c, t->dtype, t->n_dims, t->shape), t);
}

tensor *tensor_to(context *c, tensor *t, dtype d) {
  if (t->dtype == d) return tensor_retain(t);
  return copied_into(c, tensor_new_like(c, t, d), t);
}

double tensor_get(const tensor *t, const int64_t *index) {
  int64_t at = 0;
  for (int d = 0; d < t->n_dims; d++) at += index[d] * t->stride[d];
  double value = 0.0;
  load_double(t->dtype, 1, (const char *)tensor_data(t) + at * (int64_t)dtype_size(t->dtype), 0, &value);
  return value;
}
