/* moments.c -- mean and scatter of the rows of a matrix, in one pass over it.
**
**   shift = mean of the first rows              close to the mean, and exact enough to subtract
**   c = x - shift                               what is left is of the size of the data's spread
**   s = sum of c,  S = sum of c c'              added up in float64
**   mean = shift + s / n,  scatter = S - s s' / n
**
** So a large mean (10,000 +- 1) costs no digits.  float32 and uint8: c is float32, laid out in panels (panel.h); sums
** of 128 rows of c, and of PANEL_DEPTH rows of c c', are float32, sums of those float64.  float64: c lies as x does,
** and BLAS multiplies.  S is symmetric: only what lies on and above the diagonal is computed.
**
** Rows are taken in blocks; while one block is multiplied, the next is laid out, so that the one waits for memory while
** the other computes. */
#include <string.h>

#include "../kernels/blas.h"
#include "../kernels/panel.h"
#include "../tensor/integers.h"
#include "../tensor/parallel.h"
#include "decomposition.h"

enum {
  SHIFT_ROWS = 128,
  BLOCK_ROWS = 2048,
  LAY_ROWS = 128,           /* rows that one task lays out */
  LAY_TASKS = BLOCK_ROWS / LAY_ROWS,
  TILE_HEIGHT = 4,          /* panels of one task's part of S */
  TILE_WIDTH = 12,
  PRODUCT_SIZE = 256        /* of one task's part of S, in float64 */
};

typedef struct block {
  void *c;                  /* panels, or rows of float64 */
  int64_t first, n;
} block;

typedef struct tile { int64_t row, column; } tile;   /* in panels, or in items for float64 */

typedef struct pass {
  const rows *x;
  bool wide;                /* float64 */
  void *shift;              /* (d) of c's dtype */
  double *task_sums;        /* (LAY_TASKS, d) */
  float *narrow_sums;       /* (LAY_TASKS, d), unless wide */
  double *sums;             /* (d) */
  double *scatter;          /* (d, d) or NULL */
  int64_t pitch;            /* floats from panel to panel */
  tile *tiles;
  int64_t n_tiles;
  block laid, next;         /* laid: to be multiplied; next: to be laid out */
  int64_t n_products, n_lays;
} pass;

static int64_t panels_of(int64_t d) { return (d + PANEL - 1) / PANEL; }

/* -- laying out -- */

/* d items of c at a row of each panel, and added to sum. */
CLONES static void lay_float32(const float *restrict x, const float *restrict shift, float *restrict to, int64_t pitch,
                               int64_t d, float *restrict sum) {
  int64_t p = 0;
  for (; (p + 1) * PANEL <= d; p++)
    for (int64_t i = 0; i < PANEL; i++) {
      float c = x[p * PANEL + i] - shift[p * PANEL + i];
      to[p * pitch + i] = c;
      sum[p * PANEL + i] += c;
    }
  for (int64_t i = p * PANEL; i < d; i++) {
    to[p * pitch + i - p * PANEL] = x[i] - shift[i];
    sum[i] += x[i] - shift[i];
  }
}

CLONES static void lay_uint8(const uint8_t *restrict x, const float *restrict shift, float *restrict to, int64_t pitch,
                             int64_t d, float *restrict sum) {
  int64_t p = 0;
  for (; (p + 1) * PANEL <= d; p++)
    for (int64_t i = 0; i < PANEL; i++) {
      float c = (float)x[p * PANEL + i] - shift[p * PANEL + i];
      to[p * pitch + i] = c;
      sum[p * PANEL + i] += c;
    }
  for (int64_t i = p * PANEL; i < d; i++) {
    to[p * pitch + i - p * PANEL] = (float)x[i] - shift[i];
    sum[i] += (float)x[i] - shift[i];
  }
}

CLONES static void lay_float64(const double *restrict x, const double *restrict shift, double *restrict to, int64_t d,
                               double *restrict sum) {
  for (int64_t i = 0; i < d; i++) {
    to[i] = x[i] - shift[i];
    sum[i] += to[i];
  }
}

/* The last panel's columns that are not there. */
static void clear_edge(float *panels, int64_t pitch, int64_t d, int64_t n) {
  int64_t width = d % PANEL;
  if (width == 0) return;
  float *last = panels + d / PANEL * pitch;
  for (int64_t k = 0; k < n; k++) memset(last + k * PANEL + width, 0, (size_t)(PANEL - width) * sizeof *last);
}

static const void *row_of(const rows *x, int64_t i) {
  return (const char *)x->data + i * x->stride * (int64_t)dtype_size(x->dtype);
}

