/* matmul_product.c -- see matmul_product.h. */
#include "matmul_product.h"

#include <math.h>

#include "../tensor/parallel.h"
#include "matmul_dots.h"
#include "matmul_outer.h"
#include "matmul_panels.h"
#include "matmul_tile.h"

enum {
  TILE_LIMIT = 1 << 25,     /* multiply-adds; above, OpenBLAS' packing of both operands has paid for itself */
  TILE_ROW_BLOCK = 192,     /* rows of A that one task walks: 192 x TILE_DEPTH floats stay in a second-level cache */
  UNPACKED_ROWS = 12,       /* up to here a panel of B is used too seldom to be copied */
  BLAS_BLOCK = 256,         /* rows and columns of one call */
  BLAS_MIN_BLOCK = 64,
  BLAS_TASKS = 8,           /* blocks are halved until there are so many */
  OUTER_ITEMS = 1 << 15,    /* of a task's results where nothing is added up */
  TASK_WORK = 1 << 17       /* multiply-adds that are worth a thread's while */
};

typedef enum path { PATH_OUTER, PATH_TILES, PATH_DOTS, PATH_BLAS } path;

typedef struct work {
  product p;                /* in normal form: out.column_stride is 1 */
  path path;
  int64_t row_block, n_row_blocks;
  int64_t column_block, n_column_blocks;
} work;

/* One task's share: a block of one member's out, with the rows of a and columns of b that it takes. */
typedef struct share {
  matrix out, a, b;
  const char *row_bias, *column_bias;
} share;

/* -- tiles -- */

/* The columns of a panel that is narrower than the tile: computed beside out, then put in place. */
static void store_narrow(const float *from, int64_t width, const share *s, const tile_store *store) {
  float *to = s->out.data;
  for (int64_t r = 0; r < s->out.rows; r++)
    for (int64_t c = 0; c < s->out.columns; c++) {
      float *place = to + r * s->out.row_stride + c;
      float value = store->alpha * from[r * width + c];
      if (store->beta != 0.0f) value += store->beta * *place;
      if (store->row_bias != NULL) value += store->row_bias[r];
      if (store->column_bias != NULL) value += store->column_bias[c];
      *place = value < store->floor ? store->floor : value;
    }
}

/* s->out.rows x width results; only the last block of the depth is finished with bias and relu. */
static void multiply_panel(float *out, int64_t out_stride, int64_t width, const share *s, const tile_store *whole) {
  float packed[TILE_DEPTH * TILE_COLUMNS] __attribute__((aligned(64)));
  const float *a = s->a.data, *b = s->b.data;
  bool in_place = s->b.column_stride == 1 && s->b.columns == width && s->out.rows <= UNPACKED_ROWS;
  int64_t all = s->a.columns, done = 0;
  do {
    int64_t depth = all - done < TILE_DEPTH ? all - done : TILE_DEPTH;
    bool last = done + depth == all;
    const float *b_part = b + done * s->b.row_stride;
    tile_store store = { whole->alpha, done == 0 ? whole->beta : 1.0f, last ? whole->row_bias : NULL,
                         last ? whole->column_bias : NULL, last ? whole->floor : -INFINITY };
    if (!in_place) tile_pack(packed, width, b_part, depth, s->b.columns, s->b.row_stride, s->b.column_stride);
    tile_multiply(out, out_stride, width, s->out.rows, depth, a + done * s->a.column_stride, s->a.row_stride,
                  s->a.column_stride, in_place ? b_part : packed, in_place ? s->b.row_stride : width, &store);
    done += depth;
  } while (done < all);
}

