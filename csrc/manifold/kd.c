/* kd.c -- see kd.h. */
#include "kd.h"

#include <math.h>

#include "../tensor/parallel.h"

enum { SAMPLE = 512, LEVELS = 5, PARTS = 1 << LEVELS };

typedef struct item {
  float key;
  int32_t point;
} item;

typedef struct sorting {
  const float *x;
  int64_t d, block;
  int32_t *order;
  item *items;                /* n */
  int64_t bound[PARTS + 1];   /* part p of the level at hand is bound[p] .. bound[p + 1] - 1 */
} sorting;

/* Of at most about SAMPLE points, evenly spaced. */
static int64_t widest_axis(const sorting *s, int64_t begin, int64_t end) {
  int64_t step = (end - begin) / SAMPLE + 1, best = 0;
  float best_width = -1;
  for (int64_t f = 0; f < s->d; f++) {
    float low = INFINITY, high = -INFINITY;
    for (int64_t i = begin; i < end; i += step) {
      float x = s->x[s->order[i] * s->d + f];
      low = x < low ? x : low;
      high = x > high ? x : high;
    }
    if (high - low > best_width) {
      best_width = high - low;
      best = f;
    }
  }
  return best;
}

static float median(float a, float b, float c) { return fmaxf(fminf(a, b), fminf(fmaxf(a, b), c)); }

/* Puts the `count` smallest items first.  Hoare's selection: equal keys are shared out between the sides. */
static void select_first(item *items, int64_t n, int64_t count) {
  int64_t low = 0, high = n - 1;
  while (low < high) {
    float pivot = median(items[low].key, items[low + (high - low) / 2].key, items[high].key);
    int64_t i = low, j = high;
    while (i <= j) {
      while (items[i].key < pivot) i++;
      while (items[j].key > pivot) j--;
      if (i > j) break;
      item swapped = items[i];
      items[i++] = items[j];
      items[j--] = swapped;
    }
    if (count <= j) high = j;
    else if (count >= i) low = i;
    else return;
  }
}

/* Returns where the right half begins. */
static int64_t split(const sorting *s, int64_t begin, int64_t end) {
  int64_t left = kd_left(end - begin, s->block);
  if (end - begin <= s->block) return end;
  int64_t axis = widest_axis(s, begin, end);
  for (int64_t i = begin; i < end; i++) s->items[i] = (item){ s->x[s->order[i] * s->d + axis], s->order[i] };
  select_first(s->items + begin, end - begin, left);
  for (int64_t i = begin; i < end; i++) s->order[i] = s->items[i].point;
  return begin + left;
}

static void split_all(const sorting *s, int64_t begin, int64_t end) {
  if (end - begin <= s->block) return;
  int64_t middle = split(s, begin, end);
  split_all(s, begin, middle);
  split_all(s, middle, end);
}

static void split_parts(void *argument, int64_t begin, int64_t end) {
  const sorting *s = argument;
  for (int64_t p = begin; p < end; p++) split(s, s->bound[p], s->bound[p + 1]);
}

static void finish_parts(void *argument, int64_t begin, int64_t end) {
  const sorting *s = argument;
  for (int64_t p = begin; p < end; p++) split_all(s, s->bound[p], s->bound[p + 1]);
}

/* Twice as many parts as before. */
static void halve_parts(sorting *s, int64_t n_parts) {
  for (int64_t p = n_parts; p > 0; p--) s->bound[2 * p] = s->bound[p];
  for (int64_t p = 0; p < n_parts; p++) {
    int64_t begin = s->bound[2 * p], size = s->bound[2 * p + 2] - begin;
    s->bound[2 * p + 1] = begin + (size <= s->block ? size : kd_left(size, s->block));
  }
}

status kd_sort(context *c, const float *x, int64_t n, int64_t d, int64_t block, int32_t *order) {
  size_t items_bytes = (size_t)(n > 0 ? n : 1) * sizeof(item);
  sorting s = { .x = x, .d = d, .block = block, .order = order, .items = context_get(c, items_bytes) };
  if (!s.items) return STATUS_NO_MEMORY;
  s.bound[1] = n;
  for (int64_t n_parts = 1; n_parts < PARTS; n_parts *= 2) {
    parallel_for(c, n_parts, 1, split_parts, &s);
    halve_parts(&s, n_parts);
  }
  parallel_for(c, PARTS, 1, finish_parts, &s);
  context_put(c, s.items, items_bytes);
  return STATUS_OK;
}
