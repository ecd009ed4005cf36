/* integers.h -- small arithmetic of sizes. */
#ifndef PERILUNE_INTEGERS_H
#define PERILUNE_INTEGERS_H

#include <stdint.h>

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* How many parts of the given size n takes, the last one perhaps smaller. */
static inline int64_t parts(int64_t n, int64_t size) { return (n + size - 1) / size; }

#endif
