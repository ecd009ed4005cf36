/* cells.c -- see cells.h. */
#include "cells.h"

#include <math.h>
#include <string.h>

#include "../tensor/parallel.h"
#include "kd.h"

/* The shape depends on n alone. */
static void add_cell(cells *t, int64_t begin, int64_t n) {
  int32_t k = t->n_cells++;
  t->cells[k].weight = (float)n;
  t->bucket[k] = n <= BUCKET ? t->n_buckets : -1;
  if (n <= BUCKET) {
    t->leaf[t->n_buckets++] = k;
  } else {
    int64_t left = kd_left(n, BUCKET);
    add_cell(t, begin, left);
    add_cell(t, begin + left, n - left);
  }
  t->next[k] = t->n_cells;
}

/* Cuts the next part off a block. */
static void *take(char **at, size_t n_bytes) {
  void *part = *at;
  *at += (n_bytes + 63) / 64 * 64;
  return part;
}

status cells_make(context *c, int64_t n, cells *out) {
  size_t buckets = (size_t)((n + BUCKET - 1) / BUCKET), count = 2 * buckets;
  size_t cell_bytes = sizeof(cell) + sizeof(box) + 2 * sizeof(float) + 2 * sizeof(int32_t);
  size_t place_bytes = sizeof(int32_t) + 2 * sizeof(float);
  *out = (cells){ .memory = c->memory, .n = n };
  out->block_bytes = count * cell_bytes + buckets * sizeof(int32_t) + buckets * BUCKET * place_bytes + 10 * 64;
  out->block = context_get(c, out->block_bytes);
  if (!out->block) return STATUS_NO_MEMORY;
  char *at = out->block;
  out->cells = take(&at, count * sizeof(cell));
  out->boxes = take(&at, count * sizeof(box));
  out->radius = take(&at, count * sizeof(float));
  out->built_radius = take(&at, count * sizeof(float));
  out->next = take(&at, count * sizeof(int32_t));
  out->bucket = take(&at, count * sizeof(int32_t));
  out->leaf = take(&at, buckets * sizeof(int32_t));
  out->order = take(&at, buckets * BUCKET * sizeof(int32_t));
  out->x = take(&at, buckets * BUCKET * sizeof(float));
  out->y = take(&at, buckets * BUCKET * sizeof(float));
  for (int64_t i = 0; i < n; i++) out->order[i] = (int32_t)i;
  add_cell(out, 0, n);
  return STATUS_OK;
}

void cells_free(cells *t) {
  if (t->block) allocator_put(t->memory, t->block, t->block_bytes);
  *t = (cells){ 0 };
}

/* -- measures -- */

typedef struct measuring {
  const float *map;
  cells *tree;
} measuring;

/* Coordinates of bucket b; the places that are missing repeat the last point. */
static void fetch_bucket(const measuring *m, int64_t b) {
  cells *t = m->tree;
  for (int64_t i = b * BUCKET; i < (b + 1) * BUCKET; i++) {
    int64_t point = t->order[i < t->n ? i : t->n - 1];
    t->x[i] = m->map[2 * point];
    t->y[i] = m->map[2 * point + 1];
  }
}

static void measure_bucket(cells *t, int64_t b) {
  const float *x = t->x + b * BUCKET, *y = t->y + b * BUCKET;
  int32_t k = t->leaf[b];
  int n = (int)t->cells[k].weight;
  box bounds = { { x[0], y[0] }, { x[0], y[0] } };
  float sum_x = 0, sum_y = 0, xx = 0, xy = 0, yy = 0;
  for (int i = 0; i < n; i++) {
    bounds.low[0] = x[i] < bounds.low[0] ? x[i] : bounds.low[0];
    bounds.low[1] = y[i] < bounds.low[1] ? y[i] : bounds.low[1];
    bounds.high[0] = x[i] > bounds.high[0] ? x[i] : bounds.high[0];
    bounds.high[1] = y[i] > bounds.high[1] ? y[i] : bounds.high[1];
    sum_x += x[i] - x[0];
    sum_y += y[i] - y[0];
  }
  float mean_x = x[0] + sum_x / (float)n, mean_y = y[0] + sum_y / (float)n;
  for (int i = 0; i < n; i++) {
    float dx = x[i] - mean_x, dy = y[i] - mean_y;
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  t->boxes[k] = bounds;
  t->cells[k] = (cell){ mean_x, mean_y, (float)n, xx, xy, yy };
}

static void measure_buckets(void *argument, int64_t begin, int64_t end) {
  const measuring *m = argument;
  for (int64_t b = begin; b < end; b++) {
    fetch_bucket(m, b);
    measure_bucket(m->tree, b);
  }
}

/* From its two children, which are measured.  The moments of the whole are those of the parts about their own means,
** and that of the means: two parts of weights u and v, d apart, add u v / (u + v) d d'. */
static void measure_inner(cells *t, int32_t k) {
  int32_t left = k + 1, right = t->next[k + 1];
  const cell *a = &t->cells[left], *b = &t->cells[right];
  const box *p = &t->boxes[left], *q = &t->boxes[right];
  float weight = a->weight + b->weight, share = b->weight / weight, pull = a->weight * share;
  float dx = b->x - a->x, dy = b->y - a->y;
  t->cells[k] = (cell){ a->x + share * dx, a->y + share * dy, weight, a->xx + b->xx + pull * dx * dx,
                        a->xy + b->xy + pull * dx * dy, a->yy + b->yy + pull * dy * dy };
  for (int d = 0; d < 2; d++) {
    t->boxes[k].low[d] = p->low[d] < q->low[d] ? p->low[d] : q->low[d];
    t->boxes[k].high[d] = p->high[d] > q->high[d] ? p->high[d] : q->high[d];
  }
}

static float radius_about(const box *b, float x, float y) {
  float dx = fmaxf(b->high[0] - x, x - b->low[0]), dy = fmaxf(b->high[1] - y, y - b->low[1]);
  return sqrtf(dx * dx + dy * dy);
}

void cells_measure(context *c, const float *map, cells *t) {
  measuring m = { map, t };
  parallel_for(c, t->n_buckets, 32, measure_buckets, &m);
  for (int32_t k = t->n_cells - 1; k >= 0; k--) {
    if (t->bucket[k] < 0) measure_inner(t, k);
    t->radius[k] = radius_about(&t->boxes[k], t->cells[k].x, t->cells[k].y);
  }
}

status cells_build(context *c, const float *map, cells *t) {
  status result = kd_sort(c, map, t->n, 2, BUCKET, t->order);
  if (result != STATUS_OK) return result;
  cells_measure(c, map, t);
  memcpy(t->built_radius, t->radius, (size_t)t->n_cells * sizeof *t->radius);
  return STATUS_OK;
}
