/* order.c -- sorting one line: radix sort, least significant digit first; insertion for short lines.  See order.h. */
#include "order.h"

#include <string.h>

enum { SHORT = 24, FEW = 64, SMALL_DIGIT = 8, LARGE_DIGIT = 11, LARGE_LINE = 1 << 14 };

static uint64_t key_float32(float x) {
  uint32_t bits;
  if (x != x) return UINT32_MAX;
  x = x == 0.0f ? 0.0f : x;
  memcpy(&bits, &x, sizeof bits);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

static uint64_t key_float64(double x) {
  uint64_t bits;
  if (x != x) return UINT64_MAX;
  x = x == 0.0 ? 0.0 : x;
  memcpy(&bits, &x, sizeof bits);
  return bits >> 63 ? ~bits : bits | 0x8000000000000000u;
}

static uint64_t key_of(dtype d, const void *x, int64_t i) {
  switch (d) {
    case DTYPE_FLOAT32: return key_float32(((const float *)x)[i]);
    case DTYPE_FLOAT64: return key_float64(((const double *)x)[i]);
    case DTYPE_INT64: return (uint64_t)((const int64_t *)x)[i] ^ 0x8000000000000000u;
    default: return ((const uint8_t *)x)[i];
  }
}

static int key_bits(dtype d) { return d == DTYPE_FLOAT32 ? 32 : d <= DTYPE_UINT8 ? 8 : 64; }

/* The complement within the key's own bits. */
static uint64_t flip_of(dtype d, bool descending) { return descending ? UINT64_MAX >> (64 - key_bits(d)) : 0; }

/* Two arrays of items and the counters of the digits. */
size_t order_scratch(int64_t n) {
  return 2 * (size_t)n * sizeof(order_item) + ((size_t)1 << LARGE_DIGIT) * sizeof(int64_t);
}

static void insert_all(int64_t n, order_item *items) {
  for (int64_t i = 1; i < n; i++) {
    order_item item = items[i];
    int64_t at = i;
    for (; at > 0 && items[at - 1].key > item.key; at--) items[at] = items[at - 1];
    items[at] = item;
  }
}

static bool is_sorted(int64_t n, const order_item *items) {
  for (int64_t i = 1; i < n; i++)
    if (items[i - 1].key > items[i].key) return false;
  return true;
}

/* One digit: counts, then moves.  false when all items have the same digit and nothing was moved. */
static bool sort_digit(int64_t n, const order_item *from, order_item *to, int shift, int digit, int64_t *count) {
  uint64_t mask = ((uint64_t)1 << digit) - 1;
  memset(count, 0, ((size_t)1 << digit) * sizeof *count);
  for (int64_t i = 0; i < n; i++) count[from[i].key >> shift & mask]++;
  if (count[from[0].key >> shift & mask] == n) return false;
  int64_t start = 0;
  for (uint64_t value = 0; value <= mask; value++) {
    int64_t here = count[value];
    count[value] = start;
    start += here;
  }
  for (int64_t i = 0; i < n; i++) to[count[from[i].key >> shift & mask]++] = from[i];
  return true;
}

const order_item *order_sort(dtype d, int64_t n, const void *x, bool descending, void *scratch) {
  order_item *items = scratch, *other = items + n;
  int64_t *count = (int64_t *)(void *)(other + n);
  uint64_t flip = flip_of(d, descending);
  int digit = n < LARGE_LINE ? SMALL_DIGIT : LARGE_DIGIT;
  for (int64_t i = 0; i < n; i++) items[i] = (order_item){ key_of(d, x, i) ^ flip, i };
  if (n <= SHORT) {
    insert_all(n, items);
    return items;
  }
  if (is_sorted(n, items)) return items;
  for (int shift = 0; shift < key_bits(d); shift += digit) {
    if (!sort_digit(n, items, other, shift, digit, count)) continue;
    order_item *swapped = items;
    items = other;
    other = swapped;
  }
  return items;
}

/* A short list of the best so far; most items are turned away by its last one. */
static const order_item *keep_best(dtype d, int64_t n, const void *x, uint64_t flip, int64_t k, order_item *best) {
  int64_t kept = 0;
  for (int64_t i = 0; i < n && k > 0; i++) {
    uint64_t key = key_of(d, x, i) ^ flip;
    if (kept == k && key >= best[k - 1].key) continue;
    int64_t at = kept < k ? kept++ : k - 1;
    for (; at > 0 && best[at - 1].key > key; at--) best[at] = best[at - 1];
    best[at] = (order_item){ key, i };
  }
  return best;
}

const order_item *order_first(dtype d, int64_t n, const void *x, bool descending, int64_t k, void *scratch) {
  if (k > FEW) return order_sort(d, n, x, descending, scratch);
  return keep_best(d, n, x, flip_of(d, descending), k, scratch);
}
