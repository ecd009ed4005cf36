/* lapack.c -- see lapack.h.
** gfortran passes the length of each character argument as a hidden size_t at the end. */
#include "lapack.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "blas.h"

void spotrf_(const char *, const int *, float *, const int *, int *, size_t);
void dpotrf_(const char *, const int *, double *, const int *, int *, size_t);
void strtri_(const char *, const char *, const int *, float *, const int *, int *, size_t, size_t);
void dtrtri_(const char *, const char *, const int *, double *, const int *, int *, size_t, size_t);
void sgetrf_(const int *, const int *, float *, const int *, int *, int *);
void dgetrf_(const int *, const int *, double *, const int *, int *, int *);
void sgetri_(const int *, float *, const int *, const int *, float *, const int *, int *);
void dgetri_(const int *, double *, const int *, const int *, double *, const int *, int *);
void sgetrs_(const char *, const int *, const int *, const float *, const int *, const int *, float *, const int *,
             int *, size_t);
void dgetrs_(const char *, const int *, const int *, const double *, const int *, const int *, double *,
             const int *, int *, size_t);
void sgelqf_(const int *, const int *, float *, const int *, float *, float *, const int *, int *);
void dgelqf_(const int *, const int *, double *, const int *, double *, double *, const int *, int *);
void sorglq_(const int *, const int *, const int *, float *, const int *, const float *, float *, const int *,
             int *);
void dorglq_(const int *, const int *, const int *, double *, const int *, const double *, double *, const int *,
             int *);
void ssyevd_(const char *, const char *, const int *, float *, const int *, float *, float *, const int *, int *,
             const int *, int *, size_t, size_t);
void dsyevd_(const char *, const char *, const int *, double *, const int *, double *, double *, const int *, int *,
             const int *, int *, size_t, size_t);
void dsytrd_(const char *, const int *, double *, const int *, double *, double *, double *, double *, const int *,
             int *, size_t);
void dstemr_(const char *, const char *, const int *, double *, double *, const double *, const double *, const int *,
             const int *, int *, double *, double *, const int *, const int *, int *, int *, double *, const int *,
             int *, const int *, int *, size_t, size_t);
void dormtr_(const char *, const char *, const char *, const int *, const int *, const double *, const int *,
             const double *, double *, const int *, double *, const int *, int *, size_t, size_t, size_t);
void sgesdd_(const char *, const int *, const int *, float *, const int *, float *, float *, const int *, float *,
             const int *, float *, const int *, int *, int *, size_t);
void dgesdd_(const char *, const int *, const int *, double *, const int *, double *, double *, const int *,
             double *, const int *, double *, const int *, int *, int *, size_t);
void sgelsd_(const int *, const int *, const int *, float *, const int *, float *, const int *, float *,
             const float *, int *, float *, const int *, int *, int *);
void dgelsd_(const int *, const int *, const int *, double *, const int *, double *, const int *, double *,
             const double *, int *, double *, const int *, int *, int *);

static bool is_narrow(dtype d) { return d == DTYPE_FLOAT32; }
static int at_least_1(int n) { return n > 1 ? n : 1; }
static int smaller(int a, int b) { return a < b ? a : b; }

/* -- workspace: a routine that is asked with length -1 answers in work[0] (and the integer one) -- */

typedef struct workspace {
  context *context;
  dtype dtype;
  double answer_64;      /* where the query writes: as float or as double */
  float answer_32;
  int integer_answer;
  void *work;
  int *integers;
  int n_work, n_integers;
} workspace;

static void *query(workspace *w) { return is_narrow(w->dtype) ? (void *)&w->answer_32 : (void *)&w->answer_64; }

static size_t work_bytes(const workspace *w) { return (size_t)at_least_1(w->n_work) * dtype_size(w->dtype); }
static size_t integer_bytes(const workspace *w) { return (size_t)at_least_1(w->n_integers) * sizeof(int); }