static void run_tiles(const product *p, const share *s) {
  tile_store store = { (float)p->alpha, (float)p->beta, (const float *)(const void *)s->row_bias,
                       (const float *)(const void *)s->column_bias, p->relu ? 0.0f : -INFINITY };
  int64_t width = s->out.columns <= TILE_COLUMNS / 2 ? TILE_COLUMNS / 2 : TILE_COLUMNS;
  if (s->out.columns == width) {
    multiply_panel(s->out.data, s->out.row_stride, width, s, &store);
    return;
  }
  float beside[TILE_ROW_BLOCK * TILE_COLUMNS] __attribute__((aligned(64)));
  tile_store plain = { 1.0f, 0.0f, NULL, NULL, -INFINITY };
  multiply_panel(beside, width, width, s, &plain);
  store_narrow(beside, width, s, &store);
}

/* -- whole blocks, finished afterwards -- */

static void finish_float32(const product *p, const share *s) {
  tile_store store = { 1.0f, 0.0f, (const float *)(const void *)s->row_bias,
                       (const float *)(const void *)s->column_bias, p->relu ? 0.0f : -INFINITY };
  tile_finish(s->out.data, s->out.row_stride, s->out.rows, s->out.columns, &store);
}

static void finish_float64(const product *p, const share *s) {
  double *row = s->out.data;
  const double *row_bias = (const double *)(const void *)s->row_bias;
  const double *column_bias = (const double *)(const void *)s->column_bias;
  for (int64_t r = 0; r < s->out.rows; r++, row += s->out.row_stride)
    for (int64_t c = 0; c < s->out.columns; c++) {
      if (row_bias != NULL) row[c] += row_bias[r];
      if (column_bias != NULL) row[c] += column_bias[c];
      if (p->relu && row[c] < 0.0) row[c] = 0.0;
    }
}

static void finish(const product *p, const share *s) {
  if (s->row_bias == NULL && s->column_bias == NULL && !p->relu) return;
  if (p->dtype == DTYPE_FLOAT32) finish_float32(p, s);
  else finish_float64(p, s);
}

static void run_dots(const product *p, const share *s) {
  tile_store store = { (float)p->alpha, 0.0f, (const float *)(const void *)s->row_bias,
                       (const float *)(const void *)s->column_bias, p->relu ? 0.0f : -INFINITY };
  dots d = { s->out.data, s->a.data, s->b.data, s->out.row_stride, s->a.row_stride, s->b.column_stride,
             s->out.rows, s->out.columns, s->a.columns };
  matmul_dots(&d, &store);
}

/* Nothing to add up: out = beta out. */
static void scale_float64(const product *p, const share *s) {
  double *row = s->out.data;
  for (int64_t r = 0; r < s->out.rows; r++, row += s->out.row_stride)
    for (int64_t c = 0; c < s->out.columns; c++) row[c] = p->beta == 0.0 ? 0.0 : p->beta * row[c];
}

static void run_blas(const product *p, const share *s) {
  if (s->a.columns == 0) scale_float64(p, s);
  else blas_product(p->dtype, s->out, s->a, s->b, p->alpha, p->beta);
  finish(p, s);
}

/* -- the cut -- */

static matrix member(matrix m, size_t size, const int64_t *offset, int64_t i) {
  if (offset != NULL) m.data = (char *)m.data + offset[i] * (int64_t)size;
  return m;
}

static int64_t part(int64_t block, int64_t i, int64_t n) {
  return (i + 1) * block <= n ? block : n - i * block;
}

static share share_of(const work *w, int64_t task) {
  const product *p = &w->p;
  size_t size = dtype_size(p->dtype);
  int64_t column = task % w->n_column_blocks * w->column_block;
  int64_t row = task / w->n_column_blocks % w->n_row_blocks * w->row_block;
  int64_t i = task / w->n_column_blocks / w->n_row_blocks;
  int64_t rows = part(w->row_block, row / w->row_block, p->out.rows);
  int64_t columns = part(w->column_block, column / w->column_block, p->out.columns);
  share s;
  s.out = matrix_block(member(p->out, size, p->out_offset, i), size, row, rows, column, columns);
  s.a = matrix_block(member(p->a, size, p->a_offset, i), size, row, rows, 0, p->a.columns);
  s.b = matrix_block(member(p->b, size, p->b_offset, i), size, 0, p->b.rows, column, columns);
  s.row_bias = p->row_bias == NULL ? NULL : (const char *)p->row_bias + row * (int64_t)size;
  s.column_bias = p->column_bias == NULL ? NULL : (const char *)p->column_bias + column * (int64_t)size;
  return s;
}

