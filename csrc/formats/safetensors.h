/* safetensors.h -- named tensors and string metadata in one file. */
#ifndef PERILUNE_SAFETENSORS_H
#define PERILUNE_SAFETENSORS_H

#include "../tensor/tensor.h"
#include "elements.h"
#include "json.h"
#include "stream.h"
#include "writer.h"

typedef struct safetensors_entry {
  json_string name;
  element element;
  int n_dims;
  int64_t shape[MAX_DIMS];
  uint64_t begin, end;         /* from the end of the header */
} safetensors_entry;

typedef struct safetensors_pair { json_string key, value; } safetensors_pair;

/* What the header says; everything in it points into text. */
typedef struct safetensors_header {
  char *text;
  size_t text_bytes;
  uint64_t data_offset;        /* where the data begin in the file */
  safetensors_entry *entries;  /* in the order of their data */
  int64_t n_entries, entries_capacity;
  safetensors_pair *metadata;  /* ordered by key */
  int64_t n_metadata, metadata_capacity;
} safetensors_header;

/* Reads and checks the header against the length of the stream; no tensor is allocated before it is sound. */
status safetensors_open(context *c, stream *s, safetensors_header *header);
void safetensors_close(context *c, safetensors_header *header);      /* also after a failed open */
/* The tensor of one entry, new. */
status safetensors_read(context *c, stream *s, const safetensors_header *header, int64_t entry, tensor **out);

typedef struct safetensors_item { json_string name; const tensor *value; } safetensors_item;

/* Reorders items and metadata.  Names and metadata must be UTF-8, and differ. */
status safetensors_write(writer *w, int64_t n_items, safetensors_item *items, int64_t n_metadata,
                         safetensors_pair *metadata);

#endif