/* Takes what the query has asked for, plus what float32 may have rounded away. */
static int take(workspace *w, int64_t n_integers) {
  double asked = is_narrow(w->dtype) ? (double)w->answer_32 * 1.0000003 + 1.0 : w->answer_64;
  if (!(asked <= INT32_MAX) || n_integers > INT32_MAX) return LAPACK_TOO_LARGE;
  w->n_work = (int)asked;
  w->n_integers = (int)n_integers;
  w->work = context_get(w->context, work_bytes(w));
  w->integers = context_get(w->context, integer_bytes(w));
  return w->work != NULL && w->integers != NULL ? 0 : LAPACK_NO_MEMORY;
}

static void give_back(workspace *w) {
  if (w->work != NULL) context_put(w->context, w->work, work_bytes(w));
  if (w->integers != NULL) context_put(w->context, w->integers, integer_bytes(w));
}

/* -- without workspace -- */

int lapack_potrf(dtype d, int n, void *a) {
  int info, lead = at_least_1(n);
  if (is_narrow(d)) spotrf_("U", &n, a, &lead, &info, 1);
  else dpotrf_("U", &n, a, &lead, &info, 1);
  return info;
}

int lapack_trtri(dtype d, int n, void *a) {
  int info, lead = at_least_1(n);
  if (is_narrow(d)) strtri_("U", "N", &n, a, &lead, &info, 1, 1);
  else dtrtri_("U", "N", &n, a, &lead, &info, 1, 1);
  return info;
}

int lapack_getrf(dtype d, int n, void *a, int *pivot) {
  int info, lead = at_least_1(n);
  if (is_narrow(d)) sgetrf_(&n, &n, a, &lead, pivot, &info);
  else dgetrf_(&n, &n, a, &lead, pivot, &info);
  return info;
}

int lapack_getrs(dtype d, bool transposed, int n, int n_right, void *a, int *pivot, void *b) {
  int info, lead = at_least_1(n);
  const char *which = transposed ? "T" : "N";
  if (is_narrow(d)) sgetrs_(which, &n, &n_right, a, &lead, pivot, b, &lead, &info, 1);
  else dgetrs_(which, &n, &n_right, a, &lead, pivot, b, &lead, &info, 1);
  return info;
}

/* -- with workspace: run once to ask, once to do -- */

static void getri(const workspace *w, int n, void *a, const int *pivot, void *work, int n_work, int *info) {
  int lead = at_least_1(n);
  if (is_narrow(w->dtype)) sgetri_(&n, a, &lead, pivot, work, &n_work, info);
  else dgetri_(&n, a, &lead, pivot, work, &n_work, info);
}

int lapack_getri(context *c, dtype d, int n, void *a, int *pivot) {
  workspace w = { .context = c, .dtype = d };
  int info;
  getri(&w, n, a, pivot, query(&w), -1, &info);
  if (info == 0) info = take(&w, 0);
  if (info == 0) getri(&w, n, a, pivot, w.work, w.n_work, &info);
  give_back(&w);
  return info;
}

static void gelqf(const workspace *w, int m, int n, void *a, void *tau, void *work, int n_work, int *info) {
  int lead = at_least_1(m);
  if (is_narrow(w->dtype)) sgelqf_(&m, &n, a, &lead, tau, work, &n_work, info);
  else dgelqf_(&m, &n, a, &lead, tau, work, &n_work, info);
}

int lapack_gelqf(context *c, dtype d, int m, int n, void *a, void *tau) {
  workspace w = { .context = c, .dtype = d };
  int info;
  gelqf(&w, m, n, a, tau, query(&w), -1, &info);
  if (info == 0) info = take(&w, 0);
  if (info == 0) gelqf(&w, m, n, a, tau, w.work, w.n_work, &info);
  give_back(&w);
  return info;
}

enum { GELQF_BLOCK = 64 };   /* rows that it may reduce at once */

int64_t lapack_gelqf_work(int64_t m) { return (GELQF_BLOCK + 1) * m; }

int lapack_gelqf_in(dtype d, int m, int n, void *a, void *work, int n_work) {
  workspace w = { .dtype = d };
  int info;
  gelqf(&w, m, n, a, work, (char *)work + (size_t)m * dtype_size(d), n_work - m, &info);
  return info;
}

static void orglq(const workspace *w, int m, int n, int k, void *a, void *tau, void *work, int n_work, int *info) {
  int lead = at_least_1(m);
  if (is_narrow(w->dtype)) sorglq_(&m, &n, &k, a, &lead, tau, work, &n_work, info);
  else dorglq_(&m, &n, &k, a, &lead, tau, work, &n_work, info);
}