static void run_tasks(void *argument, int64_t begin, int64_t end) {
  const work *w = argument;
  for (int64_t task = begin; task < end; task++) {
    share s = share_of(w, task);
    if (w->path == PATH_OUTER) matmul_outer(w->p.dtype, s.out, s.a, s.b, w->p.alpha);
    else if (w->path == PATH_TILES) run_tiles(&w->p, &s);
    else if (w->path == PATH_DOTS) run_dots(&w->p, &s);
    else run_blas(&w->p, &s);
  }
}

static int64_t blocks_of(int64_t n, int64_t block) { return (n + block - 1) / block; }

/* Blocks of one size, at most `limit`, multiples of 16 where there are several. */
static int64_t even_block(int64_t n, int64_t limit) {
  int64_t even = blocks_of(n, blocks_of(n, limit));
  return even < n ? (even + 15) / 16 * 16 : n;
}

static void cut_for_blas(work *w) {
  int64_t rows = w->p.out.rows, columns = w->p.out.columns, depth = w->p.a.columns;
  int64_t row_limit = BLAS_BLOCK, column_limit = BLAS_BLOCK;
  for (;;) {
    w->row_block = even_block(rows, row_limit);
    w->column_block = even_block(columns, column_limit);
    int64_t n = blocks_of(rows, w->row_block) * blocks_of(columns, w->column_block) * w->p.n_batch;
    if (n >= BLAS_TASKS || (double)w->row_block * (double)w->column_block * (double)depth < 8.0 * TASK_WORK) return;
    if (w->row_block >= w->column_block && w->row_block > BLAS_MIN_BLOCK) row_limit = w->row_block / 2;
    else if (w->column_block > BLAS_MIN_BLOCK) column_limit = w->column_block / 2;
    else return;
  }
}

static void cut(work *w) {
  int64_t rows = w->p.out.rows, columns = w->p.out.columns;
  w->row_block = rows;
  w->column_block = columns;
  if (w->path == PATH_OUTER) {
    int64_t limit = columns < OUTER_ITEMS ? OUTER_ITEMS / columns : 1;
    w->row_block = rows < limit ? rows : limit;
  } else if (w->path == PATH_TILES) {
    w->row_block = rows <= TILE_ROW_BLOCK ? rows : TILE_ROW_BLOCK;
    w->column_block = columns <= TILE_COLUMNS ? columns : TILE_COLUMNS;
  } else if (w->path == PATH_DOTS) {
    bool alone = (double)rows * (double)columns * (double)w->p.a.columns <= TASK_WORK;
    w->column_block = columns <= TILE_COLUMNS || alone ? columns : TILE_COLUMNS;
  } else {
    cut_for_blas(w);
  }
  w->n_row_blocks = blocks_of(rows, w->row_block);
  w->n_column_blocks = blocks_of(columns, w->column_block);
}

/* -- the choice -- */

/* A product without depth is never BLAS' in float32: run_blas counts on that. */
static path choose(const product *p) {
  bool plain = p->beta == 0.0 && p->row_bias == NULL && p->column_bias == NULL && !p->relu;
  if (p->a.columns == 1 && p->b.column_stride == 1 && plain) return PATH_OUTER;
  if (p->dtype != DTYPE_FLOAT32) return PATH_BLAS;
  if (p->out.rows <= DOTS_ROWS && p->beta == 0.0 && p->b.row_stride == 1 && p->a.column_stride == 1) return PATH_DOTS;
  double multiply_adds = (double)p->out.rows * (double)p->out.columns * (double)p->a.columns;
  return multiply_adds <= TILE_LIMIT ? PATH_TILES : PATH_BLAS;
}

