/* writer.h -- bytes out: to a file that appears whole or not at all, or into memory.
**
** A file is written under a temporary name in the same directory, flushed to the disk (fsync, so that a full disk
** is noticed) and renamed.  Until then, and after any failure, the old file is as it was and the temporary gone.
** The new file has the old one's permissions.  A symbolic link stays one: what it points to is replaced.
** A device (/dev/null) or pipe cannot be renamed over and is written directly. */
#ifndef PERILUNE_WRITER_H
#define PERILUNE_WRITER_H

#include "../tensor/context.h"

typedef struct writer {
  context *context;
  const char *path;         /* as the user wrote it; NULL: into memory */
  char *target;             /* what it stands for, where it is a symbolic link; else NULL */
  char *temporary;          /* or NULL: written directly */
  size_t temporary_bytes;
  int descriptor;           /* -1: memory, or closed */
  unsigned char *memory;    /* after writer_commit: what was written, until writer_abandon */
  size_t length, capacity;
} writer;

status writer_open(context *c, writer *w, const char *path);     /* path: borrowed; NULL: into memory */
status writer_put(writer *w, const void *from, size_t n_bytes);
status writer_commit(writer *w);
/* Lets go of everything; removes the temporary file.  Always the last call, also after a success or failure. */
void writer_abandon(writer *w);

#endif
