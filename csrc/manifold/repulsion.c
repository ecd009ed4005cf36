/* repulsion.c -- the Barnes-Hut sum, one list of interactions for each leaf.
**
** The points of a leaf lie close together, so that one walk through the tree serves them all: a node far from the
** leaf's box counts as so many points at its center.  The list is worked off with the leaf's points as vector lanes.
** A point meets itself in its own leaf: no force, and q = 1, which is taken off at the end.
**
** q = 1 / (1 + |y_i - y_j|^2):  repulsion_i = sum w q^2 (y_i - y_j),  q_sum = sum w q. */
#include <string.h>

#include "../tensor/parallel.h"
#include "tree.h"

enum { LIST = 512, LANES = LEAF_POINTS };

typedef struct interactions {
  int count;
  float weight[LIST];
  float at[MAX_MAP_DIMS][LIST];
} interactions;

typedef struct lanes {
  float y[MAX_MAP_DIMS][LANES];
  float force[MAX_MAP_DIMS][LANES];
  float q_sum[LANES];
} lanes;

typedef struct job {
  const tree *tree;
  float squared_angle;
  float *repulsion;      /* (n, m), in the callers' order */
  double *q_sum;         /* by leaf */
} job;

CLONES static void apply2(const interactions *restrict list, lanes *restrict l) {
  float force0[LANES], force1[LANES], q_sum[LANES];
  memcpy(force0, l->force[0], sizeof force0);
  memcpy(force1, l->force[1], sizeof force1);
  memcpy(q_sum, l->q_sum, sizeof q_sum);
  for (int k = 0; k < list->count; k++)
    for (int i = 0; i < LANES; i++) {
      float d0 = l->y[0][i] - list->at[0][k], d1 = l->y[1][i] - list->at[1][k];
      float q = 1.0f / (1.0f + d0 * d0 + d1 * d1), wq = list->weight[k] * q, wqq = wq * q;
      q_sum[i] += wq;
      force0[i] += wqq * d0;
      force1[i] += wqq * d1;
    }
  memcpy(l->force[0], force0, sizeof force0);
  memcpy(l->force[1], force1, sizeof force1);
  memcpy(l->q_sum, q_sum, sizeof q_sum);
}

CLONES static void apply3(const interactions *restrict list, lanes *restrict l) {
  float force0[LANES], force1[LANES], force2[LANES], q_sum[LANES];
  memcpy(force0, l->force[0], sizeof force0);
  memcpy(force1, l->force[1], sizeof force1);
  memcpy(force2, l->force[2], sizeof force2);
  memcpy(q_sum, l->q_sum, sizeof q_sum);
  for (int k = 0; k < list->count; k++)
    for (int i = 0; i < LANES; i++) {
      float d0 = l->y[0][i] - list->at[0][k], d1 = l->y[1][i] - list->at[1][k], d2 = l->y[2][i] - list->at[2][k];
      float q = 1.0f / (1.0f + d0 * d0 + d1 * d1 + d2 * d2), wq = list->weight[k] * q, wqq = wq * q;
      q_sum[i] += wq;
      force0[i] += wqq * d0;
      force1[i] += wqq * d1;
      force2[i] += wqq * d2;
    }
  memcpy(l->force[0], force0, sizeof force0);
  memcpy(l->force[1], force1, sizeof force1);
  memcpy(l->force[2], force2, sizeof force2);
  memcpy(l->q_sum, q_sum, sizeof q_sum);
}

static void flush(int m, interactions *list, lanes *l) {
  if (m == 2) apply2(list, l);
  else apply3(list, l);
  list->count = 0;
}

static void add(const tree *t, interactions *list, lanes *l, const float *at, int64_t stride, float weight) {
  for (int d = 0; d < t->m; d++) list->at[d][list->count] = at[d * stride];
  list->weight[list->count++] = weight;
  if (list->count == LIST) flush(t->m, list, l);
}

/* From the node's center to the nearest place in the leaf's box. */
static float squared_distance(const tree_node *leaf, const tree_node *node, int m) {
  float sum = 0;
  for (int d = 0; d < m; d++) {
    float x = node->center[d], beyond = 0;
    if (x < leaf->low[d]) beyond = leaf->low[d] - x;
    if (x > leaf->high[d]) beyond = x - leaf->high[d];
    sum += beyond * beyond;
  }
  return sum;
}

static void walk(const job *j, const tree_node *leaf, interactions *list, lanes *l) {
  const tree *t = j->tree;
  for (int32_t at = 0; at < t->n_nodes;) {
    const tree_node *node = &t->nodes[at];
    if (node->squared_width < j->squared_angle * squared_distance(leaf, node, t->m)) {
      add(t, list, l, node->center, 1, (float)(node->end - node->begin));
      at = node->next;
    } else if (node->is_leaf) {
      for (int32_t i = node->begin; i < node->end; i++) add(t, list, l, t->points + i, t->n, 1);
      at = node->next;
    } else {
      at++;
    }
  }
  flush(t->m, list, l);
}

/* The points begin .. end - 1 of a leaf: LANES of them at most. */
static double repel_lanes(const job *j, const tree_node *leaf, int32_t begin, int32_t end, interactions *list) {
  const tree *t = j->tree;
  lanes l = { 0 };
  for (int d = 0; d < t->m; d++)
    for (int32_t i = 0; i < end - begin; i++) l.y[d][i] = t->points[d * t->n + begin + i];
  walk(j, leaf, list, &l);
  double q_sum = 0;
  for (int32_t i = 0; i < end - begin; i++) {
    for (int d = 0; d < t->m; d++) j->repulsion[(int64_t)t->order[begin + i] * t->m + d] = l.force[d][i];
    q_sum += (double)l.q_sum[i] - 1;
  }
  return q_sum;
}

static void repel_leaves(void *argument, int64_t begin, int64_t end) {
  const job *j = argument;
  interactions list;
  list.count = 0;
  for (int64_t k = begin; k < end; k++) {
    const tree_node *leaf = &j->tree->nodes[j->tree->leaves[k]];
    double q_sum = 0;
    for (int32_t at = leaf->begin; at < leaf->end; at += LANES)
      q_sum += repel_lanes(j, leaf, at, at + LANES < leaf->end ? at + LANES : leaf->end, &list);
    j->q_sum[k] = q_sum;
  }
}

status manifold_repulsion(context *c, const float *y, int64_t n, int m, double angle, float *repulsion, double *q_sum) {
  tree t;
  status result = tree_make(c, y, n, m, &t);
  if (result != STATUS_OK) return result;
  size_t sums_bytes = (size_t)t.n_leaves * sizeof(double);
  double *sums = context_get(c, sums_bytes);
  if (sums) {
    job j = { &t, (float)(angle * angle), repulsion, sums };
    parallel_for(c, t.n_leaves, 8, repel_leaves, &j);
    *q_sum = 0;
    for (int32_t k = 0; k < t.n_leaves; k++) *q_sum += sums[k];
    context_put(c, sums, sums_bytes);
  }
  tree_free(c, &t);
  return sums ? STATUS_OK : STATUS_NO_MEMORY;
}
