/* cells.h -- a balanced tree over the points of a map in the plane, which is kept for several iterations.
**
** Its leaves are buckets of BUCKET points in k-d order (kd.h).  What a cell knows of its points, their mean, their
** second moments and the box that they fill, is measured anew in each iteration; which points it holds is settled when
** the tree is built. */
#ifndef PERILUNE_CELLS_H
#define PERILUNE_CELLS_H

#include "../tensor/context.h"

enum { BUCKET = 16 };

/* What a far bucket feels of a cell, in the order in which expansion.c reads it. */
typedef struct cell {
  float x, y;             /* the mean of its points */
  float weight;           /* how many there are */
  float xx, xy, yy;       /* the sums of (x_j - x)^2, (x_j - x) (y_j - y), (y_j - y)^2: their second moments */
} cell;

typedef struct box {
  float low[2], high[2];
} box;

typedef struct cells {
  allocator *memory;
  int64_t n;
  int32_t n_cells, n_buckets;
  cell *cells;            /* preorder; cell 0 is the root, the left child of an inner cell k is k + 1 */
  box *boxes;             /* likewise, as all of these */
  float *radius;          /* from the mean to the farthest corner of the box */
  float *built_radius;    /* when the tree was built */
  int32_t *next;          /* the cell after all that lies below this one; an inner cell's right child is next[k + 1] */
  int32_t *bucket;        /* the number of a leaf's bucket; -1: not a leaf */
  int32_t *leaf;          /* (n_buckets) the cell of a bucket */
  int32_t *order;         /* (n) order[i]: which point stands at place i; bucket b holds b BUCKET .. */
  float *x, *y;           /* (n_buckets BUCKET) coordinates by place; after place n - 1 copies of that point */
  void *block;            /* all of the above */
  size_t block_bytes;
} cells;

/* The tree of n points, n >= 1, as yet without any measure.  Allocates one block. */
status cells_make(context *c, int64_t n, cells *out);
void cells_free(cells *t);    /* may be all zero */

/* Sorts the points of the map (n, 2) into buckets and measures them.  Allocates what kd_sort does. */
status cells_build(context *c, const float *map, cells *t);
/* Measures them where the points have moved to. */
void cells_measure(context *c, const float *map, cells *t);

/* A cell whose box has grown so much that what was decided when the tree was built no longer holds for it. */
static inline bool cells_has_grown(const cells *t, int32_t k) {
  return t->radius[k] > 1.5f * t->built_radius[k] && t->radius[k] > 0.1f;
}

#endif
