/* neighbors.c -- see neighbors.h. */
#include "neighbors.h"

#include <math.h>
#include <string.h>

#include "../tensor/parallel.h"
#include "candidates.h"
#include "kd.h"

enum { LANES = 8, TILE = 16, QUERIES = 4, BLOCK = 32, CHUNK = 16, BOUNDED = 16, AROUND = 16 };

/* Bounds are sums of rounded squares too: only a block that is clearly too far is left out. */
static const float BOUND_MARGIN = 1 - 1e-5f;

/* -- distances -- */

typedef float lanes __attribute__((vector_size(32)));
typedef int32_t bits __attribute__((vector_size(32)));

/* Bit i: lane i of the tile is within the limit. */
#define INLINE static inline __attribute__((always_inline))
INLINE uint32_t within(const lanes *a, const lanes *b, float limit) {
  bits found = ((*a <= limit) & (bits){ 1, 2, 4, 8, 16, 32, 64, 128 }) |
               ((*b <= limit) & (bits){ 1 << 8, 1 << 9, 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15 });
  uint64_t parts[4];
  memcpy(parts, &found, sizeof parts);
  uint64_t both = parts[0] | parts[1] | parts[2] | parts[3];
  return (uint32_t)(both | both >> 32);
}

/* Adds the squares of `count` features to the sums (n_rows, TILE) of rows `stride` apart; n_rows is 1 or QUERIES. */
#define ADD_FEATURES(n_rows)                                              \
  lanes a[n_rows], b[n_rows];                                             \
  for (int q = 0; q < n_rows; q++) {                                      \
    memcpy(&a[q], sum + q * TILE, sizeof a[q]);                           \
    memcpy(&b[q], sum + q * TILE + LANES, sizeof b[q]);                   \
  }                                                                       \
  for (int64_t f = 0; f < count; f++) {                                   \
    lanes x, y;                                                           \
    memcpy(&x, tile + f * TILE, sizeof x);                                \
    memcpy(&y, tile + f * TILE + LANES, sizeof y);                        \
    for (int q = 0; q < n_rows; q++) {                                    \
      lanes dx = rows[q * stride + f] - x, dy = rows[q * stride + f] - y; \
      a[q] += dx * dx;                                                    \
      b[q] += dy * dy;                                                    \
    }                                                                     \
  }                                                                       \
  for (int q = 0; q < n_rows; q++) {                                      \
    memcpy(sum + q * TILE, &a[q], sizeof a[q]);                           \
    memcpy(sum + q * TILE + LANES, &b[q], sizeof b[q]);                   \
    found[q] = within(&a[q], &b[q], limit[q]);                            \
  }

CLONES static void add_all(const float *restrict rows, int64_t stride, const float *restrict tile, int64_t count,
                           const float *restrict limit, float *restrict sum, uint32_t found[restrict QUERIES]) {
  ADD_FEATURES(QUERIES)
}

CLONES static void add_one(const float *restrict rows, int64_t stride, const float *restrict tile, int64_t count,
                           const float *restrict limit, float *restrict sum, uint32_t found[restrict 1]) {
  ADD_FEATURES(1)
}

/* bound[b]: the squared distance from the box of the queries to that of block b, in n_features features. */
CLONES static void bound_blocks(const float *restrict low, const float *restrict high, int64_t n_blocks,
                                int64_t n_features, const float *restrict query_low, const float *restrict query_high,
                                float *restrict bound) {
  for (int64_t b = 0; b < n_blocks; b++) bound[b] = 0;
  for (int64_t f = 0; f < n_features; f++)
    for (int64_t b = 0; b < n_blocks; b++) {
      float under = low[f * n_blocks + b] - query_high[f], over = query_low[f] - high[f * n_blocks + b];
      float gap = under > over ? under : over;
      gap = gap > 0 ? gap : 0;
      bound[b] += gap * gap;
    }
}

/* -- the index -- */

