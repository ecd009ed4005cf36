/* interactions.c -- see interactions.h. */
#include "interactions.h"

#include <math.h>
#include <stdatomic.h>

#include "../tensor/parallel.h"

enum { FIRST_CAPACITY = 128 };

typedef struct finding {
  const cells *tree;
  float reach;              /* (1.2 angle)^2 */
  interactions *lists;
  _Atomic bool overflows;
} finding;

static bool is_far(const finding *f, float x, float y, float radius, int32_t k) {
  const cell *source = &f->tree->cells[k];
  float dx = x - source->x, dy = y - source->y, both = radius + f->tree->radius[k];
  return both * both < f->reach * (dx * dx + dy * dy + 1.0f);
}

/* One walk through the tree.  False where the list is full. */
static bool find_for(const finding *f, int64_t b) {
  const cells *t = f->tree;
  interactions *l = f->lists;
  const box *own = &t->boxes[t->leaf[b]];
  float x = 0.5f * (own->low[0] + own->high[0]), y = 0.5f * (own->low[1] + own->high[1]);
  float w = own->high[0] - own->low[0], h = own->high[1] - own->low[1];
  float radius = 0.5f * sqrtf(w * w + h * h);
  int32_t *far = l->entries + b * l->capacity, *near = far + l->capacity;
  for (int32_t k = 0; k < t->n_cells;) {
    bool taken = is_far(f, x, y, radius, k);
    if (near == far) return false;
    if (taken) *far++ = k;
    else if (t->bucket[k] >= 0) *--near = t->bucket[k];
    k = taken ? t->next[k] : k + 1;
  }
  l->n_far[b] = (int32_t)(far - (l->entries + b * l->capacity));
  l->n_near[b] = (int32_t)(l->entries + (b + 1) * l->capacity - near);
  return true;
}

static void find_chunk(void *argument, int64_t begin, int64_t end) {
  finding *f = argument;
  for (int64_t b = begin; b < end; b++)
    if (!find_for(f, b)) atomic_store_explicit(&f->overflows, true, memory_order_relaxed);
}

static size_t counts_bytes(const interactions *l) { return (size_t)l->n_buckets * sizeof(int32_t); }
static size_t entries_bytes(const interactions *l) { return (size_t)l->capacity * counts_bytes(l); }

static status reserve(context *c, interactions *l, int32_t n_buckets, int32_t capacity) {
  interactions_free(l);
  *l = (interactions){ .memory = c->memory, .n_buckets = n_buckets, .capacity = capacity };
  l->n_far = context_get(c, counts_bytes(l));
  l->n_near = l->n_far ? context_get(c, counts_bytes(l)) : NULL;
  l->entries = l->n_near ? context_get(c, entries_bytes(l)) : NULL;
  if (l->entries) return STATUS_OK;
  interactions_free(l);
  return STATUS_NO_MEMORY;
}

status interactions_find(context *c, const cells *t, double angle, interactions *l) {
  finding f = { .tree = t, .reach = (float)(1.44 * angle * angle), .lists = l };
  status result = l->entries ? STATUS_OK : reserve(c, l, t->n_buckets, FIRST_CAPACITY);
  while (result == STATUS_OK) {
    atomic_store(&f.overflows, false);
    parallel_for(c, t->n_buckets, 16, find_chunk, &f);
    if (!atomic_load(&f.overflows)) break;
    result = reserve(c, l, t->n_buckets, 2 * l->capacity);
  }
  return result;
}

void interactions_free(interactions *l) {
  if (l->n_far) allocator_put(l->memory, l->n_far, counts_bytes(l));
  if (l->n_near) allocator_put(l->memory, l->n_near, counts_bytes(l));
  if (l->entries) allocator_put(l->memory, l->entries, entries_bytes(l));
  *l = (interactions){ 0 };
}
