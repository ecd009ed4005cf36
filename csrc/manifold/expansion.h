/* expansion.h -- what the points of one bucket feel: near points one by one, far cells by a series.
**
** The kernel is q(d) = 1 / (1 + |d|^2), d = target - source.  The force that is wanted, sum of q^2 d, is -1/2 of the
** gradient of phi = sum of q; so one scalar field gives both the force and the sum of all q.
** With a = q d_x, b = q d_y, the terms of q's Taylor series about d, coefficients of u^i v^j, are
**
**   1    q              u^2  q (4 a^2 - q)     u^3    4 q a (q - 2 a^2)
**   u    -2 q a         u v  8 q a b           u^2 v  4 q b (q - 6 a^2)
**   v    -2 q b         v^2  q (4 b^2 - q)     u v^2  4 q a (q - 6 b^2)
**                                              v^3    4 q b (q - 2 b^2)
**
** They are summed over all far cells about the bucket's center, then evaluated at its points.  The spread of the points
** of a source about their mean enters by its second moments in those terms that leave the whole at third order in both
** spreads together: phi gets c20 xx + c11 xy + c02 yy, its first derivatives get the derivatives of that.
**
** All are leaves for parallel bodies; they cannot fail. */
#ifndef PERILUNE_EXPANSION_H
#define PERILUNE_EXPANSION_H

#include "cells.h"

enum { SOURCES = 256, TERMS = 10 };

/* Cells laid out for the vector loops.  `count` is filled up to a multiple of 8 with cells of no weight. */
typedef struct sources {
  int count;
  float x[SOURCES], y[SOURCES], weight[SOURCES], xx[SOURCES], xy[SOURCES], yy[SOURCES];
} sources;

/* What the points of a bucket have felt so far. */
typedef struct felt {
  float x[BUCKET], y[BUCKET];     /* the force: sum of w q^2 d */
  float q[BUCKET];                /* phi: sum of w q */
} felt;

/* terms[...] += the series of all sources about (x, y), in the order 1, u, v, u^2, u v, v^2, u^3, u^2 v, u v^2, v^3. */
void expansion_gather(const sources *from, float x, float y, float terms[TERMS]);
/* The series about (center_x, center_y) at the points (x, y) of a bucket. */
void expansion_evaluate(const float terms[TERMS], float center_x, float center_y, const float *x, const float *y,
                        felt *to);
/* The points (x, y) of a bucket feel points one by one: of the sources, x, y and count, which may be any number. */
void expansion_meet_points(const sources *from, const float *x, const float *y, felt *to);
/* They feel each source as `weight` points at (x, y). */
void expansion_meet_means(const sources *from, const float *x, const float *y, felt *to);

#endif
