/* springs.c -- see springs.h. */
#include "springs.h"

#include <math.h>
#include <string.h>

#include "../tensor/parallel.h"

typedef struct parting {
  const affinities *from;
  double share;
  springs *strong, *weak;
} parting;

static int64_t count_strong(const parting *p, int64_t i) {
  return (int64_t)ceil(p->share * (double)(p->from->start[i + 1] - p->from->start[i]));
}

/* Values are not negative, so that their bits are in the order of the values. */
CLONES static int32_t count_from(const float *restrict value, int64_t n, int32_t least_bits) {
  float least;
  memcpy(&least, &least_bits, sizeof least);
  int32_t count = 0;
  for (int64_t i = 0; i < n; i++) count += value[i] >= least;
  return count;
}

/* The bits of the largest value that at least `wanted` >= 1 values reach. */
static int32_t find_least(const float *value, int64_t n, int64_t wanted) {
  int32_t least = 0;
  for (int32_t bit = 1 << 30; bit > 0; bit >>= 1)
    if (count_from(value, n, least | bit) >= wanted) least |= bit;
  return least;
}

static int64_t add(springs *to, int64_t at, int32_t column, float value) {
  to->column[at] = column;
  to->value[at] = value;
  return at + 1;
}

/* Of the edges that have just the least value, the first ones are strong. */
static void part_row(const parting *p, int64_t i) {
  const affinities *a = p->from;
  int64_t begin = a->start[i], n = a->start[i + 1] - begin, n_strong = count_strong(p, i);
  int64_t strong = p->strong->start[i], weak = p->weak->start[i], n_equal = 0;
  float least = INFINITY;
  if (n_strong > 0) {
    int32_t bits = find_least(a->value + begin, n, n_strong);
    memcpy(&least, &bits, sizeof least);
    n_equal = n_strong - count_from(a->value + begin, n, bits + 1);
  }
  for (int64_t e = begin; e < begin + n; e++) {
    bool is_strong = a->value[e] > least || (a->value[e] == least && n_equal-- > 0);
    if (is_strong) strong = add(p->strong, strong, a->column[e], a->value[e]);
    else weak = add(p->weak, weak, a->column[e], a->value[e]);
  }
  while (strong < p->strong->start[i + 1]) strong = add(p->strong, strong, (int32_t)i, 0);
  while (weak < p->weak->start[i + 1]) weak = add(p->weak, weak, (int32_t)i, 0);
}

static void part_rows(void *argument, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i++) part_row(argument, i);
}

static int64_t filled_up(int64_t n) { return (n + SPRINGS - 1) / SPRINGS * SPRINGS; }

static void set_starts(const parting *p) {
  const affinities *a = p->from;
  p->strong->start[0] = p->weak->start[0] = 0;
  for (int64_t i = 0; i < a->n; i++) {
    int64_t n_strong = count_strong(p, i);
    p->strong->start[i + 1] = p->strong->start[i] + filled_up(n_strong);
    p->weak->start[i + 1] = p->weak->start[i] + filled_up(a->start[i + 1] - a->start[i] - n_strong);
  }
}

static size_t starts_bytes(const springs *s) { return (size_t)(s->n + 1) * sizeof *s->start; }
static size_t entries_bytes(const springs *s) { return (size_t)(s->n_entries > 0 ? s->n_entries : 1) * sizeof(float); }

static status reserve_entries(context *c, springs *s) {
  s->n_entries = s->start[s->n];
  s->column = context_get(c, entries_bytes(s));
  s->value = s->column ? context_get(c, entries_bytes(s)) : NULL;
  return s->value ? STATUS_OK : STATUS_NO_MEMORY;
}

status springs_make(context *c, const affinities *a, double share, springs *strong, springs *weak) {
  parting p = { a, share, strong, weak };
  *strong = *weak = (springs){ .memory = c->memory, .n = a->n };
  strong->start = context_get(c, starts_bytes(strong));
  weak->start = strong->start ? context_get(c, starts_bytes(weak)) : NULL;
  status result = weak->start ? STATUS_OK : STATUS_NO_MEMORY;
  if (result == STATUS_OK) {
    set_starts(&p);
    result = reserve_entries(c, strong);
  }
  if (result == STATUS_OK) result = reserve_entries(c, weak);
  if (result == STATUS_OK) {
    parallel_for(c, a->n, 64, part_rows, &p);
    return result;
  }
  springs_free(strong);
  springs_free(weak);
  return result;
}

void springs_free(springs *s) {
  if (s->start) allocator_put(s->memory, s->start, starts_bytes(s));
  if (s->column) allocator_put(s->memory, s->column, entries_bytes(s));
  if (s->value) allocator_put(s->memory, s->value, entries_bytes(s));
  *s = (springs){ 0 };
}
