/* project.c -- coordinates of rows along a basis: z = (x - mean) basis'.
**
** float32: PANEL rows of x - mean at a time are laid out as a panel (panel.h) against the basis, laid out once; both
** are cut into DEPTH features.  The mean is subtracted before the product, so that a large one costs no digits.
** float64: blocks of ROWS rows by DEPTH features, multiplied by BLAS. */
#include "../kernels/blas.h"
#include "../kernels/matmul_tile.h"
#include "../kernels/panel.h"
#include "../tensor/integers.h"
#include "../tensor/parallel.h"
#include "decomposition.h"

enum { DEPTH = 256, ROWS = 64 };

typedef struct projection {
  const rows *x;
  const void *mean;       /* (d) of z's dtype */
  const float *panels;    /* float32: the basis, (panels of k, d, PANEL) */
  const double *basis;    /* float64: (k, d) */
  int64_t k;
  void *z;                /* (n, k) */
} projection;

static int64_t panels_of(int64_t k) { return (k + PANEL - 1) / PANEL; }

/* -- float32 -- */

/* panel (depth, PANEL) = features feature .. of rows first .. of x - mean. */
static void lay_rows(const projection *p, int64_t first, int64_t n, int64_t feature, int64_t depth, float *panel) {
  float c[PANEL * DEPTH] __attribute__((aligned(64)));
  centred(p->x, p->mean, first, n, feature, depth, c, DEPTH);
  tile_pack(panel, PANEL, c, depth, n, 1, DEPTH);
}

CLONES static void put(float *restrict z, const float *restrict sums, int64_t n, bool add) {
  for (int64_t i = 0; i < n; i++) z[i] = add ? z[i] + sums[i] : sums[i];
}

static void multiply_rows(const projection *p, int64_t first, int64_t n, int64_t feature, int64_t depth,
                          const float *panel) {
  float sums[PANEL * PANEL_WIDTH] __attribute__((aligned(64)));
  int64_t pitch = p->x->d * PANEL, n_panels = panels_of(p->k);
  for (int64_t q = 0; q < n_panels; q += PANEL_GROUP) {
    int64_t width = least(p->k - q * PANEL, PANEL_WIDTH);
    panel_multiply(sums, n, depth, panel, p->panels + q * pitch + feature * PANEL, pitch,
                   least(n_panels - q, PANEL_GROUP));
    for (int64_t i = 0; i < n; i++)
      put((float *)p->z + (first + i) * p->k + q * PANEL, sums + i * PANEL_WIDTH, width, feature > 0);
  }
}

static void project_narrow(void *argument, int64_t begin, int64_t end) {
  const projection *p = argument;
  float panel[PANEL * DEPTH] __attribute__((aligned(64)));
  for (int64_t first = begin; first < end; first += PANEL)
    for (int64_t feature = 0; feature < p->x->d; feature += DEPTH) {
      int64_t n = least(end - first, PANEL), depth = least(p->x->d - feature, DEPTH);
      lay_rows(p, first, n, feature, depth, panel);
      multiply_rows(p, first, n, feature, depth, panel);
    }
}

static status run_narrow(context *c, projection *p, const float *basis) {
  int64_t d = p->x->d, n_panels = panels_of(p->k);
  size_t n_bytes = (size_t)(n_panels * d * PANEL) * sizeof(float);
  float *panels = context_get(c, n_bytes);
  if (panels == NULL) return STATUS_NO_MEMORY;
  for (int64_t q = 0; q < n_panels; q++)
    tile_pack(panels + q * d * PANEL, PANEL, basis + q * PANEL * d, d, least(p->k - q * PANEL, PANEL), 1, d);
  p->panels = panels;
  parallel_for(c, p->x->n, ROWS, project_narrow, p);
  context_put(c, panels, n_bytes);
  return STATUS_OK;
}

/* -- float64 -- */

static void project_wide(void *argument, int64_t begin, int64_t end) {
  const projection *p = argument;
  double c[ROWS * DEPTH];
  int64_t n = end - begin, d = p->x->d;
  matrix z = { (double *)p->z + begin * p->k, n, p->k, p->k, 1 };
  for (int64_t feature = 0; feature < d; feature += DEPTH) {
    int64_t depth = least(d - feature, DEPTH);
    centred(p->x, p->mean, begin, n, feature, depth, c, depth);
    matrix a = { c, n, depth, depth, 1 }, basis = { (void *)(uintptr_t)(p->basis + feature), p->k, depth, d, 1 };
    blas_product(DTYPE_FLOAT64, z, matrix_normal(a), matrix_normal(matrix_transposed(basis)), 1.0, feature > 0);
  }
}

status project(context *c, const rows *x, const void *mean, const void *basis, int64_t k, dtype d, void *out) {
  projection p = { .x = x, .mean = mean, .k = k, .z = out };
  if (d == DTYPE_FLOAT32) return run_narrow(c, &p, basis);
  p.basis = basis;
  blas_region region = blas_enter();
  parallel_for(c, x->n, ROWS, project_wide, &p);
  blas_leave(region);
  return STATUS_OK;
}
