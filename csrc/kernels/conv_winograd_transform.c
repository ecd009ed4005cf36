/* conv_winograd_transform.c -- see conv_winograd_transform.h.
**
** Each is two rounds of one-dimensional transforms, down the columns, then along the rows.  Vectors are 32 bytes, as
** AVX2 has them; wider ones gain nothing on a double-pumped AVX-512.  Without AVX2 nobody comes here (conv_winograd.c),
** so there are no clones. */
#include "conv_winograd_transform.h"

#include <stdbool.h>

#ifdef __x86_64__
#define WIDE __attribute__((target("avx2,fma")))
#else
#define WIDE
#endif
#define INLINE static inline __attribute__((always_inline))

typedef float vector __attribute__((vector_size(32)));
typedef float loose_vector __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(32)));
enum { LANES = 8, N = WINOGRAD_INPUT };

/* to[0], to[step] = A' (a b c d) */
INLINE void output_line(vector *to, ptrdiff_t step, const vector *a, const vector *b, const vector *c,
                        const vector *d) {
  to[0] = *a + *b + *c;
  to[step] = *b - *c - *d;
}

/* to[0], to[step] ... = B' (a b c d), on n floats each */
INLINE void input_lines(int64_t n, float *to, ptrdiff_t step, const float *a, const float *b, const float *c,
                        const float *d) {
  for (int64_t i = 0; i < n; i += LANES) {
    vector va = *(const loose_vector *)(a + i), vb = *(const loose_vector *)(b + i);
    vector vc = *(const loose_vector *)(c + i), vd = *(const loose_vector *)(d + i);
    *(loose_vector *)(to + i) = va - vc;
    *(loose_vector *)(to + step + i) = vb + vc;
    *(loose_vector *)(to + 2 * step + i) = vc - vb;
    *(loose_vector *)(to + 3 * step + i) = vb - vd;
  }
}

/* Down the columns into t[column][row][lane], along memory, so that the hardware sees what comes next; then along the
** rows.  Neighbouring tiles share two columns. */
WIDE void winograd_input(float *v, ptrdiff_t pitch, ptrdiff_t position, const winograd_run *run) {
  float t[WINOGRAD_RUN_FLOATS] __attribute__((aligned(64)));
  static const float nothing[WINOGRAD_RUN * WINOGRAD_LANES];
  const int64_t lanes = run->n_vectors * WINOGRAD_LANES, n_columns = 2 * run->n_tiles + 2;
  for (int64_t column = 0; column < n_columns; column++) {
    const float *d[N];
    bool there = column >= run->first && column < run->last;
    for (int i = 0; i < N; i++) d[i] = there && run->row[i] != NULL ? run->row[i] + column * run->pixel : nothing;
    input_lines(lanes, t + column * N * lanes, lanes, d[0], d[1], d[2], d[3]);
  }
  for (int64_t tile = 0; tile < run->n_tiles; tile++)
    for (int i = 0; i < N; i++) {
      const float *from = t + (2 * tile * N + i) * lanes;
      for (int64_t k = 0; k < run->n_vectors; k++, from += WINOGRAD_LANES)
        input_lines(WINOGRAD_LANES, v + (tile * run->n_vectors + k) * pitch + i * N * position, position, from,
                    from + N * lanes, from + 2 * N * lanes, from + 3 * N * lanes);
    }
}

/* to[0], to[step] ... = A (a b) */
INLINE void gradient_line(vector *to, ptrdiff_t step, const vector *a, const vector *b) {
  to[0] = *a;
  to[step] = *a + *b;
  to[2 * step] = *a - *b;
  to[3 * step] = -*b;
}

WIDE void winograd_gradient(int64_t n, float *w, ptrdiff_t position, const float *dy, ptrdiff_t row,
                            ptrdiff_t pixel) {
  for (int64_t lane = 0; lane < n * WINOGRAD_LANES; lane += LANES) {
    vector s[N * WINOGRAD_OUTPUT], line[N];
#pragma GCC unroll 2
    for (int j = 0; j < WINOGRAD_OUTPUT; j++) {
      vector above = *(const loose_vector *)(dy + j * pixel + lane);
      vector below = *(const loose_vector *)(dy + row + j * pixel + lane);
      gradient_line(s + j, WINOGRAD_OUTPUT, &above, &below);
    }
#pragma GCC unroll 4
    for (int i = 0; i < N; i++) {
      gradient_line(line, 1, &s[2 * i], &s[2 * i + 1]);
#pragma GCC unroll 4
      for (int j = 0; j < N; j++) *(loose_vector *)(w + (i * N + j) * position + lane) = line[j];
    }
  }
}

