/* parallel.h -- the only way to work in several threads (pool.h).
**
** [0, n) is cut into chunks of `grain` items (the last may be shorter).  The cut depends on n and grain
** alone, never on the number of threads, so that sums made per chunk and added in chunk order have the
** same bits for any number of threads.  One chunk, or one thread: runs in the caller.
** The context is const for its callers only in that nothing they can see changes. */
#ifndef PERILUNE_PARALLEL_H
#define PERILUNE_PARALLEL_H

#include <stdint.h>

#include "context.h"

typedef void (*parallel_body)(void *argument, int64_t begin, int64_t end);

void parallel_for(const context *c, int64_t n, int64_t grain, parallel_body body, void *argument);

/* A grain, at most this one, with which the chunks are of one size and even in number, as are most processors' cores:
** of 7 chunks one of two threads gets 4, a seventh more than its share. */
int64_t parallel_even_grain(int64_t n, int64_t grain);

/* Leaf loops that the compiler vectorises are compiled once for each instruction set and chosen when the
** library is loaded.  Put CLONES before the definition of a *leaf* function: one called from inside a
** parallel_body that starts nothing itself. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(PERILUNE_NO_CLONES)
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONES
#endif

#endif
