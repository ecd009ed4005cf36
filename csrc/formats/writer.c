/* writer.c -- bytes out: to a file that appears whole or not at all, or into memory. */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_ATTEMPTS = 1000, MAX_CALL_BYTES = 1 << 30, FIRST_CAPACITY = 4096 };

static status write_failure(const writer *w, int code) {
  return context_fail(w->context, STATUS_IO, "cannot write '%.300s': %s", w->path, strerror(code));
}

static const char *target_of(const writer *w) { return w->target ? w->target : w->path; }

/* "DIRECTORY/NAME" -> "DIRECTORY/NAME.tmp-PID-ATTEMPT", a name that nobody has.  Other threads of this process and
** other machines on the same disk may be at it, too: O_EXCL decides. */
static status open_temporary(writer *w) {
  const char *target = target_of(w);
  w->temporary_bytes = strlen(target) + 48;
  w->temporary = context_get(w->context, w->temporary_bytes);
  if (w->temporary == NULL) return STATUS_NO_MEMORY;
  for (int attempt = 0; attempt < MAX_ATTEMPTS && w->descriptor < 0; attempt++) {
    snprintf(w->temporary, w->temporary_bytes, "%s.tmp-%ld-%d", target, (long)getpid(), attempt);
    w->descriptor = open(w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (w->descriptor < 0 && errno != EEXIST) break;
  }
  if (w->descriptor >= 0) return STATUS_OK;
  int code = errno;
  context_put(w->context, w->temporary, w->temporary_bytes);
  w->temporary = NULL;
  if (code == ENOENT)
    return context_fail(w->context, STATUS_IO, "cannot write '%.300s': its directory does not exist", w->path);
  return write_failure(w, code);
}

static status open_directly(writer *w) {
  w->descriptor = open(w->path, O_WRONLY | O_CLOEXEC);
  return w->descriptor < 0 ? write_failure(w, errno) : STATUS_OK;
}

static status open_file(writer *w) {
  struct stat facts;
  bool exists = stat(w->path, &facts) == 0;
  if (w->path[0] == '\0') return context_fail(w->context, STATUS_IO, "cannot write a file: the path is empty");
  if (!exists && errno != ENOENT) return write_failure(w, errno);
  if (exists && S_ISDIR(facts.st_mode))
    return context_fail(w->context, STATUS_IO, "cannot write '%.300s': it is a directory", w->path);
  if (exists && !S_ISREG(facts.st_mode)) return open_directly(w);
  if (exists && access(w->path, W_OK) != 0) return write_failure(w, errno);    /* a write-protected file stays */
  if (exists) w->target = realpath(w->path, NULL);
  if (exists && w->target == NULL) return write_failure(w, errno);
  status code = open_temporary(w);
  if (code == STATUS_OK && exists && fchmod(w->descriptor, facts.st_mode & 0777) != 0)
    return write_failure(w, errno);
  return code;
}

status writer_open(context *c, writer *w, const char *path) {
  *w = (writer){.context = c, .path = path, .descriptor = -1};
  if (path == NULL) return STATUS_OK;
  status code = open_file(w);
  if (code != STATUS_OK) writer_abandon(w);
  return code;
}

static status put_memory(writer *w, const void *from, size_t n_bytes) {
  if (n_bytes > w->capacity - w->length) {
    size_t capacity = w->capacity > FIRST_CAPACITY ? w->capacity : FIRST_CAPACITY;
    while (capacity - w->length < n_bytes) {
      if (capacity > SIZE_MAX / 2) return context_no_memory(w->context, SIZE_MAX);
      capacity *= 2;
    }
    unsigned char *memory = context_get(w->context, capacity);
    if (memory == NULL) return STATUS_NO_MEMORY;
    if (w->length > 0) memcpy(memory, w->memory, w->length);
    context_put(w->context, w->memory, w->capacity);
    w->memory = memory;
    w->capacity = capacity;
  }
  memcpy(w->memory + w->length, from, n_bytes);
  w->length += n_bytes;
  return STATUS_OK;
}

status writer_put(writer *w, const void *from, size_t n_bytes) {
  const unsigned char *next = from;
  if (n_bytes == 0) return STATUS_OK;
  if (w->path == NULL) return put_memory(w, from, n_bytes);
  while (n_bytes > 0) {
    ssize_t put = write(w->descriptor, next, n_bytes < MAX_CALL_BYTES ? n_bytes : MAX_CALL_BYTES);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return write_failure(w, errno);
    next += put;
    n_bytes -= (size_t)put;
  }
  return STATUS_OK;
}

/* So that the new name survives a power failure.  Not every file system can; the file itself is safe by now. */
static void sync_directory(const writer *w) {
  char *slash = strrchr(w->temporary, '/');
  if (slash != NULL) slash[slash == w->temporary ? 1 : 0] = '\0';
  int directory = open(slash ? w->temporary : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  (void)fsync(directory);
  close(directory);
}

status writer_commit(writer *w) {
  if (w->path == NULL) return STATUS_OK;
  int descriptor = w->descriptor;
  w->descriptor = -1;
  bool flushed = w->temporary == NULL || fsync(descriptor) == 0;
  int code = errno;
  if (close(descriptor) != 0 && flushed) {
    flushed = false;
    code = errno;
  }
  if (!flushed) return write_failure(w, code);
  if (w->temporary == NULL) return STATUS_OK;
  if (rename(w->temporary, target_of(w)) != 0) return write_failure(w, errno);
  sync_directory(w);
  context_put(w->context, w->temporary, w->temporary_bytes);
  w->temporary = NULL;
  return STATUS_OK;
}

void writer_abandon(writer *w) {
  if (w->descriptor >= 0) close(w->descriptor);
  if (w->temporary != NULL) {
    unlink(w->temporary);
    context_put(w->context, w->temporary, w->temporary_bytes);
  }
  free(w->target);      /* from realpath */
  context_put(w->context, w->memory, w->capacity);
  *w = (writer){.context = w->context, .descriptor = -1};
}
