/* order.h -- sorting one line, for sort, argsort and topk.
**
** Values become unsigned keys of the same order: -0 equals 0, NaN is above everything, as in PyTorch.  Descending is
** ascending by the complement, so that equal values always stay in their order (stable). */
#ifndef PERILUNE_ORDER_H
#define PERILUNE_ORDER_H

#include "../tensor/tensor.h"

typedef struct order_item {
  uint64_t key;
  int64_t index;       /* 0-based */
} order_item;

/* Bytes of scratch for order_sort. */
size_t order_scratch(int64_t n);
/* Puts the 0-based order of the n items x into the first n items of scratch: sorted by key.  Returns them. */
const order_item *order_sort(dtype d, int64_t n, const void *x, bool descending, void *scratch);
/* The same for the first k only, k <= n: order_item[k]. */
const order_item *order_first(dtype d, int64_t n, const void *x, bool descending, int64_t k, void *scratch);

#endif