int lapack_orglq(context *c, dtype d, int m, int n, int k, void *a, void *tau) {
  workspace w = { .context = c, .dtype = d };
  int info;
  orglq(&w, m, n, k, a, tau, query(&w), -1, &info);
  if (info == 0) info = take(&w, 0);
  if (info == 0) orglq(&w, m, n, k, a, tau, w.work, w.n_work, &info);
  give_back(&w);
  return info;
}

static void syevd(const workspace *w, bool vectors, int n, void *a, void *values, void *work, int n_work,
                  int *integers, int n_integers, int *info) {
  int lead = at_least_1(n);
  const char *job = vectors ? "V" : "N";
  if (is_narrow(w->dtype))
    ssyevd_(job, "U", &n, a, &lead, values, work, &n_work, integers, &n_integers, info, 1, 1);
  else
    dsyevd_(job, "U", &n, a, &lead, values, work, &n_work, integers, &n_integers, info, 1, 1);
}

int lapack_syevd(context *c, dtype d, bool vectors, int n, void *a, void *values) {
  workspace w = { .context = c, .dtype = d };
  int info;
  syevd(&w, vectors, n, a, values, query(&w), -1, &w.integer_answer, -1, &info);
  if (info == 0) info = take(&w, w.integer_answer);
  if (info == 0) syevd(&w, vectors, n, a, values, w.work, w.n_work, w.integers, w.n_integers, &info);
  give_back(&w);
  return info;
}

/* Of the tridiagonal matrix with that diagonal and subdiagonal (both destroyed). */
static int tridiagonal_largest(context *c, int n, int k, double *diagonal, double *below, double *w, double *z) {
  int first = n - k + 1, n_work = 18 * n, n_integers = 10 * n, found = 0, try_accurate = 1, info;
  double none = 0.0;
  size_t work_bytes = (size_t)n_work * sizeof(double), integer_bytes = (size_t)(n_integers + 2 * k) * sizeof(int);
  size_t values_bytes = (size_t)n * sizeof(double);
  char *memory = context_get(c, work_bytes + values_bytes + integer_bytes);
  if (memory == NULL) return LAPACK_NO_MEMORY;
  double *work = (double *)(void *)memory, *values = work + n_work;
  int *integers = (int *)(void *)(values + n), *support = integers + n_integers;
  dstemr_("V", "I", &n, diagonal, below, &none, &none, &first, &n, &found, values, z, &n, &k, support, &try_accurate,
          work, &n_work, integers, &n_integers, &info, 1, 1);
  memcpy(w, values, (size_t)k * sizeof *w);
  context_put(c, memory, work_bytes + values_bytes + integer_bytes);
  return info == 0 && found != k ? 1 : info;
}

int lapack_syev_largest(context *c, int n, int k, double *a, double *w, double *z) {
  enum { BLOCK = 64 };   /* columns that sytrd and ormtr reduce at once: their workspace for the best speed */
  int n_work = BLOCK * (n + BLOCK), info;
  size_t n_bytes = (size_t)(n_work + 3 * n) * sizeof(double);
  double *work = context_get(c, n_bytes);
  if (work == NULL) return LAPACK_NO_MEMORY;
  double *diagonal = work + n_work, *below = diagonal + n, *tau = below + n;
  dsytrd_("L", &n, a, &n, diagonal, below, tau, work, &n_work, &info, 1);
  if (info == 0) info = tridiagonal_largest(c, n, k, diagonal, below, w, z);
  if (info == 0) dormtr_("L", "L", "N", &n, &k, a, &n, tau, z, &n, work, &n_work, &info, 1, 1, 1);
  context_put(c, work, n_bytes);
  return info;
}

typedef struct svd_arguments {
  char job;
  int m, n;
  void *a, *s, *u, *vt;
} svd_arguments;

