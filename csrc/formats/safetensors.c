/* safetensors.c -- named tensors and string metadata in one file (github.com/huggingface/safetensors).
**
**   8 bytes: n, the length of the header, little-endian; n bytes of JSON; the data, each tensor row-major
**   {"__metadata__":{"k":"v"},"name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},...}
**
** Held to be true before anything but the header is allocated, as the reference implementation does:
** the header has at most 100 MB and lies within the file; it is UTF-8; every name is there once; taken in the order
** of their offsets the tensors follow each other without gap or overlap, from 0 to the end of the file; each has as
** many bytes as its shape and type need.  Unknown fields of a tensor are skipped. */
#include "safetensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_HEADER_BYTES = 100000000, PREFIX_BYTES = 8, FIRST_CAPACITY = 16 };

static const struct { const char *name; element element; } types[] = {
  {"BOOL", ELEMENT_BOOL}, {"U8", ELEMENT_UINT8},    {"I8", ELEMENT_INT8},      {"I16", ELEMENT_INT16},
  {"U16", ELEMENT_UINT16}, {"I32", ELEMENT_INT32},  {"U32", ELEMENT_UINT32},   {"I64", ELEMENT_INT64},
  {"F16", ELEMENT_FLOAT16}, {"BF16", ELEMENT_BFLOAT16}, {"F32", ELEMENT_FLOAT32}, {"F64", ELEMENT_FLOAT64},
};
enum { N_TYPES = sizeof types / sizeof types[0] };

static const char *type_name(element e) {
  for (size_t k = 0; k < N_TYPES; k++)
    if (types[k].element == e) return types[k].name;
  return "?";
}

/* What the steps of reading a header share. */
typedef struct parser {
  context *context;
  json j;
  safetensors_header *header;
  bool no_memory;
} parser;

