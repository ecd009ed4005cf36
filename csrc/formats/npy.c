/* npy.c -- NumPy's .npy files (numpy.lib.format, versions 1.0 to 3.0).
**
**   6 bytes "\x93NUMPY", major, minor, header length (uint16 in version 1, uint32 in 2 and 3), the header, data.
**   The header is a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
**
** Read: bool, integers of 1 to 8 bytes (not uint64), float16, float32, float64; both byte orders, C and Fortran
** order.  Written: version 1.0, little-endian, C order, byte for byte as NumPy writes it.  Objects (pickles) are
** never read: no code runs on load. */
#include "npy.h"

#include <stdio.h>
#include <string.h>

#include "elements.h"

enum { MAX_HEADER_BYTES = 65536, PREFIX_BYTES = 10, ALIGNMENT = 64 };

static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

typedef struct npy_header {
  element element;
  bool big_endian, fortran_order;
  int n_dims;
  int64_t shape[MAX_DIMS];
  bool has_descr, has_order, has_shape;
} npy_header;

/* -- the dictionary.  A cursor walks over text[0 .. n); every step fails at its end. -- */

typedef struct cursor {
  const char *next, *end;
  const char *problem;      /* what to say about it, once a step has failed */
} cursor;

static bool refuse(cursor *k, const char *problem) {
  if (k->problem == NULL) k->problem = problem;
  return false;
}

static void skip_space(cursor *k) {
  while (k->next < k->end && (*k->next == ' ' || *k->next == '\t' || *k->next == '\n' || *k->next == '\r')) k->next++;
}

static bool accept(cursor *k, char wanted) {
  skip_space(k);
  if (k->next >= k->end || *k->next != wanted) return false;
  k->next++;
  return true;
}

static bool accept_word(cursor *k, const char *word) {
  size_t n = strlen(word);
  skip_space(k);
  if ((size_t)(k->end - k->next) < n || memcmp(k->next, word, n) != 0) return false;
  k->next += n;
  return true;
}

/* '...' or "..." without escapes, of fewer than n_text characters. */
static bool read_string(cursor *k, char *text, size_t n_text) {
  size_t n = 0;
  skip_space(k);
  if (k->next >= k->end || (*k->next != '\'' && *k->next != '"')) return refuse(k, "a string is missing");
  char quote = *k->next++;
  while (k->next < k->end && *k->next != quote && *k->next != '\\' && n + 1 < n_text) text[n++] = *k->next++;
  text[n] = '\0';
  if (k->next >= k->end || *k->next != quote) return refuse(k, "a string in it is not a name or type that NumPy knows");
  k->next++;
  return true;
}

static bool read_size(cursor *k, int64_t *out) {
  int64_t value = 0;
  skip_space(k);
  if (k->next >= k->end || *k->next < '0' || *k->next > '9') return refuse(k, "shape is not a tuple of sizes");
  while (k->next < k->end && *k->next >= '0' && *k->next <= '9') {
    int digit = *k->next++ - '0';
    if (value > (INT64_MAX - digit) / 10) return refuse(k, "a size in shape is too large");
    value = value * 10 + digit;
  }
  if (k->next < k->end && *k->next == 'L') k->next++;      /* written by Python 2 */
  *out = value;
  return true;
}

/* (), (3,), (2, 3), (2, 3,) */
static bool read_shape(cursor *k, npy_header *header) {
  if (!accept(k, '(')) return refuse(k, "shape is not a tuple of sizes");
  while (!accept(k, ')')) {
    if (header->n_dims == MAX_DIMS) return refuse(k, "shape has more than 8 dimensions");
    if (!read_size(k, &header->shape[header->n_dims++])) return false;
    bool more = accept(k, ',');
    if (!more && header->n_dims == 1) return refuse(k, "shape is not a tuple of sizes");
    if (!more && !accept(k, ')')) return refuse(k, "shape is not a tuple of sizes");
    if (!more) break;
  }
  return true;
}