static void gesdd(const workspace *w, const svd_arguments *p, void *work, int n_work, int *integers, int *info) {
  int lead = at_least_1(p->m), lead_u = at_least_1(p->m);
  int lead_vt = at_least_1(p->job == 'A' ? p->n : smaller(p->m, p->n));
  if (is_narrow(w->dtype))
    sgesdd_(&p->job, &p->m, &p->n, p->a, &lead, p->s, p->u, &lead_u, p->vt, &lead_vt, work, &n_work, integers, info,
            1);
  else
    dgesdd_(&p->job, &p->m, &p->n, p->a, &lead, p->s, p->u, &lead_u, p->vt, &lead_vt, work, &n_work, integers, info,
            1);
}

int lapack_gesdd(context *c, dtype d, char job, int m, int n, void *a, void *s, void *u, void *vt) {
  workspace w = { .context = c, .dtype = d };
  svd_arguments p = { job, m, n, a, s, u, vt };
  int info;
  gesdd(&w, &p, query(&w), -1, &w.integer_answer, &info);
  if (info == 0) info = take(&w, 8 * (int64_t)smaller(m, n));
  if (info == 0) gesdd(&w, &p, w.work, w.n_work, w.integers, &info);
  give_back(&w);
  return info;
}

static void gelsd(const workspace *w, const svd_arguments *p, int n_right, double rcond, void *b, void *work,
                  int n_work, int *integers, int *info) {
  int lead = at_least_1(p->m), lead_b = at_least_1(p->m > p->n ? p->m : p->n), rank;
  float narrow_rcond = (float)rcond;
  if (is_narrow(w->dtype))
    sgelsd_(&p->m, &p->n, &n_right, p->a, &lead, b, &lead_b, p->s, &narrow_rcond, &rank, work, &n_work, integers,
            info);
  else
    dgelsd_(&p->m, &p->n, &n_right, p->a, &lead, b, &lead_b, p->s, &rcond, &rank, work, &n_work, integers, info);
}

int lapack_gelsd(context *c, dtype d, int m, int n, int n_right, void *a, void *b, double rcond) {
  workspace w = { .context = c, .dtype = d };
  size_t s_bytes = (size_t)at_least_1(smaller(m, n)) * dtype_size(d);
  svd_arguments p = { 'N', m, n, a, context_get(c, s_bytes), NULL, NULL };
  if (p.s == NULL) return LAPACK_NO_MEMORY;
  int info;
  gelsd(&w, &p, n_right, rcond, b, query(&w), -1, &w.integer_answer, &info);
  if (info == 0) info = take(&w, w.integer_answer);
  if (info == 0) gelsd(&w, &p, n_right, rcond, b, w.work, w.n_work, w.integers, &info);
  give_back(&w);
  context_put(c, p.s, s_bytes);
  return info;
}

/* -- for the operations -- */

status lapack_require_finite(op_call *call, int i) {
  tensor *t = tensor_contiguous(call->context, call->inputs[i]);
  if (t == NULL) return STATUS_NO_MEMORY;
  int64_t n = tensor_numel(t);
  bool finite = true;
  if (t->dtype == DTYPE_FLOAT32)
    for (int64_t k = 0; k < n && finite; k++) finite = isfinite(tensor_float32(t)[k]);
  else
    for (int64_t k = 0; k < n && finite; k++) finite = isfinite(tensor_float64(t)[k]);
  tensor_release(t);
  return finite ? STATUS_OK : op_fail(call, "%s contains NaN or infinity", op_input_name(call, i));
}

status lapack_require(op_call *call, int i, bool square) {
  status code = op_require_float(call);
  if (code != STATUS_OK) return code;
  const tensor *t = call->inputs[i];
  const char *name = op_input_name(call, i);
  if (t->n_dims < 2)
    return op_fail(call, "%s must have at least 2 dims, but is %s", name, tensor_shape_text(t).text);
  int64_t rows = t->shape[t->n_dims - 2], columns = t->shape[t->n_dims - 1];
  if (square && rows != columns)
    return op_fail(call, "%s must be square in its last two dims, but is %s", name, tensor_shape_text(t).text);
  if (!blas_fits(rows) || !blas_fits(columns))
    return op_fail(call, "%s is %s, more than LAPACK can take (%d rows or columns)", name,
                   tensor_shape_text(t).text, INT32_MAX);
  return lapack_require_finite(call, i);
}