/* Insertion sort of the features by falling variance. */
static status sort_features(context *c, const float *x, int64_t n, int64_t d, int32_t *feature) {
  double *moments = context_get(c, (size_t)(2 * d) * sizeof *moments);
  if (!moments) return STATUS_NO_MEMORY;
  double *sum = moments, *variance = moments + d;
  memset(moments, 0, (size_t)(2 * d) * sizeof *moments);
  for (int64_t i = 0; i < n; i++)
    for (int64_t f = 0; f < d; f++) {
      double beyond = (double)x[i * d + f] - (double)x[f];
      sum[f] += beyond;
      variance[f] += beyond * beyond;
    }
  for (int64_t f = 0; f < d; f++) {
    variance[f] -= sum[f] * sum[f] / (double)n;
    int64_t at = f;
    for (; at > 0 && variance[feature[at - 1]] < variance[f]; at--) feature[at] = feature[at - 1];
    feature[at] = (int32_t)f;
  }
  context_put(c, moments, (size_t)(2 * d) * sizeof *moments);
  return STATUS_OK;
}

/* CHUNK features of a tile, from `feature` on, a multiple of CHUNK: they lie beside the same features of the next tile,
** since most tiles are left after the first chunk. */
static float *chunk_of(const neighbor_index *t, int64_t tile, int64_t feature) {
  int64_t count = t->d - feature < CHUNK ? t->d - feature : CHUNK;
  return t->tiles + (feature * t->n_blocks * (BLOCK / TILE) + tile * count) * TILE;
}

static int64_t bounded(int64_t d) { return d < BOUNDED ? d : BOUNDED; }

typedef struct filling {
  const float *x;
  neighbor_index *index;
} filling;

static void fill_blocks(void *argument, int64_t begin, int64_t end) {
  const filling *job = argument;
  const neighbor_index *t = job->index;
  for (int64_t place = begin * BLOCK; place < end * BLOCK; place++) {
    const float *row = job->x + t->order[place < t->n ? place : t->n - 1] * t->d;
    for (int64_t f = 0; f < t->d; f++)
      chunk_of(t, place / TILE, f - f % CHUNK)[f % CHUNK * TILE + place % TILE] = row[t->feature[f]];
    for (int64_t f = 0; f < bounded(t->d); f++) {
      float *low = t->low + f * t->n_blocks + place / BLOCK, *high = t->high + f * t->n_blocks + place / BLOCK;
      float value = row[t->feature[f]];
      *low = place % BLOCK == 0 || value < *low ? value : *low;
      *high = place % BLOCK == 0 || value > *high ? value : *high;
    }
  }
}

static status reserve(context *c, int64_t n, int64_t d, neighbor_index *out) {
  int64_t n_blocks = (n + BLOCK - 1) / BLOCK, n_boxes = bounded(d) * n_blocks, n_tiles = n_blocks * BLOCK * d;
  *out = (neighbor_index){ .memory = c->memory, .n = n, .d = d, .n_blocks = n_blocks };
  out->block_bytes = (size_t)(n_tiles + 2 * n_boxes + n + d) * sizeof(float);
  out->block = context_get(c, out->block_bytes);
  if (!out->block) return STATUS_NO_MEMORY;
  out->tiles = out->block;
  out->low = out->tiles + n_tiles;
  out->high = out->low + n_boxes;
  out->order = (int32_t *)(out->high + n_boxes);
  out->feature = out->order + n;
  return STATUS_OK;
}

status neighbor_index_make(context *c, const float *x, int64_t n, int64_t d, neighbor_index *out) {
  status result = reserve(c, n, d, out);
  if (result != STATUS_OK) return result;
  for (int64_t i = 0; i < n; i++) out->order[i] = (int32_t)i;
  result = sort_features(c, x, n, d, out->feature);
  if (result == STATUS_OK) result = kd_sort(c, x, n, d, BLOCK, out->order);
  filling job = { x, out };
  if (result == STATUS_OK) parallel_for(c, out->n_blocks, 8, fill_blocks, &job);
  else neighbor_index_free(out);
  return result;
}

