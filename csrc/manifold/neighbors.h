/* neighbors.h -- exact nearest neighbours.
**
** Points stand in blocks in k-d order (kd.h), and so do the queries.  A block of queries looks first at the points
** around it, then at every other block whose box is not farther away than the worst of the neighbours that its queries
** have so far.  Features are taken in falling order of their variance, CHUNK at a time, for a tile of QUERIES x TILE
** pairs at once; a query whose partial distances to a tile are all too large already is dropped from it.  Nothing is
** approximate: a partial sum of squares is never more than the whole.
** Differences are squared and added, always in the same order of features (no |x|^2 - 2 x y + |y|^2, which loses the
** digits of near neighbours). */
#ifndef PERILUNE_NEIGHBORS_H
#define PERILUNE_NEIGHBORS_H

#include "../tensor/context.h"

typedef struct neighbor_index {
  allocator *memory;
  int64_t n, d, n_blocks;
  int32_t *feature;       /* (d) by falling variance */
  int32_t *order;         /* (n) which row stands at a place */
  float *tiles;           /* (d / CHUNK, places / TILE, CHUNK, TILE); after place n - 1 copies of that point */
  float *low, *high;      /* (bounded features, n_blocks): the blocks' boxes in the first few features */
  void *block;            /* all of the above */
  size_t block_bytes;
} neighbor_index;

/* Of n points x (n, d), n and d at least 1, n below 2^31, no NaN.  Keeps a copy of them.  Allocates that. */
status neighbor_index_make(context *c, const float *x, int64_t n, int64_t d, neighbor_index *out);
void neighbor_index_free(neighbor_index *t);    /* may be all zero */

/* The k nearest of the points to each of n_queries others (n_queries, d): index and squared euclidean distance, nearest
** first, the smaller index first among equals.  Query i is left out of its own neighbours where it is row first + i of
** the points; first < 0: the queries are other points.  k is at most the number of candidates.
** Allocates a copy of the queries and room for k + 128 candidates of each. */
status neighbor_search(context *c, const neighbor_index *t, const float *queries, int64_t n_queries, int64_t first,
                       int64_t k, int64_t *index, float *distance);

#endif