int64_t lapack_batch(const tensor *t) {
  int64_t n = 1;
  for (int d = 0; d < t->n_dims - 2; d++) n *= t->shape[d];
  return n;
}

void *lapack_member(const tensor *t, int64_t i, int64_t n_items) {
  return (char *)tensor_data(t) + (size_t)(i * n_items) * dtype_size(t->dtype);
}

static tensor *fresh_copy(context *c, const tensor *t) {
  tensor *copy = tensor_new(c, t->dtype, t->n_dims, t->shape);
  if (copy == NULL || tensor_copy(c, copy, t) == STATUS_OK) return copy;
  tensor_release(copy);
  return NULL;
}

tensor *lapack_copy(context *c, tensor *t) { return fresh_copy(c, t); }

tensor *lapack_copy_transposed(context *c, tensor *t) {
  tensor view = *t;   /* looked at only while the copy is made */
  int d = t->n_dims;
  view.shape[d - 2] = t->shape[d - 1], view.shape[d - 1] = t->shape[d - 2];
  view.stride[d - 2] = t->stride[d - 1], view.stride[d - 1] = t->stride[d - 2];
  return fresh_copy(c, &view);
}

tensor *lapack_copy_symmetric(context *c, tensor *t) {
  tensor *copy = lapack_copy(c, t);
  if (copy == NULL) return NULL;
  int64_t n = t->shape[t->n_dims - 1], n_batch = lapack_batch(t);
  for (int64_t m = 0; m < n_batch; m++) {
    void *a = lapack_member(copy, m, n * n);
    float *narrow = a;
    double *wide = a;
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < i; j++) {
        int64_t low = i * n + j, high = j * n + i;
        if (is_narrow(t->dtype)) narrow[low] = narrow[high] = 0.5f * narrow[low] + 0.5f * narrow[high];
        else wide[low] = wide[high] = 0.5 * wide[low] + 0.5 * wide[high];
      }
  }
  return copy;
}

void lapack_negate(dtype d, void *items, int64_t n, int64_t stride) {
  float *narrow = items;
  double *wide = items;
  for (int64_t i = 0; i < n * stride; i += stride) {
    if (is_narrow(d)) narrow[i] = -narrow[i];
    else wide[i] = -wide[i];
  }
}

bool lapack_fix_sign(dtype d, void *items, int64_t n, int64_t stride) {
  const float *narrow = items;
  const double *wide = items;
  double largest = 0.0;
  for (int64_t i = 0; i < n * stride; i += stride) {
    double item = is_narrow(d) ? (double)narrow[i] : wide[i];
    if (fabs(item) > fabs(largest)) largest = item;
  }
  if (largest < 0.0) lapack_negate(d, items, n, stride);
  return largest < 0.0;
}

bool lapack_is_zero(const tensor *t) {
  int64_t n = tensor_numel(t);
  for (int64_t i = 0; i < n; i++)
    if (tensor_float64(t)[i] != 0.0) return false;
  return true;
}

status lapack_failed(op_call *call, int info, int64_t i, int64_t n_batch, const char *problem) {
  if (info == LAPACK_NO_MEMORY) return STATUS_NO_MEMORY;
  if (info == LAPACK_TOO_LARGE) return op_fail(call, "the matrices are too large for LAPACK's 32-bit sizes");
  if (info < 0) return op_fail(call, "LAPACK refused its argument %d", -info);
  char where[64] = "", number[16];
  if (n_batch > 1) snprintf(where, sizeof where, " (matrix %lld of %lld)", (long long)(i + 1), (long long)n_batch);
  snprintf(number, sizeof number, "%d", info);
  const char *mark = strstr(problem, "%d");
  if (mark == NULL) return op_fail(call, "%s%s", problem, where);
  return op_fail(call, "%.*s%s%s%s", (int)(mark - problem), problem, number, mark + 2, where);
}

status lapack_refuse_gradient(op_call *call) {
  for (int i = 0; i < call->n_inputs; i++)
    if (call->context->grad_enabled && call->inputs[i]->requires_grad)
      return op_fail(call, "has no gradient; call it under no_grad or with %s:detach()", op_input_name(call, i));
  return STATUS_OK;
}