static void lay_narrow(const pass *p, int64_t first, int64_t n, double *sums) {
  int64_t d = p->x->d;
  float *to = (float *)p->next.c + first * PANEL, *sum = p->narrow_sums + first / LAY_ROWS * d;
  memset(sum, 0, (size_t)d * sizeof *sum);
  clear_edge(to, p->pitch, d, n);
  for (int64_t k = 0; k < n; k++) {
    const void *x = row_of(p->x, p->next.first + first + k);
    if (p->x->dtype == DTYPE_UINT8) lay_uint8(x, p->shift, to + k * PANEL, p->pitch, d, sum);
    else lay_float32(x, p->shift, to + k * PANEL, p->pitch, d, sum);
  }
  for (int64_t i = 0; i < d; i++) sums[i] = (double)sum[i];
}

static void lay_wide(const pass *p, int64_t first, int64_t n, double *sums) {
  int64_t d = p->x->d;
  memset(sums, 0, (size_t)d * sizeof *sums);
  for (int64_t k = first; k < first + n; k++)
    lay_float64(row_of(p->x, p->next.first + k), p->shift, (double *)p->next.c + k * d, d, sums);
}

static void lay(const pass *p, int64_t task) {
  int64_t first = task * LAY_ROWS, n = least(p->next.n - first, LAY_ROWS);
  double *sums = p->task_sums + task * p->x->d;
  if (p->wide) lay_wide(p, first, n, sums);
  else lay_narrow(p, first, n, sums);
}

/* -- multiplying -- */

CLONES static void add_row(double *restrict to, const float *restrict sums, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] += (double)sums[i];
}

/* One panel of rows by up to PANEL_GROUP panels of columns, over `depth` rows of the block. */
static void multiply_group(const pass *p, int64_t row, int64_t column, int64_t n_panels, int64_t k, int64_t depth) {
  float sums[PANEL * PANEL_WIDTH] __attribute__((aligned(64)));
  const float *panels = (const float *)p->laid.c + k * PANEL;
  int64_t d = p->x->d, height = least(d - row * PANEL, PANEL);
  int64_t width = least(d - column * PANEL, n_panels * PANEL);
  panel_multiply(sums, height, depth, panels + row * p->pitch, panels + column * p->pitch, p->pitch, n_panels);
  for (int64_t r = 0; r < height; r++)
    add_row(p->scatter + (row * PANEL + r) * d + column * PANEL, sums + r * PANEL_WIDTH, width);
}

/* TILE_WIDTH panels of PANEL_DEPTH rows stay in the second-level cache for all rows of the tile. */
static void multiply_narrow(const pass *p, tile t) {
  int64_t n = panels_of(p->x->d), end = least(t.column + TILE_WIDTH, n);
  for (int64_t k = 0; k < p->laid.n; k += PANEL_DEPTH)
    for (int64_t row = t.row; row < least(t.row + TILE_HEIGHT, n); row++)
      for (int64_t column = row > t.column ? row : t.column; column < end; column += PANEL_GROUP)
        multiply_group(p, row, column, least(end - column, PANEL_GROUP), k, least(p->laid.n - k, PANEL_DEPTH));
}

static void multiply_wide(const pass *p, tile t) {
  int64_t d = p->x->d, height = least(d - t.row, PRODUCT_SIZE), width = least(d - t.column, PRODUCT_SIZE);
  matrix c = { p->laid.c, p->laid.n, d, d, 1 }, scatter = { p->scatter, d, d, d, 1 };
  matrix a = matrix_block(c, sizeof(double), 0, c.rows, t.row, height);
  matrix b = matrix_block(c, sizeof(double), 0, c.rows, t.column, width);
  blas_product(DTYPE_FLOAT64, matrix_block(scatter, sizeof(double), t.row, height, t.column, width),
               matrix_normal(matrix_transposed(a)), matrix_normal(b), 1.0, 1.0);
}

/* The parts of the upper triangle; returns how many, and writes them where there is room. */
static int64_t list_tiles(const pass *p, tile *out) {
  int64_t n = p->wide ? p->x->d : panels_of(p->x->d), count = 0;
  int64_t height = p->wide ? PRODUCT_SIZE : TILE_HEIGHT, width = p->wide ? PRODUCT_SIZE : TILE_WIDTH;
  for (int64_t row = 0; row < n; row += height)
    for (int64_t column = row; column < n; column += width, count++)
      if (out != NULL) out[count] = (tile){ row, column };
  return count;
}

/* -- the pass -- */

/* Tasks of both kinds, evenly mixed. */
static void run_tasks(void *argument, int64_t begin, int64_t end) {
  const pass *p = argument;
  int64_t n = p->n_products + p->n_lays;
  for (int64_t t = begin; t < end; t++) {
    int64_t lays = t * p->n_lays / n;
    if ((t + 1) * p->n_lays / n > lays) lay(p, lays);
    else if (p->wide) multiply_wide(p, p->tiles[t - lays]);
    else multiply_narrow(p, p->tiles[t - lays]);
  }
}