void neighbor_index_free(neighbor_index *t) {
  if (t->block) allocator_put(t->memory, t->block, t->block_bytes);
  *t = (neighbor_index){ 0 };
}

/* -- the search -- */

typedef struct search {
  const neighbor_index *index;
  const float *queries;
  int64_t n_queries, first, k;
  int32_t *order;           /* (n_queries) which query stands at a place */
  float *rows;              /* (places, d) the queries in that order, features as in the index */
  uint64_t *keys;           /* (places, candidates_room(k)) */
  float *bounds;            /* (query blocks, n_blocks) */
  int64_t *found;           /* (n_queries, k) */
  float *distance;          /* (n_queries, k) */
} search;

/* A block of queries at work. */
typedef struct seekers {
  const float *rows;
  int64_t self[BLOCK];              /* the row of the index that a query is; -1: none */
  candidates candidates[BLOCK];
  float limit[BLOCK];               /* nothing that is farther can be a neighbour */
} seekers;

static void offer_tile(const search *s, seekers *w, int64_t q, int64_t tile, const float *sum, uint32_t found) {
  for (; found; found &= found - 1) {
    int lane = __builtin_ctz(found);
    int64_t place = tile * TILE + lane;
    if (place >= s->index->n || s->index->order[place] == w->self[q]) continue;
    candidates_offer(&w->candidates[q], sum[lane], s->index->order[place]);
  }
  w->limit[q] = candidates_limit(&w->candidates[q]);
}

/* QUERIES queries from q on, against one tile. */
static void meet_tile(const search *s, seekers *w, int64_t q, int64_t tile) {
  int64_t d = s->index->d;
  const float *rows = w->rows + q * d;
  float sum[QUERIES * TILE] = { 0 };
  uint32_t found[QUERIES];
  int n_alive = QUERIES;
  for (int i = 0; i < QUERIES; i++) found[i] = 1;
  for (int64_t f = 0; f < d && n_alive > 0; f += CHUNK) {
    int64_t count = d - f < CHUNK ? d - f : CHUNK;
    const float *chunk = chunk_of(s->index, tile, f), *limit = w->limit + q;
    if (n_alive > 2) {
      add_all(rows + f, d, chunk, count, limit, sum, found);
    } else {
      for (int i = 0; i < QUERIES; i++)
        if (found[i]) add_one(rows + i * d + f, d, chunk, count, limit + i, sum + i * TILE, &found[i]);
    }
    n_alive = 0;
    for (int i = 0; i < QUERIES; i++) n_alive += found[i] != 0;
  }
  for (int i = 0; i < QUERIES; i++)
    if (found[i]) offer_tile(s, w, q + i, tile, sum + i * TILE, found[i]);
}

static float largest(const float *limit, int n) {
  float most = limit[0];
  for (int i = 1; i < n; i++) most = limit[i] > most ? limit[i] : most;
  return most;
}

static void meet_block(const search *s, seekers *w, int64_t block, float bound) {
  for (int64_t q = 0; q < BLOCK; q += QUERIES) {
    if (bound > largest(w->limit + q, QUERIES)) continue;
    for (int64_t tile = block * (BLOCK / TILE); tile < (block + 1) * (BLOCK / TILE); tile++) meet_tile(s, w, q, tile);
  }
}

static void set_up(const search *s, int64_t b, seekers *w) {
  w->rows = s->rows + b * BLOCK * s->index->d;
  for (int64_t i = 0; i < BLOCK; i++) {
    int64_t place = b * BLOCK + i;
    w->self[i] = s->first < 0 || place >= s->n_queries ? -1 : s->first + s->order[place];
    w->candidates[i] = candidates_none(s->keys + place * candidates_room(s->k), s->k);
    w->limit[i] = place < s->n_queries ? INFINITY : -1;     /* places after the last query want nothing */
  }
}

