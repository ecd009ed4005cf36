/* stream.c -- bytes in: a file or a piece of memory, plain or through gzip (RFC 1952, by zlib).
**
** Plain files are read with pread straight into the caller's memory.  A gzip stream may have several members;
** whatever follows the last one that is not another member is an error, and so is a wrong checksum. */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { INPUT_BYTES = 65536, MAX_CALL_BYTES = 1 << 30 };

typedef struct inflater {
  z_stream z;
  context *context;
  bool ended;                        /* the last member is complete and its checksum right */
  unsigned char input[INPUT_BYTES];
} inflater;

status stream_open(context *c, stream *s, const char *path) {
  struct stat facts;
  *s = (stream){.name = path, .descriptor = -1};
  if (path[0] == '\0') return context_fail(c, STATUS_IO, "cannot open a file: the path is empty");
  /* O_NONBLOCK: opening a pipe that nobody writes to must not wait for ever. */
  s->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (s->descriptor < 0 || fstat(s->descriptor, &facts) != 0) {
    status code = context_fail(c, STATUS_IO, "cannot open '%.300s': %s", path, strerror(errno));
    stream_close(c, s);
    return code;
  }
  if (!S_ISREG(facts.st_mode)) {
    stream_close(c, s);
    return context_fail(c, STATUS_IO, "cannot read '%.300s': it is %s", path,
                        S_ISDIR(facts.st_mode) ? "a directory" : "not a regular file");
  }
  s->length = (uint64_t)facts.st_size;
  return STATUS_OK;
}

void stream_open_memory(stream *s, const void *memory, size_t n_bytes) {
  *s = (stream){.name = "data", .memory = memory, .descriptor = -1, .length = n_bytes};
}

static void stop_inflater(context *c, stream *s) {
  if (s->inflater == NULL) return;
  inflateEnd(&s->inflater->z);
  context_put(c, s->inflater, sizeof *s->inflater);
  s->inflater = NULL;
}

void stream_close(context *c, stream *s) {
  stop_inflater(c, s);
  if (s->descriptor >= 0) close(s->descriptor);
  s->descriptor = -1;
  s->memory = NULL;
  s->length = s->offset = 0;
}

static status truncated(context *c, const stream *s) {
  return context_fail(c, STATUS_FORMAT, "%.300s is truncated: it ends after %llu bytes, in the middle of its contents",
                      s->name, (unsigned long long)s->length);
}

