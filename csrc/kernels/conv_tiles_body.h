/* conv_tiles_body.h -- the loops of conv_tiles.h, written once for any vector (conv_vector.h).  Not a header to be
** used: conv_tiles_INSTRUCTIONS.c includes it, to be compiled for those instructions.
**
** A tile function is always inlined with constant sizes, so that its loops over rows and columns unroll and its
** sums are registers. */
#include "conv_tiles.h"
#include "conv_vector.h"

enum { TILE_SUMS = 24, PANEL_FLOATS = 16384, PANEL_FROM_OUTPUTS = 32 };

/* How a tile finds its inputs: vectors of lanes side by side, a distance apart, or in a packed panel. */
typedef enum source { DENSE, STRIDED, PANEL } source;

/* Sums [rows][columns] over all entries, for `rows` channels from `row` on and `columns` vectors from `v` on.
** panel: (entries, columns) vectors, or NULL. */
INLINE void gather_tile(const gather_job *job, const float *panel, int64_t row, int64_t v, const source from,
                        const int rows, const int columns) {
  vector sum[TILE_SUMS];
  const ptrdiff_t x_step = from == STRIDED ? job->x_vector : LANES, y_step = from == STRIDED ? job->y_vector : LANES;
  const float *weight = job->weight + row / TILE_ROWS * job->weight_block + row % TILE_ROWS;
  float *y = job->y + row * job->y_channel + v * y_step;
#pragma GCC unroll 24
  for (int r = 0; r < rows; r++) {
    vector start = job->bias && !job->add ? broadcast(job->bias + row + r) : zero();
#pragma GCC unroll 24
    for (int c = 0; c < columns; c++)
      sum[r * columns + c] = job->add ? load(y + r * job->y_channel + c * y_step) : start;
  }
  const conv_entry *entry = job->entries, *end = entry + job->n_entries;
  const float *x = job->x + v * x_step;
  for (; entry < end; entry++) {
    const float *at = from == PANEL ? panel : x + entry->x, *w = weight + entry->w;
    vector value[TILE_SUMS];
#pragma GCC unroll 24
    for (int c = 0; c < columns; c++) value[c] = load(at + c * x_step);
#pragma GCC unroll 24
    for (int r = 0; r < rows; r++) {
      vector factor = broadcast(w + r);
#pragma GCC unroll 24
      for (int c = 0; c < columns; c++)
        sum[r * columns + c] = multiply_add(factor, value[c], sum[r * columns + c]);
    }
    if (from == PANEL) panel += columns * LANES;
  }
#pragma GCC unroll 24
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 24
    for (int c = 0; c < columns; c++) {
      vector result = sum[r * columns + c];
      store(y + r * job->y_channel + c * y_step, job->relu ? rectify(result) : result);
    }
  }
}

/* All vectors for `rows` channels that do not fill a block: few rows, so more vectors. */
INLINE void gather_rows(const gather_job *job, int64_t row, const source from, const int rows, const int columns) {
  int64_t v = 0, n = job->n_lanes / LANES;
  for (; v + columns <= n; v += columns) gather_tile(job, NULL, row, v, from, rows, columns);
  for (; v < n; v++) gather_tile(job, NULL, row, v, from, rows, 1);
}

/* Channels that do not fill a block. */
INLINE void gather_rest(const gather_job *job, int64_t row, const source from) {
  if (TILE_ROWS > 4 && job->n_outputs - row >= 4) {
    gather_rows(job, row, from, 4, 2);
    row += 4;
  }
  if (job->n_outputs - row >= 2) {
    gather_rows(job, row, from, 2, 4);
    row += 2;
  }
  if (row < job->n_outputs) gather_rows(job, row, from, 1, 8);
}

/* Every block of channels.  Vectors outermost: their x rows stay in the nearest cache for all the blocks. */
INLINE void gather_columns(const gather_job *job, int64_t n_full, int64_t v, const source from, const int columns) {
  for (int64_t row = 0; row < n_full; row += TILE_ROWS) gather_tile(job, NULL, row, v, from, TILE_ROWS, columns);
}

INLINE void gather_blocks(const gather_job *job, int64_t n_full, const source from) {
  int64_t v = 0, n = job->n_lanes / LANES;
  for (; v + TILE_COLUMNS <= n; v += TILE_COLUMNS) gather_columns(job, n_full, v, from, TILE_COLUMNS);
  if (TILE_COLUMNS > 2 && v + 2 <= n) {
    gather_columns(job, n_full, v, from, 2);
    v += 2;
  }
  if (v < n) gather_columns(job, n_full, v, from, 1);
}

