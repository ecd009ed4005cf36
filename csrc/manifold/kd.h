/* kd.h -- the order of a balanced k-d tree: points that stand near each other in it lie near each other.
**
** The points are split at the median along the widest axis, then each half likewise, until a part is one block.  Where
** a part is split depends on its size alone: the left half takes half of the blocks, rounded up, and only the very last
** block is shorter than the others.  So the tree of n points has the same shape wherever they lie, and equal points
** need no special care.  Bentley, "Multidimensional binary search trees used for associative searching", CACM 1975. */
#ifndef PERILUNE_KD_H
#define PERILUNE_KD_H

#include "../tensor/context.h"

/* How many of n points, which begin at a block, go left. */
static inline int64_t kd_left(int64_t n, int64_t block) { return ((n + block - 1) / block + 1) / 2 * block; }

/* Rearranges order, a permutation of 0 .. n - 1, into that of the tree of x (n, d), no NaN.  A good order to begin with
** makes it faster.  Allocates a key for each point. */
status kd_sort(context *c, const float *x, int64_t n, int64_t d, int64_t block, int32_t *order);

#endif