static bool read_descr(cursor *k, npy_header *header) {
  static const struct { char name[3]; element element; } types[] = {
    {"b1", ELEMENT_BOOL},  {"u1", ELEMENT_UINT8},   {"i1", ELEMENT_INT8},    {"i2", ELEMENT_INT16},
    {"u2", ELEMENT_UINT16}, {"i4", ELEMENT_INT32},  {"u4", ELEMENT_UINT32},  {"i8", ELEMENT_INT64},
    {"f2", ELEMENT_FLOAT16}, {"f4", ELEMENT_FLOAT32}, {"f8", ELEMENT_FLOAT64}};
  static const char unknown[] = "descr: only bool, int8 to int64, uint8 to uint32 and float16 to float64 can be read";
  char text[8];
  skip_space(k);
  if (k->next < k->end && *k->next == '[') return refuse(k, "structured types cannot be read");
  if (!read_string(k, text, sizeof text)) return refuse(k, unknown);
  if (strchr("<>=|", text[0]) == NULL || text[0] == '\0') return refuse(k, unknown);
  header->big_endian = text[0] == '>';
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
    if (strcmp(text + 1, types[i].name) == 0) {
      header->element = types[i].element;
      return true;
    }
  return refuse(k, unknown);
}

static bool once(cursor *k, bool *seen) {
  if (*seen) return refuse(k, "a key appears twice");
  *seen = true;
  return true;
}

static bool read_entry(cursor *k, npy_header *header) {
  char key[16];
  if (!read_string(k, key, sizeof key)) return false;
  if (!accept(k, ':')) return refuse(k, "':' is missing");
  if (strcmp(key, "descr") == 0) return once(k, &header->has_descr) && read_descr(k, header);
  if (strcmp(key, "shape") == 0) return once(k, &header->has_shape) && read_shape(k, header);
  if (strcmp(key, "fortran_order") != 0) return refuse(k, "unknown key");
  if (!once(k, &header->has_order)) return false;
  header->fortran_order = accept_word(k, "True");
  return header->fortran_order || accept_word(k, "False") || refuse(k, "fortran_order is neither True nor False");
}

static bool read_dictionary(cursor *k, npy_header *header) {
  if (!accept(k, '{')) return refuse(k, "it is not a dictionary");
  while (!accept(k, '}')) {
    if (!read_entry(k, header)) return false;
    if (!accept(k, ',')) {
      if (!accept(k, '}')) return refuse(k, "'}' is missing");
      break;
    }
  }
  skip_space(k);
  if (k->next != k->end) return refuse(k, "something follows the dictionary");
  if (!header->has_descr || !header->has_order || !header->has_shape)
    return refuse(k, "one of descr, fortran_order and shape is missing");
  return true;
}

static status parse_header(context *c, stream *s, size_t n_bytes, npy_header *header) {
  char *text = context_get(c, n_bytes + 1);
  if (text == NULL) return STATUS_NO_MEMORY;
  status code = stream_read(c, s, text, n_bytes);
  cursor k = {.next = text, .end = text + n_bytes};
  *header = (npy_header){0};
  if (code == STATUS_OK && !read_dictionary(&k, header))
    code = context_fail(c, STATUS_FORMAT, "%.300s: bad .npy header: %s", s->name, k.problem);
  context_put(c, text, n_bytes + 1);
  return code;
}

static status read_header(context *c, stream *s, npy_header *header) {
  unsigned char prefix[8], length[4];
  status code = stream_read(c, s, prefix, sizeof prefix);
  if (code != STATUS_OK) return code;
  if (memcmp(prefix, magic, sizeof magic) != 0)
    return context_fail(c, STATUS_FORMAT, "%.300s is not a .npy file", s->name);
  if (prefix[6] < 1 || prefix[6] > 3 || prefix[7] != 0)
    return context_fail(c, STATUS_FORMAT, "%.300s: .npy version %d.%d is not known", s->name, prefix[6], prefix[7]);
  int64_t n_bytes = 0;
  bool is_short = prefix[6] == 1;
  code = stream_read(c, s, length, is_short ? 2 : 4);
  if (code != STATUS_OK) return code;
  elements_decode(&n_bytes, length, 1, is_short ? ELEMENT_UINT16 : ELEMENT_UINT32, false);
  if (n_bytes > MAX_HEADER_BYTES)
    return context_fail(c, STATUS_FORMAT, "%.300s: its header claims to be %lld bytes long", s->name,
                        (long long)n_bytes);
  return parse_header(c, s, (size_t)n_bytes, header);
}

