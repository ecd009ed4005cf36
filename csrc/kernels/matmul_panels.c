/* matmul_panels.c -- see matmul_panels.h. */
#include "matmul_panels.h"

#include <math.h>

#include "../tensor/integers.h"
#include "../tensor/parallel.h"
#include "matmul_tile.h"
#include "panel.h"

enum {
  BLOCK_ROWS = 2048,        /* of a that are laid out at once, by PANEL_DEPTH: 8 MB */
  BLOCK_COLUMNS = 4096,     /* of b */
  TILE_HEIGHT = 4,          /* panels of one task; fewer where there would be fewer than TASKS */
  TILE_WIDTH = 12,
  TASKS = 8,
  LAY_GRAIN = 1 << 14,      /* numbers that are worth a thread's while to lay out */
  LEAST_WORK = 1 << 20,     /* multiply-adds */
  LEAST_SIDE = 32
};

#define MOST_WASTE 1.15     /* of a tile that the result does not fill; (60,000 x 784) (784 x 50) has 1.28 */

typedef struct job {
  const product *p;
  matrix out, a, b;         /* of the member */
  int64_t row, rows, column, columns, first, depth;   /* the block: of out, and of the depth */
  float *a_panels, *b_panels;
  int64_t pitch;
  int64_t tile_height;
} job;

/* -- laying out: panels of a, then panels of b -- */

static void lay(void *argument, int64_t begin, int64_t end) {
  const job *j = argument;
  int64_t a_panels = parts(j->rows, PANEL);
  const float *a = (const float *)j->a.data + j->row * j->a.row_stride + j->first * j->a.column_stride;
  const float *b = (const float *)j->b.data + j->first * j->b.row_stride + j->column * j->b.column_stride;
  for (int64_t i = begin; i < end; i++) {
    int64_t q = i - a_panels;
    if (q < 0)
      tile_pack(j->a_panels + i * j->pitch, PANEL, a + i * PANEL * j->a.row_stride, j->depth,
                least(j->rows - i * PANEL, PANEL), j->a.column_stride, j->a.row_stride);
    else
      tile_pack(j->b_panels + q * j->pitch, PANEL, b + q * PANEL * j->b.column_stride, j->depth,
                least(j->columns - q * PANEL, PANEL), j->b.row_stride, j->b.column_stride);
  }
}

/* -- multiplying -- */

CLONES static void store_row(float *restrict out, float *restrict sums, int64_t n, float beta, float row_bias,
                             const float *restrict column_bias, const tile_store *store) {
  for (int64_t i = 0; i < n; i++) sums[i] = store->alpha * sums[i] + row_bias;
  if (beta != 0.0f)
    for (int64_t i = 0; i < n; i++) sums[i] += beta * out[i];
  if (column_bias != NULL)
    for (int64_t i = 0; i < n; i++) sums[i] += column_bias[i];
  for (int64_t i = 0; i < n; i++) out[i] = sums[i] < store->floor ? store->floor : sums[i];
}

static void multiply_group(const job *j, int64_t row, int64_t column, int64_t n_panels) {
  float sums[PANEL * PANEL_WIDTH] __attribute__((aligned(64)));
  const product *p = j->p;
  int64_t height = least(j->rows - row, PANEL), width = least(j->columns - column, n_panels * PANEL);
  bool last = j->first + j->depth == j->a.columns;
  const tile_store store = { (float)p->alpha, 0.0f, NULL, NULL, last && p->relu ? 0.0f : -INFINITY };
  const float *row_bias = last ? p->row_bias : NULL, *column_bias = last ? p->column_bias : NULL;
  panel_multiply(sums, height, j->depth, j->a_panels + row / PANEL * j->pitch, j->b_panels + column / PANEL * j->pitch,
                 j->pitch, n_panels);
  for (int64_t r = 0; r < height; r++) {
    float *out = (float *)j->out.data + (j->row + row + r) * j->out.row_stride + j->column + column;
    store_row(out, sums + r * PANEL_WIDTH, width, j->first > 0 ? 1.0f : (float)p->beta,
              row_bias == NULL ? 0.0f : row_bias[j->row + row + r],
              column_bias == NULL ? NULL : column_bias + j->column + column, &store);
  }
}