static status read_file(context *c, stream *s, unsigned char *to, size_t n_bytes) {
  while (n_bytes > 0) {
    size_t wanted = n_bytes < MAX_CALL_BYTES ? n_bytes : MAX_CALL_BYTES;
    ssize_t got = pread(s->descriptor, to, wanted, (off_t)s->offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return context_fail(c, STATUS_IO, "cannot read '%.300s': %s", s->name, strerror(errno));
    if (got == 0) return truncated(c, s);      /* it has become shorter since it was opened */
    to += got;
    n_bytes -= (size_t)got;
    s->offset += (uint64_t)got;
  }
  return STATUS_OK;
}

static status read_plain(context *c, stream *s, void *to, size_t n_bytes) {
  if (n_bytes > stream_remaining(s)) return truncated(c, s);
  if (n_bytes == 0) return STATUS_OK;
  if (s->memory == NULL) return read_file(c, s, to, n_bytes);
  memcpy(to, s->memory + s->offset, n_bytes);
  s->offset += n_bytes;
  return STATUS_OK;
}

/* -- gzip -- */

typedef struct zlib_block { size_t n_bytes; size_t padding; } zlib_block;   /* in front of what zlib asks for */

static void *zlib_get(void *user, uInt n_items, uInt item_bytes) {
  size_t n_bytes = sizeof(zlib_block) + (size_t)n_items * item_bytes;
  zlib_block *block = context_get(user, n_bytes);
  if (block == NULL) return NULL;
  block->n_bytes = n_bytes;
  return block + 1;
}

static void zlib_put(void *user, void *address) {
  zlib_block *block = (zlib_block *)address - 1;
  context_put(user, block, block->n_bytes);
}

bool stream_is_gzip(context *c, stream *s) {
  unsigned char magic[2];
  uint64_t offset = s->offset;
  if (s->length < 2) return false;
  s->offset = 0;
  bool is_gzip = read_plain(c, s, magic, 2) == STATUS_OK && magic[0] == 0x1f && magic[1] == 0x8b;
  s->offset = offset;
  return is_gzip;
}

status stream_inflate(context *c, stream *s) {
  stop_inflater(c, s);
  s->offset = 0;
  inflater *i = context_get(c, sizeof *i);
  if (i == NULL) return STATUS_NO_MEMORY;
  i->context = c;
  i->ended = false;
  i->z = (z_stream){.zalloc = zlib_get, .zfree = zlib_put, .opaque = c};
  if (inflateInit2(&i->z, 15 + 16) != Z_OK) {      /* 15: the largest window; +16: gzip, not zlib */
    context_put(c, i, sizeof *i);
    return context_no_memory(c, sizeof *i);
  }
  s->inflater = i;
  return STATUS_OK;
}

/* Makes sure that zlib has input, unless there is none any more. */
static status refill(context *c, stream *s) {
  inflater *i = s->inflater;
  if (i->z.avail_in > 0) return STATUS_OK;
  uint64_t n_bytes = stream_remaining(s);
  if (n_bytes > INPUT_BYTES) n_bytes = INPUT_BYTES;
  i->z.next_in = i->input;
  status code = read_plain(c, s, i->input, (size_t)n_bytes);
  if (code == STATUS_OK) i->z.avail_in = (uInt)n_bytes;
  return code;
}

/* A member has ended: is there another?  Two zero bytes or more are padding in some archives, but not here. */
static status next_member(context *c, stream *s) {
  inflater *i = s->inflater;
  status code = refill(c, s);
  if (code != STATUS_OK) return code;
  i->ended = i->z.avail_in == 0;
  if (i->ended) return STATUS_OK;
  if (i->z.next_in[0] != 0x1f)
    return context_fail(c, STATUS_FORMAT, "%.300s: %llu bytes follow the end of the gzip data", s->name,
                        (unsigned long long)(i->z.avail_in + stream_remaining(s)));
  return inflateReset(&i->z) == Z_OK ? STATUS_OK : context_fail(c, STATUS_FORMAT, "%.300s: bad gzip data", s->name);
}

static status inflate_failure(context *c, const stream *s, int code) {
  const char *text = s->inflater->z.msg;
  if (code == Z_MEM_ERROR) return context_no_memory(c, 1 << 15);
  return context_fail(c, STATUS_FORMAT, "%.300s: bad gzip data: %s", s->name, text ? text : "corrupt");
}

/* Up to n_bytes; fewer only at the end of the last member. */
static status read_inflated(context *c, stream *s, unsigned char *to, size_t n_bytes, size_t *n_read) {
  inflater *i = s->inflater;
  *n_read = 0;
  while (*n_read < n_bytes && !i->ended) {
    size_t wanted = n_bytes - *n_read < MAX_CALL_BYTES ? n_bytes - *n_read : MAX_CALL_BYTES;
    status code = refill(c, s);
    if (code != STATUS_OK) return code;
    if (i->z.avail_in == 0) return truncated(c, s);
    i->z.next_out = to + *n_read;
    i->z.avail_out = (uInt)wanted;
    int result = inflate(&i->z, Z_NO_FLUSH);
    *n_read += wanted - i->z.avail_out;
    if (result == Z_STREAM_END) code = next_member(c, s);
    else if (result != Z_OK && result != Z_BUF_ERROR) code = inflate_failure(c, s, result);
    if (code != STATUS_OK) return code;
  }
  return STATUS_OK;
}

status stream_read(context *c, stream *s, void *to, size_t n_bytes) {
  size_t n_read;
  if (s->inflater == NULL) return read_plain(c, s, to, n_bytes);
  status code = read_inflated(c, s, to, n_bytes, &n_read);
  if (code == STATUS_OK && n_read < n_bytes)
    return context_fail(c, STATUS_FORMAT, "%.300s is truncated: its gzip data hold too few bytes", s->name);
  return code;
}

status stream_drain(context *c, stream *s, uint64_t limit, uint64_t *n_bytes) {
  size_t n_read = 1;
  *n_bytes = 0;
  if (s->inflater == NULL) {
    *n_bytes = stream_remaining(s) < limit ? stream_remaining(s) : limit;
    s->offset += *n_bytes;
    return STATUS_OK;
  }
  unsigned char *scratch = context_get(c, INPUT_BYTES);
  if (scratch == NULL) return STATUS_NO_MEMORY;
  status code = STATUS_OK;
  while (code == STATUS_OK && n_read > 0 && *n_bytes < limit) {
    size_t wanted = limit - *n_bytes < INPUT_BYTES ? (size_t)(limit - *n_bytes) : INPUT_BYTES;
    code = read_inflated(c, s, scratch, wanted, &n_read);
    *n_bytes += n_read;
  }
  context_put(c, scratch, INPUT_BYTES);
  return code;
}

status stream_expect_end(context *c, stream *s) {
  unsigned char byte;
  size_t n_read = 0;
  if (s->inflater == NULL) {
    if (stream_remaining(s) == 0) return STATUS_OK;
    return context_fail(c, STATUS_FORMAT, "%.300s: %llu bytes follow the end of the data", s->name,
                        (unsigned long long)stream_remaining(s));
  }
  status code = read_inflated(c, s, &byte, 1, &n_read);
  if (code == STATUS_OK && n_read > 0)
    return context_fail(c, STATUS_FORMAT, "%.300s: more bytes than its header says", s->name);
  return code;
}
