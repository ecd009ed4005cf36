/* neighbors.c -- exact nearest neighbours, by comparing every query with every point.
**
** The points are laid out in tiles of LANES: (tile, feature, lane), so that a distance is computed for LANES points at
** once and, loaded once, for QUERIES queries.  Differences are squared and added (no |x|^2 - 2 x y + |y|^2, which loses
** the digits of near neighbours).  A distance below the worst of the k best so far is inserted among them. */
#include <math.h>
#include <string.h>

#include "../tensor/parallel.h"
#include "manifold.h"

enum { LANES = 16, QUERIES = 4 };

typedef struct search {
  const float *queries, *tiles;
  int64_t n, d, k, n_queries, first;
  int64_t *index;
  float *distance;
} search;

/* distance[q][lane] of QUERIES rows (each d apart) to the points of a tile. */
CLONES static void tile_distances(const float *restrict rows, const float *restrict tile, int64_t d,
                                  float distance[restrict QUERIES][LANES]) {
  float sum0[LANES] = { 0 }, sum1[LANES] = { 0 }, sum2[LANES] = { 0 }, sum3[LANES] = { 0 };
  for (int64_t f = 0; f < d; f++) {
    float x0 = rows[f], x1 = rows[d + f], x2 = rows[2 * d + f], x3 = rows[3 * d + f];
    for (int lane = 0; lane < LANES; lane++) {
      float x = tile[f * LANES + lane];
      sum0[lane] += (x0 - x) * (x0 - x);
      sum1[lane] += (x1 - x) * (x1 - x);
      sum2[lane] += (x2 - x) * (x2 - x);
      sum3[lane] += (x3 - x) * (x3 - x);
    }
  }
  memcpy(distance[0], sum0, sizeof sum0);
  memcpy(distance[1], sum1, sizeof sum1);
  memcpy(distance[2], sum2, sizeof sum2);
  memcpy(distance[3], sum3, sizeof sum3);
}

/* Whether any of a row's distances is below the bound: most tiles have none. */
static bool any_below(const float distance[LANES], float bound) {
  int n_below = 0;
  for (int lane = 0; lane < LANES; lane++) n_below += distance[lane] < bound;
  return n_below > 0;
}

/* Among the k best, nearest first; what was there before stays before its equals. */
static void insert(float *distance, int64_t *index, int64_t k, float value, int64_t point) {
  int64_t at = k - 1;
  while (at > 0 && distance[at - 1] > value) {
    distance[at] = distance[at - 1];
    index[at] = index[at - 1];
    at--;
  }
  distance[at] = value;
  index[at] = point;
}

static void take_tile(const search *s, int64_t query, int64_t tile, const float found[LANES]) {
  float *distance = s->distance + query * s->k;
  int64_t *index = s->index + query * s->k;
  if (!any_below(found, distance[s->k - 1])) return;
  int64_t self = s->first < 0 ? -1 : s->first + query;
  for (int lane = 0; lane < LANES; lane++) {
    int64_t point = tile * LANES + lane;
    if (point < s->n && point != self && found[lane] < distance[s->k - 1])
      insert(distance, index, s->k, found[lane], point);
  }
}

/* QUERIES queries, or the last few: the rows after them are zero, and what is found for those is dropped. */
static void search_block(const search *s, int64_t first_query, int64_t n_queries) {
  float rows_distance[QUERIES][LANES];
  for (int64_t tile = 0; tile * LANES < s->n; tile++) {
    tile_distances(s->queries + first_query * s->d, s->tiles + tile * s->d * LANES, s->d, rows_distance);
    for (int64_t q = 0; q < n_queries; q++) take_tile(s, first_query + q, tile, rows_distance[q]);
  }
}

static void search_chunk(void *argument, int64_t begin, int64_t end) {
  const search *s = argument;
  for (int64_t i = begin * s->k; i < end * s->k; i++) {
    s->distance[i] = INFINITY;
    s->index[i] = 0;
  }
  for (int64_t q = begin; q < end; q += QUERIES) search_block(s, q, end - q < QUERIES ? end - q : QUERIES);
}

static void fill_tiles(const float *x, int64_t n, int64_t d, float *tiles) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t f = 0; f < d; f++) tiles[(i / LANES * d + f) * LANES + i % LANES] = x[i * d + f];
}

status manifold_neighbors(context *c, const float *x, int64_t n, int64_t d, const float *queries, int64_t n_queries,
                          int64_t first, int64_t k, int64_t *index, float *distance) {
  size_t tiles_bytes = (size_t)((n + LANES - 1) / LANES * LANES * d) * sizeof(float);
  size_t rows_bytes = (size_t)((n_queries + QUERIES) * d) * sizeof(float);   /* the last block reads past the rows */
  float *tiles = context_get(c, tiles_bytes);
  float *rows = tiles ? context_get(c, rows_bytes) : NULL;
  if (!rows) {
    if (tiles) context_put(c, tiles, tiles_bytes);
    return STATUS_NO_MEMORY;
  }
  memset(tiles, 0, tiles_bytes);
  memset(rows, 0, rows_bytes);
  memcpy(rows, queries, (size_t)(n_queries * d) * sizeof(float));
  fill_tiles(x, n, d, tiles);
  search s = { rows, tiles, n, d, k, n_queries, first, index, distance };
  parallel_for(c, n_queries, 8 * QUERIES, search_chunk, &s);
  context_put(c, rows, rows_bytes);
  context_put(c, tiles, tiles_bytes);
  return STATUS_OK;
}
