/* allocator.h -- 64-byte aligned blocks behind LIFO caches.
**
** A training loop asks for the same sizes again and again: a freed block waits, and the next request that it fits
** takes the one freed last, which is still warm in the processor's cache.
** Blocks may be freed by another thread than the one that took them; a mutex guards the lists.
** The allocator lives until its owner has released it and every block has come back. */
#ifndef PERILUNE_ALLOCATOR_H
#define PERILUNE_ALLOCATOR_H

#include <stddef.h>
#include <stdint.h>

typedef struct allocator allocator;

typedef struct memory_use {
  size_t live_bytes;     /* handed out and not yet returned */
  size_t peak_bytes;     /* the largest live_bytes since the last reset */
  size_t cached_bytes;   /* returned, waiting to be used again */
  int64_t live_blocks;
  size_t cap_bytes;      /* 0: none */
  int64_t live_tensors;  /* as counted with allocator_count_tensor */
} memory_use;

allocator *allocator_new(void);                     /* NULL: no memory */
void allocator_close(allocator *a);                 /* the owner is done; blocks may still come back later */

/* n_bytes > 0, 64-byte aligned, contents undefined.  NULL when memory or the cap is exhausted. */
void *allocator_get(allocator *a, size_t n_bytes);
void *allocator_get_zeroed(allocator *a, size_t n_bytes);
/* n_bytes as it was asked for.  block may be NULL. */
void allocator_put(allocator *a, void *block, size_t n_bytes);

void allocator_count_tensor(allocator *a, int by);  /* +1 or -1; before the header's own block goes */
void allocator_trim(allocator *a);                  /* gives the cached blocks back to the system */
memory_use allocator_use(allocator *a);
size_t allocator_live_bytes(const allocator *a);     /* the same without the lock */
void allocator_reset_peak(allocator *a);
void allocator_set_cap(allocator *a, size_t cap_bytes);      /* 0: no cap */
/* The n-th request from now on (1 = the next) fails once; 0 switches it off.  For specs. */
void allocator_fail_at(allocator *a, int64_t n);

#endif
