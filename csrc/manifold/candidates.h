/* candidates.h -- the k nearest of the points offered so far, and some more: each time that the room is full, the
** farthest are thrown away.
**
** A candidate is one integer: the bits of its distance, which is not negative, above its row.  Integers are then in the
** order of distances, and of rows among equal ones. */
#ifndef PERILUNE_CANDIDATES_H
#define PERILUNE_CANDIDATES_H

#include <stdint.h>

typedef struct candidates {
  uint64_t *keys;       /* candidates_room(k) */
  int64_t k, count;
  uint64_t limit;       /* nothing above it is among the k nearest */
} candidates;

static inline int64_t candidates_room(int64_t k) { return k + 128; }

candidates candidates_none(uint64_t *keys, int64_t k);
void candidates_offer(candidates *c, float distance, int32_t row);
float candidates_limit(const candidates *c);     /* a distance; INFINITY at first */
/* The k nearest, nearest first.  Where fewer were offered the rest is row 0 at INFINITY. */
void candidates_finish(candidates *c, int64_t *row, float *distance);

#endif
