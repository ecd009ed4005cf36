/* elements.c -- how files spell numbers, and how those become ours.  float16 is IEEE 754's binary16. */
#include "elements.h"

#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "formats/ hands memory to and from little-endian files as it is: teach elements.c to swap on this machine"
#endif

enum { CHUNK_BYTES = 65536 };      /* a multiple of every element's size */

typedef struct element_facts { size_t n_bytes; dtype dtype; } element_facts;

static const element_facts facts[] = {
  [ELEMENT_BOOL] = {1, DTYPE_BOOL},       [ELEMENT_UINT8] = {1, DTYPE_UINT8},
  [ELEMENT_INT8] = {1, DTYPE_INT64},      [ELEMENT_INT16] = {2, DTYPE_INT64},
  [ELEMENT_UINT16] = {2, DTYPE_INT64},    [ELEMENT_INT32] = {4, DTYPE_INT64},
  [ELEMENT_UINT32] = {4, DTYPE_INT64},    [ELEMENT_INT64] = {8, DTYPE_INT64},
  [ELEMENT_FLOAT16] = {2, DTYPE_FLOAT32}, [ELEMENT_BFLOAT16] = {2, DTYPE_FLOAT32},
  [ELEMENT_FLOAT32] = {4, DTYPE_FLOAT32}, [ELEMENT_FLOAT64] = {8, DTYPE_FLOAT64},
};

size_t element_size(element e) { return facts[e].n_bytes; }

dtype element_dtype(element e) { return facts[e].dtype; }

element element_of(dtype d) {
  static const element elements[N_DTYPES] = {ELEMENT_BOOL, ELEMENT_UINT8, ELEMENT_INT64, ELEMENT_FLOAT32,
                                             ELEMENT_FLOAT64};
  return elements[d];
}

bool elements_bytes(element e, int n_dims, const int64_t *shape, uint64_t *out) {
  int64_t numel;
  if (!shape_numel(n_dims, shape, &numel) || numel > INT64_MAX / 8) return false;
  *out = (uint64_t)numel * element_size(e);
  return true;
}

static uint64_t load(const unsigned char *from, size_t n_bytes, bool big_endian) {
  uint64_t bits = 0;
  for (size_t k = 0; k < n_bytes; k++) {
    size_t place = big_endian ? n_bytes - 1 - k : k;
    bits |= (uint64_t)from[k] << (8 * place);
  }
  return bits;
}

/* The n_bytes low bytes of bits as a two's complement number. */
static int64_t sign_extend(uint64_t bits, size_t n_bytes) {
  unsigned shift = (unsigned)(64 - 8 * n_bytes);
  return (int64_t)(bits << shift) >> shift;
}

static float float_from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* sign 1, exponent 5 (bias 15), fraction 10.  Subnormals are fraction * 2^-24. */
static float half_to_float(uint32_t half) {
  uint32_t sign = (half & 0x8000u) << 16, exponent = (half >> 10) & 31u, fraction = half & 0x3ffu;
  if (exponent == 31) return float_from_bits(sign | 0x7f800000u | fraction << 13);
  if (exponent > 0) return float_from_bits(sign | (exponent + 112u) << 23 | fraction << 13);
  float value = (float)fraction * 0x1p-24f;
  return sign ? -value : value;
}

static void decode_integers(int64_t *to, const unsigned char *from, int64_t n, element e, bool big_endian) {
  size_t n_bytes = element_size(e);
  bool is_signed = e != ELEMENT_UINT16 && e != ELEMENT_UINT32;
  for (int64_t i = 0; i < n; i++) {
    uint64_t bits = load(from + (size_t)i * n_bytes, n_bytes, big_endian);
    to[i] = is_signed ? sign_extend(bits, n_bytes) : (int64_t)bits;
  }
}

static void decode_float32(float *to, const unsigned char *from, int64_t n, element e, bool big_endian) {
  size_t n_bytes = element_size(e);
  for (int64_t i = 0; i < n; i++) {
    uint32_t bits = (uint32_t)load(from + (size_t)i * n_bytes, n_bytes, big_endian);
    if (e == ELEMENT_FLOAT16) to[i] = half_to_float(bits);
    else to[i] = float_from_bits(e == ELEMENT_BFLOAT16 ? bits << 16 : bits);
  }
}

