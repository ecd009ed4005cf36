/* candidates.c -- see candidates.h. */
#include "candidates.h"

#include <math.h>
#include <string.h>

enum { SHORT = 16 };

static uint64_t key_of(float distance, int32_t row) {
  uint32_t bits;
  memcpy(&bits, &distance, sizeof bits);
  return (uint64_t)bits << 32 | (uint32_t)row;
}

static float distance_of(uint64_t key) {
  uint32_t bits = (uint32_t)(key >> 32);
  float distance;
  memcpy(&distance, &bits, sizeof distance);
  return distance;
}

static uint64_t median(uint64_t a, uint64_t b, uint64_t c) {
  uint64_t low = a < b ? a : b, high = a < b ? b : a;
  return c < low ? low : c > high ? high : c;
}

/* Hoare's partition: afterwards keys[0 .. *left] <= keys[*right .. n - 1], and what lies between is equal to both. */
static void partition(uint64_t *keys, int64_t n, int64_t *left, int64_t *right) {
  uint64_t pivot = median(keys[0], keys[n / 2], keys[n - 1]);
  int64_t i = 0, j = n - 1;
  while (i <= j) {
    while (keys[i] < pivot) i++;
    while (keys[j] > pivot) j--;
    if (i > j) break;
    uint64_t swapped = keys[i];
    keys[i++] = keys[j];
    keys[j--] = swapped;
  }
  *left = j;
  *right = i;
}

/* The k smallest first. */
static void select_first(uint64_t *keys, int64_t n, int64_t k) {
  while (n > 1) {
    int64_t left, right;
    partition(keys, n, &left, &right);
    if (k <= left) {
      n = left + 1;
    } else if (k >= right) {
      keys += right;
      n -= right;
      k -= right;
    } else {
      return;
    }
  }
}

/* The shorter side by recursion, so that the stack stays low. */
static void sort(uint64_t *keys, int64_t n) {
  while (n > SHORT) {
    int64_t left, right;
    partition(keys, n, &left, &right);
    if (left + 1 < n - right) {
      sort(keys, left + 1);
      keys += right;
      n -= right;
    } else {
      sort(keys + right, n - right);
      n = left + 1;
    }
  }
  for (int64_t i = 1; i < n; i++) {
    uint64_t key = keys[i];
    int64_t at = i;
    for (; at > 0 && keys[at - 1] > key; at--) keys[at] = keys[at - 1];
    keys[at] = key;
  }
}

candidates candidates_none(uint64_t *keys, int64_t k) { return (candidates){ keys, k, 0, UINT64_MAX }; }

float candidates_limit(const candidates *c) { return c->limit == UINT64_MAX ? INFINITY : distance_of(c->limit); }

static void shrink(candidates *c) {
  select_first(c->keys, c->count, c->k);
  c->count = c->k;
  c->limit = 0;
  for (int64_t i = 0; i < c->k; i++) c->limit = c->keys[i] > c->limit ? c->keys[i] : c->limit;
}

void candidates_offer(candidates *c, float distance, int32_t row) {
  uint64_t key = key_of(distance, row);
  if (key >= c->limit) return;
  c->keys[c->count++] = key;
  if (c->count == candidates_room(c->k)) shrink(c);
}

void candidates_finish(candidates *c, int64_t *row, float *distance) {
  if (c->count > c->k) shrink(c);
  sort(c->keys, c->count);
  for (int64_t i = 0; i < c->k; i++) {
    row[i] = i < c->count ? (int64_t)(uint32_t)c->keys[i] : 0;
    distance[i] = i < c->count ? distance_of(c->keys[i]) : INFINITY;
  }
}
