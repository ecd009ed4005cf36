/* derived.h -- what an operation has worked out from a storage's data and keeps beside them, such as weights in the
** order in which a kernel reads them: the next call need not work it out again.
**
** A storage keeps one such block, which goes with the data.  It is valid for one version of the data: a write in place
** makes it stale, and whoever comes next works it out anew.  It counts as somebody who sees the data: no operation
** overwrites them without raising the version (tensor_owns_alone).
** An operation *takes* the block for the time of a call, so that two threads never use the same one. */
#ifndef PERILUNE_DERIVED_H
#define PERILUNE_DERIVED_H

#include "tensor.h"

/* The beginning of every such block. */
typedef struct derived {
  const void *maker;    /* an address of the operation's that says what the block is */
  size_t n_bytes;       /* of the whole block */
  unsigned version;     /* of the data that it was worked out from */
} derived;

/* A block of n_bytes, undefined behind its header.  NULL: no memory. */
derived *derived_new(context *c, const storage *s, const void *maker, size_t n_bytes);
/* What the storage keeps, now the caller's; NULL where there is none of this maker and version. */
derived *derived_take(storage *s, const void *maker);
/* Gives d to the storage, in the place of what it keeps. */
void derived_keep(storage *s, derived *d);
void derived_free(allocator *memory, derived *d);   /* d may be NULL */

#endif