static int compare_strings(const json_string *a, const json_string *b) {
  size_t n = a->length < b->length ? a->length : b->length;
  int order = n > 0 ? memcmp(a->data, b->data, n) : 0;
  return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static bool string_is(const json_string *s, const char *text) {
  return s->length == strlen(text) && memcmp(s->data, text, s->length) == 0;
}

/* Room for one more item of item_bytes in a growing array; false: no memory. */
static bool make_room(parser *p, void **items, int64_t n, int64_t *capacity, size_t item_bytes) {
  if (n < *capacity) return true;
  int64_t larger = *capacity > 0 ? *capacity * 2 : FIRST_CAPACITY;
  void *moved = context_get(p->context, (size_t)larger * item_bytes);
  if (moved == NULL) {
    p->no_memory = true;
    return json_refuse(&p->j, "no memory");
  }
  if (n > 0) memcpy(moved, *items, (size_t)n * item_bytes);
  context_put(p->context, *items, (size_t)*capacity * item_bytes);
  *items = moved;
  *capacity = larger;
  return true;
}

/* -- reading the header -- */

static bool read_dtype(json *j, safetensors_entry *entry) {
  json_string name;
  if (!json_read_string(j, &name)) return false;
  for (size_t k = 0; k < N_TYPES; k++)
    if (string_is(&name, types[k].name)) {
      entry->element = types[k].element;
      return true;
    }
  return json_refuse(j, "dtype is none of BOOL U8 I8 I16 U16 I32 U32 I64 F16 BF16 F32 F64");
}

static bool read_shape(json *j, safetensors_entry *entry) {
  uint64_t size;
  if (!json_expect(j, '[')) return false;
  entry->n_dims = 0;
  if (json_accept(j, ']')) return true;
  do {
    if (entry->n_dims == MAX_DIMS) return json_refuse(j, "shape has more than 8 dimensions");
    if (!json_read_size(j, &size)) return false;
    entry->shape[entry->n_dims++] = (int64_t)size;
  } while (json_accept(j, ','));
  return json_expect(j, ']');
}

static bool read_offsets(json *j, safetensors_entry *entry) {
  return json_expect(j, '[') && json_read_size(j, &entry->begin) && json_expect(j, ',') &&
         json_read_size(j, &entry->end) && json_expect(j, ']');
}

static bool read_fields(json *j, safetensors_entry *entry) {
  unsigned seen = 0;
  json_string key;
  if (!json_expect(j, '{')) return false;
  if (json_accept(j, '}')) return json_refuse(j, "dtype, shape or data_offsets is missing");
  do {
    if (!json_read_string(j, &key) || !json_expect(j, ':')) return false;
    unsigned field = string_is(&key, "dtype") ? 1 : string_is(&key, "shape") ? 2 : 0;
    if (string_is(&key, "data_offsets")) field = 4;
    if (seen & field) return json_refuse(j, "a field appears twice");
    seen |= field;
    bool good = field == 1   ? read_dtype(j, entry)
                : field == 2 ? read_shape(j, entry)
                : field == 4 ? read_offsets(j, entry)
                             : json_skip_value(j);
    if (!good) return false;
  } while (json_accept(j, ','));
  if (!json_expect(j, '}')) return false;
  return seen == 7 || json_refuse(j, "dtype, shape or data_offsets is missing");
}

static bool read_metadata(parser *p) {
  safetensors_header *header = p->header;
  json *j = &p->j;
  if (!json_expect(j, '{')) return false;
  if (json_accept(j, '}')) return true;
  do {
    safetensors_pair pair;
    if (!json_read_string(j, &pair.key) || !json_expect(j, ':') || !json_read_string(j, &pair.value)) return false;
    if (!make_room(p, (void **)&header->metadata, header->n_metadata, &header->metadata_capacity, sizeof pair))
      return false;
    header->metadata[header->n_metadata++] = pair;
  } while (json_accept(j, ','));
  return json_expect(j, '}');
}

/* The whole header; *name is the entry at which it failed. */
static bool read_header(parser *p, json_string *name) {
  safetensors_header *header = p->header;
  json *j = &p->j;
  bool has_metadata = false;
  if (!json_expect(j, '{')) return false;
  if (json_accept(j, '}')) return json_at_end(j) || json_refuse(j, "something follows the header's object");
  do {
    safetensors_entry entry = {0};
    if (!json_read_string(j, &entry.name) || !json_expect(j, ':')) return false;
    *name = entry.name;
    if (string_is(&entry.name, "__metadata__")) {
      if (has_metadata) return json_refuse(j, "it appears twice");
      has_metadata = true;
      if (!read_metadata(p)) return false;
      continue;
    }
    if (!read_fields(j, &entry)) return false;
    if (!make_room(p, (void **)&header->entries, header->n_entries, &header->entries_capacity, sizeof entry))
      return false;
    header->entries[header->n_entries++] = entry;
  } while (json_accept(j, ','));
  *name = (json_string){"", 0};
  if (!json_expect(j, '}')) return false;
  return json_at_end(j) || json_refuse(j, "something follows the header's object");
}

/* -- checking it -- */

static int by_name(const void *a, const void *b) {
  return compare_strings(&((const safetensors_entry *)a)->name, &((const safetensors_entry *)b)->name);
}

static int by_offset(const void *a, const void *b) {
  const safetensors_entry *x = a, *y = b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  if (x->end != y->end) return x->end < y->end ? -1 : 1;
  return by_name(a, b);
}

static int by_key(const void *a, const void *b) {
  return compare_strings(&((const safetensors_pair *)a)->key, &((const safetensors_pair *)b)->key);
}

/* A name for a message: what a terminal can show of it, and not too much. */
typedef struct name_text { char text[84]; } name_text;

static name_text show(const json_string *name) {
  name_text shown;
  size_t n = name->length < 80 ? name->length : 80;
  for (size_t k = 0; k < n; k++) {
    unsigned char byte = (unsigned char)name->data[k];
    shown.text[k] = (char)(byte < 0x20 || byte == 0x7f ? '?' : byte);
  }
  memcpy(shown.text + n, n < name->length ? "..." : "", n < name->length ? 4 : 1);
  return shown;
}

static status check_names(context *c, const stream *s, safetensors_header *header) {
  if (header->n_entries > 1) qsort(header->entries, (size_t)header->n_entries, sizeof *header->entries, by_name);
  for (int64_t k = 1; k < header->n_entries; k++)
    if (by_name(&header->entries[k - 1], &header->entries[k]) == 0)
      return context_fail(c, STATUS_FORMAT, "%.300s: two tensors are called '%s'", s->name,
                          show(&header->entries[k].name).text);
  if (header->n_metadata > 1) qsort(header->metadata, (size_t)header->n_metadata, sizeof *header->metadata, by_key);
  for (int64_t k = 1; k < header->n_metadata; k++)
    if (by_key(&header->metadata[k - 1], &header->metadata[k]) == 0)
      return context_fail(c, STATUS_FORMAT, "%.300s: '%s' appears twice in its metadata", s->name,
                          show(&header->metadata[k].key).text);
  return STATUS_OK;
}

static status check_offsets(context *c, const stream *s, safetensors_header *header) {
  uint64_t position = 0, n_bytes = s->length - header->data_offset;
  if (header->n_entries > 1) qsort(header->entries, (size_t)header->n_entries, sizeof *header->entries, by_offset);
  for (int64_t k = 0; k < header->n_entries; k++) {
    const safetensors_entry *entry = &header->entries[k];
    uint64_t wanted;
    if (entry->begin != position || entry->end < entry->begin || entry->end > n_bytes)
      return context_fail(c, STATUS_FORMAT,
                          "%.300s: tensor '%s' lies at bytes %" PRIu64 " to %" PRIu64
                          ", but the one before it ends at %" PRIu64 " and the data at %" PRIu64,
                          s->name, show(&entry->name).text, entry->begin, entry->end, position, n_bytes);
    position = entry->end;
    bool fits = elements_bytes(entry->element, entry->n_dims, entry->shape, &wanted);
    if (!fits || wanted != entry->end - entry->begin)
      return context_fail(c, STATUS_FORMAT, "%.300s: tensor '%s' is %s %s, but has %" PRIu64 " bytes", s->name,
                          show(&entry->name).text, type_name(entry->element),
                          shape_to_text(entry->n_dims, entry->shape).text, entry->end - entry->begin);
  }
  if (position == n_bytes) return STATUS_OK;
  return context_fail(c, STATUS_FORMAT, "%.300s: its header tells of %" PRIu64 " bytes of data, but %" PRIu64 " follow",
                      s->name, position, n_bytes);
}

static status parse(context *c, stream *s, safetensors_header *header) {
  parser p = {.context = c, .j = json_open(header->text, header->text_bytes), .header = header};
  json_string name = {"", 0};
  if (!utf8_is_valid(header->text, header->text_bytes))
    return context_fail(c, STATUS_FORMAT, "%.300s: bad safetensors header: it is not UTF-8", s->name);
  if (read_header(&p, &name)) return STATUS_OK;
  if (p.no_memory) return STATUS_NO_MEMORY;
  return context_fail(c, STATUS_FORMAT, "%.300s: bad safetensors header, byte %td%s%s: %s", s->name,
                      p.j.next - p.j.text, name.length > 0 ? ", in " : "", show(&name).text, p.j.problem);
}

static status open_header(context *c, stream *s, safetensors_header *header) {
  unsigned char prefix[PREFIX_BYTES];
  int64_t n_bytes;
  status code = stream_read(c, s, prefix, sizeof prefix);
  if (code != STATUS_OK) return code;
  elements_decode(&n_bytes, prefix, 1, ELEMENT_INT64, false);
  if (n_bytes < 0 || n_bytes > MAX_HEADER_BYTES || (uint64_t)n_bytes > stream_remaining(s))
    return context_fail(c, STATUS_FORMAT,
                        "%.300s is not a safetensors file: its header would have %" PRIu64 " bytes, but %" PRIu64
                        " follow (and 100 MB is the limit)",
                        s->name, (uint64_t)n_bytes, stream_remaining(s));
  if (n_bytes < 2) return context_fail(c, STATUS_FORMAT, "%.300s: its safetensors header is empty", s->name);
  header->text = context_get(c, (size_t)n_bytes);
  if (header->text == NULL) return STATUS_NO_MEMORY;
  header->text_bytes = (size_t)n_bytes;
  header->data_offset = (uint64_t)n_bytes + PREFIX_BYTES;
  code = stream_read(c, s, header->text, header->text_bytes);
  if (code == STATUS_OK && header->text[0] != '{')
    code = context_fail(c, STATUS_FORMAT, "%.300s: its safetensors header does not begin with '{'", s->name);
  return code;
}

status safetensors_open(context *c, stream *s, safetensors_header *header) {
  *header = (safetensors_header){0};
  status code = open_header(c, s, header);
  if (code == STATUS_OK) code = parse(c, s, header);
  if (code == STATUS_OK) code = check_names(c, s, header);
  if (code == STATUS_OK) code = check_offsets(c, s, header);
  if (code != STATUS_OK) safetensors_close(c, header);
  return code;
}

void safetensors_close(context *c, safetensors_header *header) {
  context_put(c, header->text, header->text_bytes);
  context_put(c, header->entries, (size_t)header->entries_capacity * sizeof *header->entries);
  context_put(c, header->metadata, (size_t)header->metadata_capacity * sizeof *header->metadata);
  *header = (safetensors_header){0};
}

status safetensors_read(context *c, stream *s, const safetensors_header *header, int64_t k, tensor **out) {
  const safetensors_entry *entry = &header->entries[k];
  *out = NULL;
  tensor *t = tensor_new(c, element_dtype(entry->element), entry->n_dims, entry->shape);
  if (t == NULL) return STATUS_NO_MEMORY;
  s->offset = header->data_offset + entry->begin;
  status code = elements_read(c, s, entry->element, false, t);
  if (code == STATUS_OK) *out = t;
  else tensor_release(t);
  return code;
}

/* -- writing.  The order is that of the reference implementation: wide types first, then by name;
** with a header padded to 8 bytes every tensor is then aligned in the file. -- */

static int by_size_and_name(const void *a, const void *b) {
  static const int rank[N_DTYPES] = {[DTYPE_INT64] = 0, [DTYPE_FLOAT64] = 1, [DTYPE_FLOAT32] = 2, [DTYPE_UINT8] = 3,
                                     [DTYPE_BOOL] = 4};
  const safetensors_item *x = a, *y = b;
  int order = rank[x->value->dtype] - rank[y->value->dtype];
  return order != 0 ? order : compare_strings(&x->name, &y->name);
}

static int by_item_name(const void *a, const void *b) {
  return compare_strings(&((const safetensors_item *)a)->name, &((const safetensors_item *)b)->name);
}

static status put_text(writer *w, const char *text) { return writer_put(w, text, strlen(text)); }

static status put_escaped(writer *w, unsigned char byte) {
  static const char specials[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
  char escape[8] = {'\\', 0};
  const char *found = byte != 0 ? strchr(specials, byte) : NULL;
  if (found != NULL) escape[1] = letters[found - specials];
  else snprintf(escape, sizeof escape, "\\u%04x", byte);
  return put_text(w, escape);
}

/* A JSON string; characters other than quotes, backslashes and controls go as they are. */
static status put_string(writer *w, const json_string *s) {
  size_t begin = 0;
  status code = put_text(w, "\"");
  for (size_t k = 0; k < s->length && code == STATUS_OK; k++) {
    unsigned char byte = (unsigned char)s->data[k];
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    code = writer_put(w, s->data + begin, k - begin);
    if (code == STATUS_OK) code = put_escaped(w, byte);
    begin = k + 1;
  }
  if (code == STATUS_OK) code = writer_put(w, s->data + begin, s->length - begin);
  return code == STATUS_OK ? put_text(w, "\"") : code;
}

static status put_metadata(writer *w, int64_t n, const safetensors_pair *pairs) {
  status code = put_text(w, "\"__metadata__\":{");
  for (int64_t k = 0; k < n && code == STATUS_OK; k++) {
    if (k > 0) code = put_text(w, ",");
    if (code == STATUS_OK) code = put_string(w, &pairs[k].key);
    if (code == STATUS_OK) code = put_text(w, ":");
    if (code == STATUS_OK) code = put_string(w, &pairs[k].value);
  }
  return code == STATUS_OK ? put_text(w, "}") : code;
}

static status put_item(writer *w, const safetensors_item *item, uint64_t *position) {
  char text[320];      /* 8 sizes of at most 19 digits fit well */
  const tensor *t = item->value;
  uint64_t end = *position + (uint64_t)tensor_numel(t) * dtype_size(t->dtype);
  int n = snprintf(text, sizeof text, ":{\"dtype\":\"%s\",\"shape\":[", type_name(element_of(t->dtype)));
  for (int d = 0; d < t->n_dims; d++)
    n += snprintf(text + n, sizeof text - (size_t)n, "%s%" PRId64, d > 0 ? "," : "", t->shape[d]);
  snprintf(text + n, sizeof text - (size_t)n, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", *position, end);
  *position = end;
  status code = put_string(w, &item->name);
  return code == STATUS_OK ? put_text(w, text) : code;
}

static status put_header(writer *w, int64_t n_items, const safetensors_item *items, int64_t n_metadata,
                         const safetensors_pair *metadata) {
  uint64_t position = 0;
  status code = put_text(w, "{");
  if (code == STATUS_OK && n_metadata > 0) code = put_metadata(w, n_metadata, metadata);
  for (int64_t k = 0; k < n_items && code == STATUS_OK; k++) {
    if (k > 0 || n_metadata > 0) code = put_text(w, ",");
    if (code == STATUS_OK) code = put_item(w, &items[k], &position);
  }
  if (code == STATUS_OK) code = put_text(w, "}");
  while (code == STATUS_OK && w->length % 8 != 0) code = put_text(w, " ");
  return code;
}

static status check_string(context *c, const json_string *s, const char *what) {
  if (utf8_is_valid(s->data, s->length)) return STATUS_OK;
  return context_fail(c, STATUS_INVALID, "save: %s '%s' is not UTF-8", what, show(s).text);
}

static status check_items(context *c, int64_t n_items, safetensors_item *items, int64_t n_metadata,
                          safetensors_pair *metadata) {
  status code = STATUS_OK;
  if (n_items > 1) qsort(items, (size_t)n_items, sizeof *items, by_item_name);
  for (int64_t k = 0; k < n_items && code == STATUS_OK; k++) {
    code = check_string(c, &items[k].name, "the name");
    if (code == STATUS_OK && string_is(&items[k].name, "__metadata__"))
      code = context_fail(c, STATUS_INVALID, "save: a tensor cannot be called '__metadata__'");
    if (code == STATUS_OK && k > 0 && by_item_name(&items[k - 1], &items[k]) == 0)
      code = context_fail(c, STATUS_INVALID, "save: two tensors would be called '%s'", show(&items[k].name).text);
  }
  if (n_metadata > 1) qsort(metadata, (size_t)n_metadata, sizeof *metadata, by_key);
  for (int64_t k = 0; k < n_metadata && code == STATUS_OK; k++) {
    code = check_string(c, &metadata[k].key, "the metadata key");
    if (code == STATUS_OK) code = check_string(c, &metadata[k].value, "the metadata value");
    if (code == STATUS_OK && k > 0 && by_key(&metadata[k - 1], &metadata[k]) == 0)
      code = context_fail(c, STATUS_INVALID, "save: the metadata key '%s' is there twice", show(&metadata[k].key).text);
  }
  return code;
}

status safetensors_write(writer *w, int64_t n_items, safetensors_item *items, int64_t n_metadata,
                         safetensors_pair *metadata) {
  writer header;
  status code = check_items(w->context, n_items, items, n_metadata, metadata);
  if (code != STATUS_OK) return code;
  if (n_items > 1) qsort(items, (size_t)n_items, sizeof *items, by_size_and_name);
  code = writer_open(w->context, &header, NULL);
  if (code == STATUS_OK) code = put_header(&header, n_items, items, n_metadata, metadata);
  if (code == STATUS_OK && header.length > MAX_HEADER_BYTES)
    code = context_fail(w->context, STATUS_INVALID, "save: names and metadata need more than 100 MB");
  uint64_t n_bytes = header.length;      /* little-endian, as this machine is (elements.c) */
  if (code == STATUS_OK) code = writer_put(w, &n_bytes, PREFIX_BYTES);
  if (code == STATUS_OK) code = writer_put(w, header.memory, header.length);
  writer_abandon(&header);
  for (int64_t k = 0; k < n_items && code == STATUS_OK; k++) code = elements_write(w, items[k].value);
  return code;
}