INLINE void finish(float *y, const vector *v, float bias, float floor) {
  vector result = *v + bias;
  mask below = (mask)(result < floor);
  *(loose_vector *)y = (vector)(((mask)result & ~below) | ((mask)(floor - (vector){ 0 }) & below));
}

WIDE void winograd_output(int64_t n, float *y, winograd_strides at, int64_t rows, int64_t columns, const float *m,
                          ptrdiff_t m_item, ptrdiff_t m_position, const float *bias, float floor) {
  for (int64_t item = 0; item < n; item++, y += at.item, m += m_item) {
    float start = bias != NULL ? bias[item] : 0.0f;
    const int n_rows = rows > 1 ? 2 : 1;
    for (int lane = 0; lane < WINOGRAD_LANES; lane += LANES) {
      vector s[2 * N], pair[2];
#pragma GCC unroll 1
      for (int j = 0; j < N; j++) {
        const float *column = m + j * m_position + lane;
        vector a = *(const loose_vector *)column, b = *(const loose_vector *)(column + N * m_position);
        vector c = *(const loose_vector *)(column + 2 * N * m_position);
        vector d = *(const loose_vector *)(column + 3 * N * m_position);
        output_line(s + j, N, &a, &b, &c, &d);
      }
#pragma GCC unroll 1
      for (int i = 0; i < n_rows; i++) {
        output_line(pair, 1, &s[i * N], &s[i * N + 1], &s[i * N + 2], &s[i * N + 3]);
        finish(y + i * at.row + lane, &pair[0], start, floor);
        if (columns > 1) finish(y + i * at.row + at.pixel + lane, &pair[1], start, floor);
      }
    }
  }
}

/* -- filters -- */

/* to[0], to[step] ... = G (a b c) */
INLINE void filter_line(vector *to, ptrdiff_t step, const vector *a, const vector *b, const vector *c) {
  vector ends = 0.5f * (*a + *c), middle = 0.5f * *b;
  to[0] = *a;
  to[step] = ends + middle;
  to[2 * step] = ends - middle;
  to[3 * step] = *c;
}

WIDE void winograd_filter(float *u, ptrdiff_t position, const float *g) {
  for (int lane = 0; lane < WINOGRAD_LANES; lane += LANES) {
    vector t[N * WINOGRAD_FILTER], line[N];
#pragma GCC unroll 1
    for (int j = 0; j < WINOGRAD_FILTER; j++) {
      const float *tap = g + j * WINOGRAD_LANES + lane;
      enum { ROW = WINOGRAD_FILTER * WINOGRAD_LANES };
      filter_line(t + j, WINOGRAD_FILTER, (const vector *)(const void *)tap, (const vector *)(const void *)(tap + ROW),
                  (const vector *)(const void *)(tap + 2 * ROW));
    }
#pragma GCC unroll 1
    for (int i = 0; i < N; i++) {
      const vector *row = t + i * WINOGRAD_FILTER;
      filter_line(line, 1, &row[0], &row[1], &row[2]);
      for (int j = 0; j < N; j++) *(loose_vector *)(u + (i * N + j) * position + lane) = line[j];
    }
  }
}

/* to[0], to[step], to[2 step] = G' (a b c d) */
INLINE void filter_gradient_line(vector *to, ptrdiff_t step, const vector *a, const vector *b, const vector *c,
                                 const vector *d) {
  vector sum = 0.5f * (*b + *c);
  to[0] = *a + sum;
  to[step] = 0.5f * (*b - *c);
  to[2 * step] = sum + *d;
}

WIDE void winograd_filter_gradient(float *dg, const float *du) {
  for (int lane = 0; lane < WINOGRAD_LANES; lane += LANES) {
    vector t[N * WINOGRAD_FILTER], line[WINOGRAD_FILTER];
#pragma GCC unroll 1
    for (int j = 0; j < N; j++) {
      const float *column = du + j * WINOGRAD_LANES + lane;
      vector a = *(const loose_vector *)column, b = *(const loose_vector *)(column + N * WINOGRAD_LANES);
      vector c = *(const loose_vector *)(column + 2 * N * WINOGRAD_LANES);
      vector d = *(const loose_vector *)(column + 3 * N * WINOGRAD_LANES);
      filter_gradient_line(t + j, N, &a, &b, &c, &d);
    }
#pragma GCC unroll 1
    for (int i = 0; i < WINOGRAD_FILTER; i++) {
      filter_gradient_line(line, 1, &t[i * N], &t[i * N + 1], &t[i * N + 2], &t[i * N + 3]);
      for (int j = 0; j < WINOGRAD_FILTER; j++)
        *(loose_vector *)(dg + (i * WINOGRAD_FILTER + j) * WINOGRAD_LANES + lane) = line[j];
    }
  }
}
