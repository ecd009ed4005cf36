/* field.c -- see field.h. */
#include "field.h"

#include <string.h>

#include "../tensor/parallel.h"
#include "expansion.h"

enum { MOST_GROWN = 16 };   /* one bucket in so many may have grown before the tree is given up */

typedef struct job {
  const field *field;
  float *repulsion;
} job;

static void add_source(const cells *t, int32_t k, sources *to) {
  cell source = t->cells[k];
  bool is_point = cells_has_grown(t, k);
  int at = to->count++;
  to->x[at] = source.x;
  to->y[at] = source.y;
  to->weight[at] = source.weight;
  to->xx[at] = is_point ? 0 : source.xx;
  to->xy[at] = is_point ? 0 : source.xy;
  to->yy[at] = is_point ? 0 : source.yy;
}

static void fill_up(sources *s, float x, float y) {
  for (; s->count % 8 != 0; s->count++) {
    int at = s->count;
    s->x[at] = x;
    s->y[at] = y;
    s->weight[at] = s->xx[at] = s->xy[at] = s->yy[at] = 0;
  }
}

static void feel_far(const field *f, int64_t b, felt *to) {
  const cells *t = &f->tree;
  const int32_t *far = interactions_far(&f->lists, b);
  const float *x = t->x + b * BUCKET, *y = t->y + b * BUCKET;
  const box *own = &t->boxes[t->leaf[b]];
  float center_x = 0.5f * (own->low[0] + own->high[0]), center_y = 0.5f * (own->low[1] + own->high[1]);
  float terms[TERMS] = { 0 };
  bool by_point = cells_has_grown(t, t->leaf[b]);
  sources s;
  for (int32_t from = 0; from < f->lists.n_far[b]; from += SOURCES) {
    s.count = 0;
    for (int32_t k = from; k < f->lists.n_far[b] && k < from + SOURCES; k++) add_source(t, far[k], &s);
    fill_up(&s, center_x, center_y);
    if (by_point) expansion_meet_means(&s, x, y, to);
    else expansion_gather(&s, center_x, center_y, terms);
  }
  if (!by_point) expansion_evaluate(terms, center_x, center_y, x, y, to);
}

/* The points of the near buckets are brought together, so that what is felt stays in registers for long. */
static void feel_near(const field *f, int64_t b, felt *to) {
  const cells *t = &f->tree;
  const int32_t *near = interactions_near(&f->lists, b);
  const float *x = t->x + b * BUCKET, *y = t->y + b * BUCKET;
  sources s;
  s.count = 0;
  for (int32_t k = 0; k < f->lists.n_near[b]; k++) {
    int64_t from = near[k] * (int64_t)BUCKET;
    memcpy(s.x + s.count, t->x + from, BUCKET * sizeof *s.x);
    memcpy(s.y + s.count, t->y + from, BUCKET * sizeof *s.y);
    s.count += t->n - from < BUCKET ? (int)(t->n - from) : BUCKET;
    if (s.count <= SOURCES - BUCKET) continue;
    expansion_meet_points(&s, x, y, to);
    s.count = 0;
  }
  expansion_meet_points(&s, x, y, to);
}

/* A point meets itself: no force, and q = 1, which is taken off again. */
static void repel_buckets(void *argument, int64_t begin, int64_t end) {
  const job *j = argument;
  const cells *t = &j->field->tree;
  for (int64_t b = begin; b < end; b++) {
    felt all = { { 0 }, { 0 }, { 0 } };
    feel_far(j->field, b, &all);
    feel_near(j->field, b, &all);
    double q_sum = 0;
    for (int64_t i = 0; i < BUCKET && b * BUCKET + i < t->n; i++) {
      int64_t point = t->order[b * BUCKET + i];
      j->repulsion[2 * point] = all.x[i];
      j->repulsion[2 * point + 1] = all.y[i];
      q_sum += (double)all.q[i] - 1;
    }
    j->field->q_sums[b] = q_sum;
  }
}

status field_make(context *c, int64_t n, field *out) {
  *out = (field){ 0 };
  status result = cells_make(c, n, &out->tree);
  if (result != STATUS_OK) return result;
  out->q_sums = context_get(c, (size_t)out->tree.n_buckets * sizeof(double));
  if (out->q_sums) return STATUS_OK;
  field_free(out);
  return STATUS_NO_MEMORY;
}

void field_free(field *f) {
  interactions_free(&f->lists);
  if (f->q_sums) allocator_put(f->tree.memory, f->q_sums, (size_t)f->tree.n_buckets * sizeof(double));
  cells_free(&f->tree);
  *f = (field){ 0 };
}

static status build(context *c, field *f, const float *map, double angle) {
  f->is_built = false;
  status result = cells_build(c, map, &f->tree);
  if (result == STATUS_OK) result = interactions_find(c, &f->tree, angle, &f->lists);
  f->is_built = result == STATUS_OK;
  return result;
}

/* Each bucket that has grown is served, but not as exactly as it should be. */
static bool is_outgrown(const cells *t) {
  int32_t n_grown = 0;
  for (int32_t b = 0; b < t->n_buckets; b++) n_grown += cells_has_grown(t, t->leaf[b]);
  return n_grown > t->n_buckets / MOST_GROWN;
}

status field_repulsion(context *c, field *f, const float *map, double angle, bool rebuild, float *repulsion,
                       double *q_sum) {
  bool keep = f->is_built && !rebuild;
  if (keep) cells_measure(c, map, &f->tree);
  if (!keep || is_outgrown(&f->tree)) {
    status result = build(c, f, map, angle);
    if (result != STATUS_OK) return result;
  }
  job j = { f, repulsion };
  parallel_for(c, f->tree.n_buckets, 8, repel_buckets, &j);
  *q_sum = 0;
  for (int32_t b = 0; b < f->tree.n_buckets; b++) *q_sum += f->q_sums[b];
  return STATUS_OK;
}