static void multiply(void *argument, int64_t begin, int64_t end) {
  const job *j = argument;
  int64_t across = parts(j->columns, TILE_WIDTH * PANEL);
  for (int64_t task = begin; task < end; task++) {
    int64_t top = task / across * j->tile_height * PANEL, left = task % across * TILE_WIDTH * PANEL;
    int64_t bottom = least(top + j->tile_height * PANEL, j->rows);
    int64_t right = least(left + TILE_WIDTH * PANEL, j->columns);
    for (int64_t row = top; row < bottom; row += PANEL)
      for (int64_t column = left; column < right; column += PANEL_WIDTH)
        multiply_group(j, row, column, least(parts(right - column, PANEL), PANEL_GROUP));
  }
}

static void run_block(context *c, job *j) {
  int64_t n_panels = parts(j->rows, PANEL) + parts(j->columns, PANEL), across = parts(j->columns, TILE_WIDTH * PANEL);
  parallel_for(c, n_panels, LAY_GRAIN / (j->depth * PANEL) + 1, lay, j);
  j->tile_height = TILE_HEIGHT;
  while (j->tile_height > 1 && parts(j->rows, j->tile_height * PANEL) * across < TASKS) j->tile_height--;
  parallel_for(c, parts(j->rows, j->tile_height * PANEL) * across, 1, multiply, j);
}

static void run_member(context *c, job *j) {
  int64_t rows = j->out.rows, columns = j->out.columns, depth = j->a.columns;
  for (j->column = 0; j->column < columns; j->column += BLOCK_COLUMNS)
    for (j->row = 0; j->row < rows; j->row += BLOCK_ROWS)
      for (j->first = 0; j->first < depth; j->first += PANEL_DEPTH) {
        j->columns = least(columns - j->column, BLOCK_COLUMNS);
        j->rows = least(rows - j->row, BLOCK_ROWS);
        j->depth = least(depth - j->first, PANEL_DEPTH);
        run_block(c, j);
      }
}

/* -- from outside -- */

bool panels_suit(const product *p) {
  int64_t rows = p->out.rows, columns = p->out.columns, depth = p->a.columns;
  double wanted = (double)rows * (double)columns;
  double computed = (double)(parts(rows, PANEL / 2) * (PANEL / 2)) * (double)(parts(columns, PANEL) * PANEL);
  return panel_is_wide() && rows >= LEAST_SIDE && columns >= LEAST_SIDE && depth >= LEAST_SIDE &&
         wanted * (double)depth >= LEAST_WORK && computed <= MOST_WASTE * wanted;
}

static matrix member(matrix m, const int64_t *offset, int64_t i) {
  if (offset != NULL) m.data = (float *)m.data + offset[i];
  return m;
}

status panels_run(context *c, const product *p) {
  int64_t rows = parts(least(p->out.rows, BLOCK_ROWS), PANEL);
  int64_t columns = parts(least(p->out.columns, BLOCK_COLUMNS), PANEL);
  job j = { .p = p, .pitch = (least(p->a.columns, PANEL_DEPTH) + 1) * PANEL };   /* odd: not all in one cache set */
  size_t n_bytes = (size_t)((rows + columns) * j.pitch) * sizeof(float);
  j.a_panels = context_get(c, n_bytes);
  if (j.a_panels == NULL) return STATUS_NO_MEMORY;
  j.b_panels = j.a_panels + rows * j.pitch;
  for (int64_t i = 0; i < p->n_batch; i++) {
    j.out = member(p->out, p->out_offset, i);
    j.a = member(p->a, p->a_offset, i);
    j.b = member(p->b, p->b_offset, i);
    run_member(c, &j);
  }
  context_put(c, j.a_panels, n_bytes);
  return STATUS_OK;
}