/* out's rows contiguous; a single column becomes a single row: out^T = b^T a^T. */
static void make_normal(product *p) {
  p->out = matrix_normal(p->out);
  bool lying = p->out.column_stride == 1;
  bool one_column = p->out.columns == 1 && p->out.rows > 1 && p->out.row_stride == 1;
  if (lying && !one_column) return;
  matrix a = p->a;
  p->out = matrix_transposed(p->out);
  p->a = matrix_transposed(p->b);
  p->b = matrix_transposed(a);
  const int64_t *a_offset = p->a_offset;
  p->a_offset = p->b_offset;
  p->b_offset = a_offset;
  const void *bias = p->row_bias;
  p->row_bias = p->column_bias;
  p->column_bias = bias;
}

status product_check_sizes(context *c, const char *name, int64_t rows, int64_t depth, int64_t columns) {
  int64_t sizes[3] = { rows, depth, columns };
  for (int i = 0; i < 3; i++)
    if (!blas_fits(sizes[i]))
      return context_fail(c, STATUS_INVALID, "%s: a dimension of %lld is more than BLAS can take (%d)", name,
                          (long long)sizes[i], INT32_MAX);
  return STATUS_OK;
}

static status check_strides(context *c, const char *name, matrix m) {
  if (blas_fits(m.row_stride) && blas_fits(m.column_stride)) return STATUS_OK;
  return context_fail(c, STATUS_INVALID, "%s: a stride of %lld elements is more than BLAS can take (%d)", name,
                      (long long)(m.row_stride > m.column_stride ? m.row_stride : m.column_stride), INT32_MAX);
}

status product_run(context *c, const product *p) {
  status code = product_check_sizes(c, p->name, p->out.rows, p->a.columns, p->out.columns);
  if (code == STATUS_OK) code = check_strides(c, p->name, p->out);
  if (code == STATUS_OK) code = check_strides(c, p->name, p->a);
  if (code == STATUS_OK) code = check_strides(c, p->name, p->b);
  if (code != STATUS_OK) return code;
  if (p->out.rows == 0 || p->out.columns == 0 || p->n_batch == 0) return STATUS_OK;

  work w = { .p = *p };
  w.p.a = matrix_normal(w.p.a);
  w.p.b = matrix_normal(w.p.b);
  make_normal(&w.p);
  w.path = choose(&w.p);
  if (w.path != PATH_OUTER && p->dtype == DTYPE_FLOAT32 && panels_suit(&w.p)) return panels_run(c, &w.p);
  cut(&w);
  int64_t n_tasks = w.n_row_blocks * w.n_column_blocks * p->n_batch;
  double task_work = (double)w.row_block * (double)w.column_block * (double)(p->a.columns + 1);
  if (w.path == PATH_OUTER) task_work *= (double)TASK_WORK / OUTER_ITEMS;
  int64_t grain = task_work >= TASK_WORK ? 1 : (int64_t)(TASK_WORK / task_work) + 1;
  if (w.path != PATH_BLAS) {
    parallel_for(c, n_tasks, grain, run_tasks, &w);
    return STATUS_OK;
  }
  blas_region region = blas_enter();
  parallel_for(c, n_tasks, grain, run_tasks, &w);
  blas_leave(region);
  return STATUS_OK;
}

/* -- tensors as matrices -- */

matrix matrix_of(const tensor *t) {
  int d = t->n_dims;
  matrix m = { tensor_data(t), t->shape[d - 2], t->shape[d - 1], t->stride[d - 2], t->stride[d - 1] };
  return matrix_normal(m);
}

tensor *tensor_plain(context *c, tensor *t) {
  return matrix_is_plain(matrix_of(t)) ? tensor_retain(t) : tensor_contiguous(c, t);
}
