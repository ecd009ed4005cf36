/* expansion.c -- see expansion.h.  Vectors are 32 bytes on every machine: wider ones fall apart in the AVX2 clone. */
#include "expansion.h"

#include <string.h>

#include "../tensor/parallel.h"

enum { LANES = 8 };

typedef float lanes __attribute__((vector_size(32)));

#define INLINE static inline __attribute__((always_inline))

INLINE float sum_lanes(const lanes *v) {
  float x[LANES];
  memcpy(x, v, sizeof x);
  return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

CLONES void expansion_gather(const sources *from, float center_x, float center_y, float terms[TERMS]) {
  lanes sum[TERMS] = { 0 };
  for (int k = 0; k < from->count; k += LANES) {
    lanes sx, sy, w, xx, xy, yy;
    memcpy(&sx, from->x + k, sizeof sx);
    memcpy(&sy, from->y + k, sizeof sy);
    memcpy(&w, from->weight + k, sizeof w);
    memcpy(&xx, from->xx + k, sizeof xx);
    memcpy(&xy, from->xy + k, sizeof xy);
    memcpy(&yy, from->yy + k, sizeof yy);
    lanes x = center_x - sx, y = center_y - sy, q = 1.0f / (1.0f + x * x + y * y);
    lanes a = q * x, b = q * y, aa = a * a, bb = b * b;
    lanes c20 = q * (4.0f * aa - q), c11 = 8.0f * q * a * b, c02 = q * (4.0f * bb - q);
    lanes qa = 4.0f * q * a, qb = 4.0f * q * b;
    lanes c30 = qa * (q - 2.0f * aa), c21 = qb * (q - 6.0f * aa);
    lanes c12 = qa * (q - 6.0f * bb), c03 = qb * (q - 2.0f * bb);
    sum[0] += w * q + c20 * xx + c11 * xy + c02 * yy;
    sum[1] += 3.0f * c30 * xx + 2.0f * c21 * xy + c12 * yy - 0.5f * w * qa;
    sum[2] += c21 * xx + 2.0f * c12 * xy + 3.0f * c03 * yy - 0.5f * w * qb;
    sum[3] += w * c20;
    sum[4] += w * c11;
    sum[5] += w * c02;
    sum[6] += w * c30;
    sum[7] += w * c21;
    sum[8] += w * c12;
    sum[9] += w * c03;
  }
  for (int i = 0; i < TERMS; i++) terms[i] += sum_lanes(&sum[i]);
}

CLONES void expansion_evaluate(const float terms[TERMS], float center_x, float center_y, const float *x, const float *y,
                               felt *to) {
  const float *c = terms;
  for (int i = 0; i < BUCKET; i++) {
    float u = x[i] - center_x, v = y[i] - center_y;
    float slope_x = c[1] + (2 * c[3] + 3 * c[6] * u + 2 * c[7] * v) * u + (c[4] + c[8] * v) * v;
    float slope_y = c[2] + (2 * c[5] + 3 * c[9] * v + 2 * c[8] * u) * v + (c[4] + c[7] * u) * u;
    to->q[i] += c[0] + (c[1] + (c[3] + c[6] * u + c[7] * v) * u) * u +
                (c[2] + c[4] * u + (c[5] + c[8] * u + c[9] * v) * v) * v;
    to->x[i] -= 0.5f * slope_x;
    to->y[i] -= 0.5f * slope_y;
  }
}

/* A bucket is two vectors.  One division serves both: 1 / s = t / (s t), 1 / t = s / (s t).  A product of two squared
** distances that overflows makes both q zero. */
typedef struct halves {
  lanes x[2], y[2], force_x[2], force_y[2], q[2];
} halves;

/* Vector by vector: a copy of both at once would wait for the stores of the halves. */
INLINE void load(lanes to[2], const float *from) {
  memcpy(&to[0], from, sizeof to[0]);
  memcpy(&to[1], from + LANES, sizeof to[1]);
}

INLINE void store(float *to, const lanes from[2]) {
  memcpy(to, &from[0], sizeof from[0]);
  memcpy(to + LANES, &from[1], sizeof from[1]);
}

INLINE void load_halves(halves *h, const float *x, const float *y, const felt *from) {
  load(h->x, x);
  load(h->y, y);
  load(h->force_x, from->x);
  load(h->force_y, from->y);
  load(h->q, from->q);
}

INLINE void store_halves(const halves *h, felt *to) {
  store(to->x, h->force_x);
  store(to->y, h->force_y);
  store(to->q, h->q);
}

INLINE void meet(halves *h, float x, float y, float weight) {
  lanes dx0 = h->x[0] - x, dy0 = h->y[0] - y, dx1 = h->x[1] - x, dy1 = h->y[1] - y;
  lanes s = 1.0f + dx0 * dx0 + dy0 * dy0, t = 1.0f + dx1 * dx1 + dy1 * dy1, both = 1.0f / (s * t);
  lanes q0 = t * both, q1 = s * both, wq0 = weight * q0, wq1 = weight * q1;
  h->q[0] += wq0;
  h->q[1] += wq1;
  wq0 *= q0;
  wq1 *= q1;
  h->force_x[0] += wq0 * dx0;
  h->force_x[1] += wq1 * dx1;
  h->force_y[0] += wq0 * dy0;
  h->force_y[1] += wq1 * dy1;
}

CLONES void expansion_meet_points(const sources *from, const float *x, const float *y, felt *to) {
  halves h;
  load_halves(&h, x, y, to);
  for (int k = 0; k < from->count; k++) meet(&h, from->x[k], from->y[k], 1.0f);
  store_halves(&h, to);
}

CLONES void expansion_meet_means(const sources *from, const float *x, const float *y, felt *to) {
  halves h;
  load_halves(&h, x, y, to);
  for (int k = 0; k < from->count; k++) meet(&h, from->x[k], from->y[k], from->weight[k]);
  store_halves(&h, to);
}