/* The x rows of one group of lanes, side by side: many channels read them, and rows that are a power of two
** apart would share a few lines of the cache. */
INLINE void pack_panel(float *panel, const gather_job *job, int64_t v) {
  const float *x = job->x + v * LANES;
  for (int64_t e = 0; e < job->n_entries; e++)
#pragma GCC unroll 24
    for (int c = 0; c < PANEL_COLUMNS; c++)
      store(panel + (e * PANEL_COLUMNS + c) * LANES, load(x + job->entries[e].x + c * LANES));
}

INLINE void gather_packed(const gather_job *job, int64_t n_full) {
  float panel[PANEL_FLOATS];
  int64_t v = 0, n = job->n_lanes / LANES;
  for (; v + PANEL_COLUMNS <= n; v += PANEL_COLUMNS) {
    pack_panel(panel, job, v);
    for (int64_t row = 0; row < n_full; row += TILE_ROWS)
      gather_tile(job, panel, row, v, PANEL, TILE_ROWS, PANEL_COLUMNS);
  }
  for (; v < n; v++) gather_columns(job, n_full, v, DENSE, 1);
}

static void gather(const gather_job *job) {
  int64_t n_full = job->n_outputs / TILE_ROWS * TILE_ROWS;
  if (n_full >= PANEL_FROM_OUTPUTS && job->n_entries * PANEL_COLUMNS * LANES <= PANEL_FLOATS)
    gather_packed(job, n_full);
  else
    gather_blocks(job, n_full, DENSE);
  gather_rest(job, n_full, DENSE);
}

static void gather_strided(const gather_job *job) {
  int64_t n_full = job->n_outputs / TILE_ROWS * TILE_ROWS;
  gather_blocks(job, n_full, STRIDED);
  gather_rest(job, n_full, STRIDED);
}

/* The four outputs of a cell, `columns` vectors from `lane` on.  Each output takes its taps in the order in which a
** gather would: the same bits. */
INLINE void cell_tile(const cell_job *job, int64_t lane, const bool far_row, const bool far_column,
                      const int columns) {
  vector sum[4][CELL_COLUMNS];
  const float *x = job->x + lane, *w = job->weight;
#pragma GCC unroll 24
  for (int k = 0; k < 4 * columns; k++) sum[k / columns][k % columns] = broadcast(&job->bias);
  for (int64_t n = job->n_channels; n > 0; n--, x += job->x_channel, w += job->weight_channel) {
#pragma GCC unroll 24
    for (int c = 0; c < columns; c++) {
      const float *at = x + c * LANES;
      if (far_row && far_column)
        sum[3][c] = multiply_add(broadcast(w), load(at + job->far_row + job->far_column), sum[3][c]);
      if (far_row) {
        vector below = load(at + job->far_row);
        sum[2][c] = multiply_add(broadcast(w + 1), below, sum[2][c]);
        sum[3][c] = multiply_add(broadcast(w + 2), below, sum[3][c]);
      }
      if (far_column) {
        vector right = load(at + job->far_column);
        sum[1][c] = multiply_add(broadcast(w + 3), right, sum[1][c]);
        sum[3][c] = multiply_add(broadcast(w + 6), right, sum[3][c]);
      }
      vector near = load(at);
      sum[0][c] = multiply_add(broadcast(w + 4), near, sum[0][c]);
      sum[1][c] = multiply_add(broadcast(w + 5), near, sum[1][c]);
      sum[2][c] = multiply_add(broadcast(w + 7), near, sum[2][c]);
      sum[3][c] = multiply_add(broadcast(w + 8), near, sum[3][c]);
    }
  }
#pragma GCC unroll 24
  for (int k = 0; k < 4 * columns; k++) {
    vector result = sum[k / columns][k % columns];
    store(job->y[k / columns / 2][k / columns % 2] + lane + k % columns * LANES, job->relu ? rectify(result) : result);
  }
}

INLINE void cell_lanes(const cell_job *job, const bool far_row, const bool far_column) {
  int64_t lane = 0;
  for (; lane + CELL_COLUMNS * LANES <= job->n_lanes; lane += CELL_COLUMNS * LANES)
    cell_tile(job, lane, far_row, far_column, CELL_COLUMNS);
  for (; lane < job->n_lanes; lane += LANES) cell_tile(job, lane, far_row, far_column, 1);
}

static void cell(const cell_job *job) {
  if (job->far_row && job->far_column) cell_lanes(job, true, true);
  else if (job->far_row) cell_lanes(job, true, false);
  else if (job->far_column) cell_lanes(job, false, true);
  else cell_lanes(job, false, false);
}