static void decode_float64(double *to, const unsigned char *from, int64_t n, bool big_endian) {
  for (int64_t i = 0; i < n; i++) {
    uint64_t bits = load(from + (size_t)i * 8, 8, big_endian);
    memcpy(&to[i], &bits, sizeof bits);
  }
}

void elements_decode(void *to, const unsigned char *from, int64_t n, element e, bool big_endian) {
  switch (element_dtype(e)) {
    case DTYPE_BOOL:
      for (int64_t i = 0; i < n; i++) ((uint8_t *)to)[i] = from[i] != 0;
      break;
    case DTYPE_UINT8: if (n > 0) memcpy(to, from, (size_t)n); break;
    case DTYPE_INT64: decode_integers(to, from, n, e, big_endian); break;
    case DTYPE_FLOAT32: decode_float32(to, from, n, e, big_endian); break;
    case DTYPE_FLOAT64: decode_float64(to, from, n, big_endian); break;
  }
}

/* Are the file's bytes also the tensor's?  (Not those of bool: a file may say 2.) */
static bool same_bytes(element e, bool big_endian) {
  if (e == ELEMENT_UINT8) return true;
  return !big_endian && (e == ELEMENT_INT64 || e == ELEMENT_FLOAT32 || e == ELEMENT_FLOAT64);
}

static status read_converted(context *c, stream *s, element e, bool big_endian, tensor *t) {
  int64_t n_left = tensor_numel(t), per_chunk = (int64_t)(CHUNK_BYTES / element_size(e));
  char *to = tensor_data(t);
  unsigned char *chunk = context_get(c, CHUNK_BYTES);
  if (chunk == NULL) return STATUS_NO_MEMORY;
  status code = STATUS_OK;
  while (n_left > 0 && code == STATUS_OK) {
    int64_t n = n_left < per_chunk ? n_left : per_chunk;
    code = stream_read(c, s, chunk, (size_t)n * element_size(e));
    if (code == STATUS_OK) elements_decode(to, chunk, n, e, big_endian);
    to += (size_t)n * dtype_size(t->dtype);
    n_left -= n;
  }
  context_put(c, chunk, CHUNK_BYTES);
  return code;
}

status elements_read(context *c, stream *s, element e, bool big_endian, tensor *t) {
  int64_t numel = tensor_numel(t);
  if (numel == 0) return STATUS_OK;
  if (same_bytes(e, big_endian)) return stream_read(c, s, tensor_data(t), (size_t)numel * element_size(e));
  return read_converted(c, s, e, big_endian, t);
}

/* The innermost dimension of a strided tensor, gathered into chunks: no copy of a large tensor is needed. */
static void gather(unsigned char *to, const tensor *t, int64_t first, int64_t n) {
  size_t n_bytes = dtype_size(t->dtype);
  const unsigned char *data = tensor_data(t);
  int64_t index[MAX_DIMS] = {0}, position = 0, rest = first;
  for (int d = t->n_dims - 1; d >= 0; d--) {
    index[d] = rest % t->shape[d];
    rest /= t->shape[d];
    position += index[d] * t->stride[d];
  }
  for (int64_t i = 0; i < n; i++) {
    memcpy(to + (size_t)i * n_bytes, data + position * (int64_t)n_bytes, n_bytes);
    for (int d = t->n_dims - 1; d >= 0; d--) {
      position += t->stride[d];
      if (++index[d] < t->shape[d]) break;
      position -= index[d] * t->stride[d];
      index[d] = 0;
    }
  }
}

status elements_write(writer *w, const tensor *t) {
  int64_t numel = tensor_numel(t), per_chunk = (int64_t)(CHUNK_BYTES / dtype_size(t->dtype));
  if (numel == 0) return STATUS_OK;
  if (tensor_is_contiguous(t)) return writer_put(w, tensor_data(t), (size_t)numel * dtype_size(t->dtype));
  unsigned char *chunk = context_get(w->context, CHUNK_BYTES);
  if (chunk == NULL) return STATUS_NO_MEMORY;
  status code = STATUS_OK;
  for (int64_t first = 0; first < numel && code == STATUS_OK; first += per_chunk) {
    int64_t n = numel - first < per_chunk ? numel - first : per_chunk;
    gather(chunk, t, first, n);
    code = writer_put(w, chunk, (size_t)n * dtype_size(t->dtype));
  }
  context_put(w->context, chunk, CHUNK_BYTES);
  return code;
}