static void run(context *c, pass *p) {
  int64_t n = p->x->n;
  for (int64_t first = 0; first < n + BLOCK_ROWS; first += BLOCK_ROWS) {
    p->next.first = first;
    p->next.n = first < n ? least(n - first, BLOCK_ROWS) : 0;
    p->n_lays = (p->next.n + LAY_ROWS - 1) / LAY_ROWS;
    p->n_products = first > 0 && p->scatter != NULL ? p->n_tiles : 0;
    parallel_for(c, p->n_products + p->n_lays, 1, run_tasks, p);
    for (int64_t task = 0; task < p->n_lays; task++)
      for (int64_t i = 0; i < p->x->d; i++) p->sums[i] += p->task_sums[task * p->x->d + i];
    block laid = p->laid;
    p->laid = p->next;
    p->next.c = laid.c;
  }
}

/* -- before and after -- */

static double item(const rows *x, int64_t row, int64_t i) {
  const void *at = row_of(x, row);
  if (x->dtype == DTYPE_UINT8) return ((const uint8_t *)at)[i];
  return x->dtype == DTYPE_FLOAT32 ? (double)((const float *)at)[i] : ((const double *)at)[i];
}

static void find_shift(const pass *p) {
  const rows *x = p->x;
  double *sums = p->sums;
  int64_t n = least(x->n, SHIFT_ROWS);
  memset(sums, 0, (size_t)x->d * sizeof *sums);
  for (int64_t k = 0; k < n; k++)
    for (int64_t i = 0; i < x->d; i++) sums[i] += item(x, k, i);
  for (int64_t i = 0; i < x->d; i++) {
    if (p->wide) ((double *)p->shift)[i] = sums[i] / (double)n;
    else ((float *)p->shift)[i] = (float)(sums[i] / (double)n);
  }
}

static void finish(const pass *p, double *mean) {
  int64_t d = p->x->d;
  double n = (double)p->x->n;
  for (int64_t i = 0; i < d; i++)
    mean[i] = (p->wide ? ((double *)p->shift)[i] : (double)((float *)p->shift)[i]) + p->sums[i] / n;
  if (p->scatter == NULL) return;
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = i; j < d; j++) p->scatter[i * d + j] -= p->sums[i] * p->sums[j] / n;
}

/* One piece of scratch for all: two blocks, the shift, the sums, the list of tiles; each begins 64-byte aligned. */
enum { LAID, NEXT, SHIFT, TASK_SUMS, NARROW_SUMS, SUMS, TILES, N_PIECES };

static void measure(const pass *p, size_t n_bytes[N_PIECES]) {
  int64_t d = p->x->d, n = least(p->x->n, BLOCK_ROWS);
  n_bytes[LAID] = p->wide ? (size_t)(n * d) * sizeof(double) : (size_t)(panels_of(d) * p->pitch) * sizeof(float);
  n_bytes[NEXT] = n_bytes[LAID];
  n_bytes[SHIFT] = n_bytes[SUMS] = (size_t)d * sizeof(double);
  n_bytes[TASK_SUMS] = LAY_TASKS * n_bytes[SUMS];
  n_bytes[NARROW_SUMS] = p->wide ? 0 : LAY_TASKS * (size_t)d * sizeof(float);
  n_bytes[TILES] = (size_t)p->n_tiles * sizeof(tile);
  for (int i = 0; i < N_PIECES; i++) n_bytes[i] = (n_bytes[i] + 63) / 64 * 64;
}

static void give_out(pass *p, char *memory, const size_t n_bytes[N_PIECES]) {
  void *piece[N_PIECES];
  for (int i = 0; i < N_PIECES; memory += n_bytes[i], i++) piece[i] = memory;
  p->laid.c = piece[LAID];
  p->next.c = piece[NEXT];
  p->shift = piece[SHIFT];
  p->task_sums = piece[TASK_SUMS];
  p->narrow_sums = piece[NARROW_SUMS];
  p->sums = piece[SUMS];
  p->tiles = piece[TILES];
  list_tiles(p, p->tiles);
}

status moments(context *c, const rows *x, double *mean, double *scatter) {
  pass p = { .x = x, .wide = x->dtype == DTYPE_FLOAT64, .scatter = scatter };
  p.pitch = (least(x->n, BLOCK_ROWS) + 1) * PANEL;   /* odd: rows of neighbouring panels differ in their cache set */
  p.n_tiles = list_tiles(&p, NULL);
  size_t n_bytes[N_PIECES], all = 0;
  measure(&p, n_bytes);
  for (int i = 0; i < N_PIECES; i++) all += n_bytes[i];
  char *memory = context_get(c, all);
  if (memory == NULL) return STATUS_NO_MEMORY;
  give_out(&p, memory, n_bytes);
  find_shift(&p);
  memset(p.sums, 0, (size_t)x->d * sizeof *p.sums);
  if (scatter != NULL) memset(scatter, 0, (size_t)(x->d * x->d) * sizeof *scatter);
  blas_region region = blas_enter();
  run(c, &p);
  blas_leave(region);
  finish(&p, mean);
  context_put(c, memory, all);
  return STATUS_OK;
}
