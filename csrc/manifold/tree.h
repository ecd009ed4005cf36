/* tree.h -- a quadtree (m = 2) or octree (m = 3) over points.  It knows nothing of probabilities.
**
** Points are sorted in Morton order: the bits of their cell numbers along each axis, interleaved, so that every node's
** points stand side by side.  A node that would have one child only is not made.  A leaf holds at most LEAF_POINTS
** points, or more where they lie in one cell of the finest grid (2^20 cells along each axis): equal points cannot
** split. */
#ifndef PERILUNE_TREE_H
#define PERILUNE_TREE_H

#include "manifold.h"

enum { LEAF_POINTS = 16, TREE_BITS = 20 };

typedef struct tree_node {
  float center[MAX_MAP_DIMS];                      /* the mean of its points */
  float low[MAX_MAP_DIMS], high[MAX_MAP_DIMS];     /* the box that they fill */
  float squared_width;                             /* of the box's longest side */
  int32_t begin, end;                              /* its points, in sorted order */
  int32_t next;                                    /* the node after all that lies below this one (preorder) */
  bool is_leaf;
} tree_node;

typedef struct tree {
  int64_t n;
  int m;
  int32_t n_nodes, n_leaves;
  tree_node *nodes;        /* preorder; the first is the root */
  int32_t *leaves;         /* the nodes that are leaves */
  int32_t *order;          /* order[i]: which point stands at i */
  float *points;           /* (m, n): coordinates in sorted order */
  void *block;             /* all of the above, and what sorting needs */
  size_t block_bytes;
} tree;

/* y (n, m) finite, n >= 1 and below 2^31.  Allocates one block. */
status tree_make(context *c, const float *y, int64_t n, int m, tree *out);
void tree_free(context *c, tree *t);

#endif