static status check_length(context *c, const stream *s, const npy_header *header) {
  uint64_t n_bytes;
  shape_text text = shape_to_text(header->n_dims, header->shape);
  if (!elements_bytes(header->element, header->n_dims, header->shape, &n_bytes))
    return context_fail(c, STATUS_FORMAT, "%.300s: its header claims an impossible size %s", s->name,
                        text.text);
  if (n_bytes != stream_remaining(s))
    return context_fail(c, STATUS_FORMAT, "%.300s: its header says %s, which is %llu bytes, but %llu follow", s->name,
                        text.text, (unsigned long long)n_bytes, (unsigned long long)stream_remaining(s));
  return STATUS_OK;
}

/* Fortran order is C order of the reversed shape: read that, look at it from behind, copy. */
static status reverse_dims(context *c, tensor **t) {
  int64_t shape[MAX_DIMS], stride[MAX_DIMS];
  tensor *stored = *t, *reversed = NULL;
  for (int d = 0; d < stored->n_dims; d++) {
    shape[d] = stored->shape[stored->n_dims - 1 - d];
    stride[d] = stored->stride[stored->n_dims - 1 - d];
  }
  tensor *view = tensor_view(c, stored, stored->n_dims, shape, stride, stored->offset);
  if (view != NULL) reversed = tensor_clone(c, view);
  if (reversed != NULL && !tensor_is_contiguous(reversed)) {
    tensor *contiguous = tensor_contiguous(c, reversed);
    tensor_release(reversed);
    reversed = contiguous;
  }
  tensor_release(view);
  if (reversed == NULL) return STATUS_NO_MEMORY;
  tensor_release(stored);
  *t = reversed;
  return STATUS_OK;
}

status npy_read(context *c, stream *s, tensor **out) {
  npy_header header;
  int64_t stored[MAX_DIMS];
  *out = NULL;
  status code = read_header(c, s, &header);
  if (code == STATUS_OK) code = check_length(c, s, &header);
  if (code != STATUS_OK) return code;
  for (int d = 0; d < header.n_dims; d++)
    stored[d] = header.shape[header.fortran_order ? header.n_dims - 1 - d : d];
  tensor *t = tensor_new(c, element_dtype(header.element), header.n_dims, stored);
  if (t == NULL) return STATUS_NO_MEMORY;
  code = elements_read(c, s, header.element, header.big_endian, t);
  if (code == STATUS_OK && header.fortran_order && header.n_dims > 1) code = reverse_dims(c, &t);
  if (code == STATUS_OK) *out = t;
  else tensor_release(t);
  return code;
}

/* -- writing -- */

/* The header with its newline, padded so that the data begin at a multiple of 64; returns its length. */
static size_t write_dictionary(char *text, size_t n_text, const tensor *t) {
  static const char *const descr[N_DTYPES] = {"|b1", "|u1", "<i8", "<f4", "<f8"};
  int n = snprintf(text, n_text, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr[t->dtype]);
  for (int d = 0; d < t->n_dims; d++)
    n += snprintf(text + n, n_text - (size_t)n, d > 0 ? ", %lld" : "%lld", (long long)t->shape[d]);
  n += snprintf(text + n, n_text - (size_t)n, t->n_dims == 1 ? ",), }" : "), }");
  /* NumPy leaves room for a first dimension of 21 digits, so that it can grow in place, and pads by 1 to 64. */
  int padding = t->n_dims > 0 ? 21 - snprintf(NULL, 0, "%lld", (long long)t->shape[0]) : 0;
  padding += ALIGNMENT - (PREFIX_BYTES + n + padding + 1) % ALIGNMENT;
  while (padding-- > 0) text[n++] = ' ';
  text[n++] = '\n';
  return (size_t)n;
}

status npy_write(writer *w, const tensor *t) {
  char text[640];      /* 8 dimensions of at most 19 digits fit well */
  size_t n_bytes = write_dictionary(text, sizeof text, t);
  unsigned char prefix[PREFIX_BYTES] = {0, 0, 0, 0, 0, 0, 1, 0, (unsigned char)(n_bytes & 255),
                                        (unsigned char)(n_bytes >> 8)};
  memcpy(prefix, magic, sizeof magic);
  status code = writer_put(w, prefix, sizeof prefix);
  if (code == STATUS_OK) code = writer_put(w, text, n_bytes);
  if (code == STATUS_OK) code = elements_write(w, t);
  return code;
}
