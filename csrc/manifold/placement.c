/* placement.c -- see placement.h. */
#include "placement.h"

#include "../tensor/parallel.h"

typedef struct job {
  const placement *of;
  const float *y;
  float *gradient;
} job;

/* Adds weight q to *z and weight q^2 (y - at) to force. */
static void repel(int m, const float *y, const float *at, int64_t stride, float weight, float *force, float *z) {
  float difference[MAX_MAP_DIMS], squared = 0;
  for (int d = 0; d < m; d++) {
    difference[d] = y[d] - at[d * stride];
    squared += difference[d] * difference[d];
  }
  float q = 1 / (1 + squared), wq = weight * q;
  *z += wq;
  for (int d = 0; d < m; d++) force[d] += wq * q * difference[d];
}

static void walk(const tree *t, float squared_angle, const float *y, float *force, float *z) {
  for (int32_t k = 0; k < t->n_nodes;) {
    const tree_node *node = &t->nodes[k];
    float squared = 0;
    for (int d = 0; d < t->m; d++) squared += (y[d] - node->center[d]) * (y[d] - node->center[d]);
    bool is_far = node->squared_width < squared_angle * squared;
    if (is_far) repel(t->m, y, node->center, 1, (float)(node->end - node->begin), force, z);
    else if (node->is_leaf)
      for (int32_t i = node->begin; i < node->end; i++) repel(t->m, y, t->points + i, t->n, 1, force, z);
    k = is_far || node->is_leaf ? node->next : k + 1;
  }
}

static void place(void *argument, int64_t begin, int64_t end) {
  const job *j = argument;
  const placement *p = j->of;
  int m = p->tree->m;
  for (int64_t i = begin; i < end; i++) {
    float pull[MAX_MAP_DIMS] = { 0 }, push[MAX_MAP_DIMS] = { 0 }, z = 0;
    const float *y = j->y + i * m;
    walk(p->tree, (float)(p->angle * p->angle), y, push, &z);
    for (int64_t e = i * p->k; e < (i + 1) * p->k; e++) {
      const float *other = p->fitted + (p->index[e] - 1) * m;
      float squared = 0;
      for (int d = 0; d < m; d++) squared += (y[d] - other[d]) * (y[d] - other[d]);
      for (int d = 0; d < m; d++) pull[d] += p->p[e] / (1 + squared) * (y[d] - other[d]);
    }
    for (int d = 0; d < m; d++) j->gradient[i * m + d] = (float)p->exaggeration * pull[d] - (z > 0 ? push[d] / z : 0);
  }
}

void placement_gradient(context *c, const placement *p, const float *y, int64_t n_new, float *gradient) {
  job j = { p, y, gradient };
  parallel_for(c, n_new, 16, place, &j);
}
