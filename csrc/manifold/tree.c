/* tree.c -- see tree.h. */
#include <math.h>
#include <string.h>

#include "tree.h"

typedef struct key {
  uint64_t code;
  int32_t point;
} key;

/* Puts two zero bits (m = 3) or one (m = 2) between the lower TREE_BITS bits of x. */
static uint64_t spread(uint64_t x, int m) {
  uint64_t out = 0;
  for (int bit = 0; bit < TREE_BITS; bit++) out |= (x >> bit & 1) << (bit * m);
  return out;
}

/* The cells of the finest grid along one axis have `side` = longest side of the map / 2^TREE_BITS. */
static uint64_t cell(float x, float low, double side) {
  double at = side > 0 ? ((double)x - (double)low) / side : 0;
  double last = (double)((1 << TREE_BITS) - 1);
  return (uint64_t)(at < last ? at : last);
}

static void bounds(const float *y, int64_t n, int m, float *low, float *high) {
  for (int d = 0; d < m; d++) low[d] = high[d] = y[d];
  for (int64_t i = 0; i < n; i++)
    for (int d = 0; d < m; d++) {
      low[d] = fminf(low[d], y[i * m + d]);
      high[d] = fmaxf(high[d], y[i * m + d]);
    }
}

/* Tables of spread bytes, so that a code is a few look-ups. */
static void make_codes(const float *y, int64_t n, int m, key *keys) {
  float low[MAX_MAP_DIMS], high[MAX_MAP_DIMS];
  bounds(y, n, m, low, high);
  double side = 0;
  for (int d = 0; d < m; d++) side = fmax(side, (double)high[d] - (double)low[d]);
  side /= (double)(1 << TREE_BITS);
  uint64_t table[256];
  for (uint64_t byte = 0; byte < 256; byte++) table[byte] = spread(byte, m);
  for (int64_t i = 0; i < n; i++) {
    uint64_t code = 0;
    for (int d = 0; d < m; d++) {
      uint64_t at = cell(y[i * m + d], low[d], side);
      code |= (table[at & 255] | table[at >> 8 & 255] << (8 * m) | table[at >> 16] << (16 * m)) << d;
    }
    keys[i] = (key){ code, (int32_t)i };
  }
}

/* Radix sort by bytes, least first; stable, so that equal codes stay in order of their points.  Returns the array,
** of the two, that holds the result. */
static key *sort_keys(key *keys, key *other, int64_t n, int n_bits) {
  for (int shift = 0; shift < n_bits; shift += 8) {
    int64_t count[257] = { 0 };
    for (int64_t i = 0; i < n; i++) count[(keys[i].code >> shift & 255) + 1]++;
    for (int digit = 0; digit < 256; digit++) count[digit + 1] += count[digit];
    for (int64_t i = 0; i < n; i++) other[count[keys[i].code >> shift & 255]++] = keys[i];
    key *swap = keys;
    keys = other;
    other = swap;
  }
  return keys;
}

/* Where the points whose digit at this level is `digit` or more begin. */
static int32_t find_digit(const key *keys, int32_t begin, int32_t end, int shift, uint64_t mask, uint64_t digit) {
  while (begin < end) {
    int32_t middle = begin + (end - begin) / 2;
    if ((keys[middle].code >> shift & mask) < digit) begin = middle + 1;
    else end = middle;
  }
  return begin;
}

static void measure_leaf(const tree *t, tree_node *node) {
  for (int d = 0; d < t->m; d++) {
    const float *x = t->points + (int64_t)d * t->n;
    float low = x[node->begin], high = low;
    double sum = 0;
    for (int32_t i = node->begin; i < node->end; i++) {
      low = fminf(low, x[i]);
      high = fmaxf(high, x[i]);
      sum += (double)x[i];
    }
    node->low[d] = low;
    node->high[d] = high;
    node->center[d] = (float)(sum / (node->end - node->begin));
  }
}

