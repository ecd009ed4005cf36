/* stream.h -- bytes in: a file or a piece of memory, read from front to back, plain or through gzip.
**
** A stream knows how many bytes it really has before any parser believes a header.  Only regular files are
** opened: a directory, a device or a pipe has no length to check against. */
#ifndef PERILUNE_STREAM_H
#define PERILUNE_STREAM_H

#include "../tensor/context.h"

struct inflater;

typedef struct stream {
  const char *name;              /* for messages: the path, or "data" */
  const unsigned char *memory;   /* NULL: a file */
  int descriptor;                /* -1: memory, or closed */
  uint64_t length;               /* of the file or the memory, compressed if it is */
  uint64_t offset;               /* of the next byte, in those */
  struct inflater *inflater;     /* NULL: plain */
} stream;

/* path is borrowed and must outlive the stream.  STATUS_IO: see the message. */
status stream_open(context *c, stream *s, const char *path);
void stream_open_memory(stream *s, const void *memory, size_t n_bytes);
void stream_close(context *c, stream *s);        /* may be called again, and after a failed stream_open */

/* Exactly n_bytes, or STATUS_FORMAT ("... is truncated"), or STATUS_IO. */
status stream_read(context *c, stream *s, void *to, size_t n_bytes);
/* How many bytes are left, at most up to `limit`; they are read and thrown away. */
status stream_drain(context *c, stream *s, uint64_t limit, uint64_t *n_bytes);
/* OK when nothing is left (gzip: and the checksum is right), else STATUS_FORMAT. */
status stream_expect_end(context *c, stream *s);

bool stream_is_gzip(context *c, stream *s);      /* does it begin with gzip's two magic bytes? */
/* From now on (or once more) the bytes are those that the gzip members at the beginning hold. */
status stream_inflate(context *c, stream *s);
static inline uint64_t stream_remaining(const stream *s) { return s->length - s->offset; }   /* plain only */

#endif