/* dw[row + r][entry e + s] for `rows` x `n_entries` (both constant); entries past the table's end repeat the last
** one and are not stored. */
INLINE void product_tile(const product_job *job, int64_t row, int64_t e, const int rows, const int n_entries) {
  vector sum[TILE_SUMS];
  const float *x[TILE_SUMS];
  const float *dy = job->dy + row * job->dy_channel;
#pragma GCC unroll 24
  for (int s = 0; s < n_entries; s++) {
    int64_t at = e + s < job->n_entries ? e + s : job->n_entries - 1;
    x[s] = job->x + job->entries[at].x;
  }
#pragma GCC unroll 24
  for (int k = 0; k < TILE_SUMS; k++) sum[k] = zero();
  const int64_t n_full = job->n_lanes / LANES * LANES;
  const int tail = (int)(job->n_lanes - n_full);
  for (int64_t pixel = 0; pixel < job->n_pixels; pixel++) {
    int64_t dy_at = pixel * job->dy_step, x_at = pixel * job->x_step;
    for (int64_t lane = 0; lane < n_full; lane += LANES) {
      vector d[TILE_SUMS];
#pragma GCC unroll 24
      for (int s = 0; s < n_entries; s++) {
        d[s] = load(x[s] + x_at + lane);
      }
#pragma GCC unroll 24
      for (int r = 0; r < rows; r++) {
        vector v = load(dy + r * job->dy_channel + dy_at + lane);
#pragma GCC unroll 24
        for (int s = 0; s < n_entries; s++)
          sum[r * n_entries + s] = multiply_add(v, d[s], sum[r * n_entries + s]);
      }
    }
    if (tail) {
#pragma GCC unroll 24
      for (int r = 0; r < rows; r++) {
        vector v = keep_first(load(dy + r * job->dy_channel + dy_at + n_full), tail);
#pragma GCC unroll 24
        for (int s = 0; s < n_entries; s++)
          sum[r * n_entries + s] =
              multiply_add(v, keep_first(load(x[s] + x_at + n_full), tail), sum[r * n_entries + s]);
      }
    }
  }
  float total[TILE_SUMS];
#pragma GCC unroll 24
  for (int k = 0; k < TILE_SUMS; k += 4)
    if (k < rows * n_entries) sum_four(total + k, sum + k);
#pragma GCC unroll 24
  for (int s = 0; s < n_entries; s++) {
    if (e + s >= job->n_entries) break;
    float *dw = job->dw + row * job->dw_row + job->entries[e + s].w;
#pragma GCC unroll 24
    for (int r = 0; r < rows; r++) dw[r * job->dw_row] += total[r * n_entries + s];
  }
}

INLINE void product_rows(const product_job *job, int64_t row, const int rows, const int n_entries) {
  for (int64_t e = 0; e < job->n_entries; e += n_entries) product_tile(job, row, e, rows, n_entries);
}

static void product(const product_job *job) {
  int64_t row = 0;
  if (NINE_ROWS > 0 && job->n_entries == 9)
    for (; row + NINE_ROWS <= job->n_rows; row += NINE_ROWS) product_rows(job, row, NINE_ROWS, 9);
  for (; row + PRODUCT_ROWS <= job->n_rows; row += PRODUCT_ROWS)
    product_rows(job, row, PRODUCT_ROWS, PRODUCT_ENTRIES);
  if (PRODUCT_ROWS > 2 && job->n_rows - row >= 2) {
    product_rows(job, row, 2, PRODUCT_ROWS * PRODUCT_ENTRIES / 2);
    row += 2;
  }
  for (; row < job->n_rows; row++) product_rows(job, row, 1, PRODUCT_ROWS * PRODUCT_ENTRIES > 12 ? 12 : 8);
}

/* One vector of the mask: stores it, returns what counts for the sum. */
INLINE vector mask_vector(const mask_job *job, int64_t at) {
  vector v = load(job->dy + at);
  if (job->y) v = where_positive(load(job->y + at), v);
  if (job->out) store(job->out + at, v);
  return v;
}

static float mask(const mask_job *job) {
  vector sum[2] = { zero(), zero() };
  const int64_t n_full = job->n_lanes / LANES * LANES;
  const int tail = (int)(job->n_lanes - n_full);
  for (int64_t pixel = 0; pixel < job->n_pixels; pixel++) {
    int64_t at = pixel * job->step, lane = 0;
    for (; lane + 2 * LANES <= n_full; lane += 2 * LANES) {
      sum[0] = add(sum[0], mask_vector(job, at + lane));
      sum[1] = add(sum[1], mask_vector(job, at + lane + LANES));
    }
    if (lane < n_full) sum[0] = add(sum[0], mask_vector(job, at + lane));
    if (tail) sum[1] = add(sum[1], keep_first(mask_vector(job, at + n_full), tail));
  }
  return sum_lanes(add(sum[0], sum[1]));
}