/* From its children, which are measured. */
static void measure_inner(const tree *t, int32_t at) {
  tree_node *node = &t->nodes[at];
  for (int d = 0; d < t->m; d++) {
    double sum = 0;
    node->low[d] = INFINITY;
    node->high[d] = -INFINITY;
    for (int32_t k = at + 1; k < node->next; k = t->nodes[k].next) {
      const tree_node *child = &t->nodes[k];
      node->low[d] = fminf(node->low[d], child->low[d]);
      node->high[d] = fmaxf(node->high[d], child->high[d]);
      sum += (double)child->center[d] * (child->end - child->begin);
    }
    node->center[d] = (float)(sum / (node->end - node->begin));
  }
}

static void measure_width(int m, tree_node *node) {
  float width = 0;
  for (int d = 0; d < m; d++) width = fmaxf(width, node->high[d] - node->low[d]);
  node->squared_width = width * width;
}

/* The levels below which the points agree: digit `level` is the first in which the first and the last differ. */
static int first_difference(const key *keys, int32_t begin, int32_t end, int level, int m) {
  uint64_t mask = ((uint64_t)1 << m) - 1;
  while (level >= 0 && ((keys[begin].code ^ keys[end - 1].code) >> (level * m) & mask) == 0) level--;
  return level;
}

/* The node of points begin .. end - 1, which agree in all digits above `level`.  TREE_BITS levels at most. */
static void add_node(tree *t, const key *keys, int32_t begin, int32_t end, int level) {
  uint64_t mask = ((uint64_t)1 << t->m) - 1;
  int32_t at = t->n_nodes++;
  tree_node *node = &t->nodes[at];
  *node = (tree_node){ .begin = begin, .end = end };
  level = first_difference(keys, begin, end, level, t->m);
  node->is_leaf = end - begin <= LEAF_POINTS || level < 0;
  if (node->is_leaf) {
    t->leaves[t->n_leaves++] = at;
    measure_leaf(t, node);
  } else {
    int32_t from = begin;
    for (uint64_t digit = 0; digit <= mask; digit++) {
      int32_t to = find_digit(keys, from, end, level * t->m, mask, digit + 1);
      if (to > from) add_node(t, keys, from, to, level - 1);
      from = to;
    }
  }
  node->next = t->n_nodes;
  if (!node->is_leaf) measure_inner(t, at);
  measure_width(t->m, node);
}

static void sort_points(tree *t, const float *y, const key *keys) {
  for (int64_t i = 0; i < t->n; i++) {
    t->order[i] = keys[i].point;
    for (int d = 0; d < t->m; d++) t->points[d * t->n + i] = y[(int64_t)keys[i].point * t->m + d];
  }
}

/* Every inner node has two children or more: n leaves and n - 1 inner nodes at most.  The points are followed by
** LEAF_POINTS floats that may be read as lanes. */
status tree_make(context *c, const float *y, int64_t n, int m, tree *out) {
  size_t count = (size_t)n;
  size_t keys_bytes = 2 * count * sizeof(key), nodes_bytes = 2 * count * sizeof(tree_node);
  size_t indices_bytes = 2 * count * sizeof(int32_t);
  size_t points_bytes = ((size_t)m * count + LEAF_POINTS) * sizeof(float);
  *out = (tree){ .n = n, .m = m, .block_bytes = keys_bytes + nodes_bytes + indices_bytes + points_bytes };
  out->block = context_get(c, out->block_bytes);
  if (!out->block) return STATUS_NO_MEMORY;
  key *keys = out->block;
  out->nodes = (tree_node *)(keys + 2 * count);
  out->leaves = (int32_t *)(out->nodes + 2 * count);
  out->order = out->leaves + count;
  out->points = (float *)(out->order + count);
  memset(out->points + (size_t)m * count, 0, LEAF_POINTS * sizeof(float));
  make_codes(y, n, m, keys);
  keys = sort_keys(keys, keys + count, n, TREE_BITS * m);
  sort_points(out, y, keys);
  add_node(out, keys, 0, (int32_t)n, TREE_BITS - 1);
  return STATUS_OK;
}

void tree_free(context *c, tree *t) {
  if (t->block) context_put(c, t->block, t->block_bytes);
  *t = (tree){ 0 };
}