static void bound_all(const search *s, const seekers *w, float *bound) {
  const neighbor_index *t = s->index;
  float low[BOUNDED], high[BOUNDED];
  for (int64_t f = 0; f < bounded(t->d); f++) {
    low[f] = high[f] = w->rows[f];
    for (int64_t i = 1; i < BLOCK; i++) {
      low[f] = fminf(low[f], w->rows[i * t->d + f]);
      high[f] = fmaxf(high[f], w->rows[i * t->d + f]);
    }
  }
  bound_blocks(t->low, t->high, t->n_blocks, bounded(t->d), low, high, bound);
  for (int64_t b = 0; b < t->n_blocks; b++) bound[b] *= BOUND_MARGIN;
}

static int64_t nearest_block(const float *bound, int64_t n) {
  int64_t best = 0;
  for (int64_t b = 1; b < n; b++) best = bound[b] < bound[best] ? b : best;
  return best;
}

/* First the blocks around the nearest one, in k-d order, so that the limits are tight when the others come. */
static void search_block(const search *s, int64_t b, seekers *w) {
  int64_t n_blocks = s->index->n_blocks;
  float *bound = s->bounds + b * n_blocks;
  set_up(s, b, w);
  bound_all(s, w, bound);
  int64_t home = nearest_block(bound, n_blocks);
  for (int64_t away = 0; away <= AROUND; away++) {
    if (home + away < n_blocks) meet_block(s, w, home + away, bound[home + away]);
    if (away > 0 && home >= away) meet_block(s, w, home - away, bound[home - away]);
  }
  for (int64_t other = 0; other < n_blocks; other++)
    if (other < home - AROUND || other > home + AROUND) meet_block(s, w, other, bound[other]);
}

static void search_blocks(void *argument, int64_t begin, int64_t end) {
  const search *s = argument;
  seekers w;
  for (int64_t b = begin; b < end; b++) {
    search_block(s, b, &w);
    for (int64_t i = 0; i < BLOCK && b * BLOCK + i < s->n_queries; i++) {
      int64_t query = s->order[b * BLOCK + i];
      candidates_finish(&w.candidates[i], s->found + query * s->k, s->distance + query * s->k);
    }
  }
}

/* The places after the last query repeat it. */
static void lay_out_queries(const search *s, int64_t n_places) {
  int64_t d = s->index->d;
  for (int64_t place = 0; place < n_places; place++) {
    const float *from = s->queries + s->order[place < s->n_queries ? place : s->n_queries - 1] * d;
    for (int64_t f = 0; f < d; f++) s->rows[place * d + f] = from[s->index->feature[f]];
  }
}

status neighbor_search(context *c, const neighbor_index *t, const float *queries, int64_t n_queries, int64_t first,
                       int64_t k, int64_t *index, float *distance) {
  if (n_queries == 0) return STATUS_OK;
  int64_t n_blocks = (n_queries + BLOCK - 1) / BLOCK, n_places = n_blocks * BLOCK;
  size_t keys_bytes = (size_t)(n_places * candidates_room(k)) * sizeof(uint64_t);
  size_t block_bytes = keys_bytes + (size_t)(n_places * t->d + n_blocks * t->n_blocks + n_queries) * sizeof(float);
  search s = { .index = t, .queries = queries, .n_queries = n_queries, .first = first, .k = k, .found = index,
               .distance = distance };
  s.keys = context_get(c, block_bytes);
  if (!s.keys) return STATUS_NO_MEMORY;
  s.rows = (float *)(s.keys + n_places * candidates_room(k));
  s.bounds = s.rows + n_places * t->d;
  s.order = (int32_t *)(s.bounds + n_blocks * t->n_blocks);
  for (int64_t i = 0; i < n_queries; i++) s.order[i] = (int32_t)i;
  status result = kd_sort(c, queries, n_queries, t->d, BLOCK, s.order);
  if (result == STATUS_OK) {
    lay_out_queries(&s, n_places);
    parallel_for(c, n_blocks, 1, search_blocks, &s);
  }
  context_put(c, s.keys, block_bytes);
  return result;
}
