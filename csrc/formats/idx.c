/* idx.c -- the IDX files of the MNIST family (yann.lecun.com/exdb/mnist), plain or compressed with gzip.
**
**   bytes 0-1   zero
**   byte  2     type: 08 uint8, 09 int8, 0B int16, 0C int32, 0D float32, 0E float64
**   byte  3     number of dimensions
**   then        a big-endian uint32 for each dimension, then the elements, big-endian, row-major
**
** The tensor is allocated when its size is believable: a plain file must be exactly as long as its header says;
** a gzip file whose header claims more than PLAUSIBLE_RATIO times its own length is first unpacked into nothing,
** to count. */
#include "idx.h"

#include "elements.h"

enum { PLAUSIBLE_RATIO = 4, PLAUSIBLE_BYTES = 1 << 20 };

typedef struct idx_header {
  element element;
  int n_dims;
  int64_t shape[MAX_DIMS];
  uint64_t n_bytes;      /* of the elements */
} idx_header;

static bool element_from_code(unsigned char code, element *out) {
  switch (code) {
    case 0x08: *out = ELEMENT_UINT8; return true;
    case 0x09: *out = ELEMENT_INT8; return true;
    case 0x0B: *out = ELEMENT_INT16; return true;
    case 0x0C: *out = ELEMENT_INT32; return true;
    case 0x0D: *out = ELEMENT_FLOAT32; return true;
    case 0x0E: *out = ELEMENT_FLOAT64; return true;
    default: return false;
  }
}

static status read_header(context *c, stream *s, idx_header *header) {
  unsigned char magic[4], sizes[4 * MAX_DIMS];
  status code = stream_read(c, s, magic, sizeof magic);
  if (code != STATUS_OK) return code;
  if (magic[0] != 0 || magic[1] != 0 || !element_from_code(magic[2], &header->element))
    return context_fail(c, STATUS_FORMAT, "%.300s is not an IDX file: it begins with %02x %02x %02x %02x", s->name,
                        magic[0], magic[1], magic[2], magic[3]);
  header->n_dims = magic[3];
  if (header->n_dims > MAX_DIMS)
    return context_fail(c, STATUS_FORMAT, "%.300s: %d dimensions, at most %d are possible", s->name, header->n_dims,
                        MAX_DIMS);
  code = stream_read(c, s, sizes, (size_t)header->n_dims * 4);
  if (code != STATUS_OK) return code;
  elements_decode(header->shape, sizes, header->n_dims, ELEMENT_UINT32, true);
  if (!elements_bytes(header->element, header->n_dims, header->shape, &header->n_bytes))
    return context_fail(c, STATUS_FORMAT, "%.300s: its header claims an impossible size %s", s->name,
                        shape_to_text(header->n_dims, header->shape).text);
  return STATUS_OK;
}

static status wrong_length(context *c, const stream *s, const idx_header *header, uint64_t n_bytes) {
  return context_fail(c, STATUS_FORMAT, "%.300s: its header says %s, which is %llu bytes, but %s%llu follow", s->name,
                      shape_to_text(header->n_dims, header->shape).text, (unsigned long long)header->n_bytes,
                      s->inflater != NULL && n_bytes > header->n_bytes ? "at least " : "", (unsigned long long)n_bytes);
}

/* How many bytes of elements there are is counted by unpacking; then the stream is put back behind the header. */
static status count_unpacked(context *c, stream *s, const idx_header *header) {
  uint64_t n_bytes = 0;
  unsigned char again[4 + 4 * MAX_DIMS];
  status code = stream_drain(c, s, header->n_bytes + 1, &n_bytes);
  if (code == STATUS_OK && n_bytes != header->n_bytes) code = wrong_length(c, s, header, n_bytes);
  if (code == STATUS_OK) code = stream_inflate(c, s);
  if (code == STATUS_OK) code = stream_read(c, s, again, 4 + 4 * (size_t)header->n_dims);
  return code;
}

static status check_length(context *c, stream *s, const idx_header *header) {
  if (s->inflater == NULL && stream_remaining(s) != header->n_bytes)
    return wrong_length(c, s, header, stream_remaining(s));
  bool plausible = header->n_bytes <= PLAUSIBLE_BYTES || header->n_bytes / PLAUSIBLE_RATIO <= s->length;
  return s->inflater == NULL || plausible ? STATUS_OK : count_unpacked(c, s, header);
}

status idx_read(context *c, stream *s, tensor **out) {
  idx_header header;
  status code = STATUS_OK;
  *out = NULL;
  if (stream_is_gzip(c, s)) code = stream_inflate(c, s);
  if (code == STATUS_OK) code = read_header(c, s, &header);
  if (code == STATUS_OK) code = check_length(c, s, &header);
  if (code != STATUS_OK) return code;
  tensor *t = tensor_new(c, element_dtype(header.element), header.n_dims, header.shape);
  if (t == NULL) return STATUS_NO_MEMORY;
  code = elements_read(c, s, header.element, true, t);
  if (code == STATUS_OK) code = stream_expect_end(c, s);
  if (code == STATUS_OK) *out = t;
  else tensor_release(t);
  return code;
}
