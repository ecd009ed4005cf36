/* attraction.c -- the pull along springs.
**
** Edges of a row are taken SPRINGS at a time, with a sum for each lane that is added up at the end of the row.  A point
** of the plane is 8 bytes and is loaded as one double; two vectors of four points make one of eight x and one of eight
** y.  (Gather instructions take half as long again.)  Three dimensions are left to the compiler. */
#include <string.h>

#include "../tensor/parallel.h"
#include "springs.h"

enum { LANES = SPRINGS };

typedef float lanes __attribute__((vector_size(32)));
typedef double pairs __attribute__((vector_size(32)));
typedef int32_t choice __attribute__((vector_size(32)));

typedef struct job {
  const springs *springs;
  const float *y;
  int m;
  const float *rest;     /* or NULL */
  float *attraction;
} job;

#define INLINE static inline __attribute__((always_inline))

INLINE double point(const float *y, int32_t j) {
  double both;
  memcpy(&both, y + 2 * (int64_t)j, sizeof both);
  return both;
}

/* Each half of the result takes two lanes of a, then two of b, from the same half: one instruction.  (A macro, because
** a function that returns such a vector has no one ABI.) */
#ifdef __clang__
#define MERGE(a, b, i) \
  __builtin_shufflevector((lanes)(a), (lanes)(b), i, i + 2, i + 8, i + 10, i + 4, i + 6, i + 12, i + 14)
#else
#define MERGE(a, b, i) \
  __builtin_shuffle((lanes)(a), (lanes)(b), (choice){ i, i + 2, i + 8, i + 10, i + 4, i + 6, i + 12, i + 14 })
#endif

CLONES static void pull2(const int32_t *restrict j, const float *restrict value, int64_t count, const float *restrict y,
                         const float *restrict own, float sum[restrict 2][LANES]) {
  lanes sum_x = { 0 }, sum_y = { 0 };
  for (int64_t e = 0; e < count; e += LANES, j += LANES) {
    pairs a = { point(y, j[0]), point(y, j[1]), point(y, j[4]), point(y, j[5]) };
    pairs b = { point(y, j[2]), point(y, j[3]), point(y, j[6]), point(y, j[7]) };
    lanes dx = own[0] - MERGE(a, b, 0), dy = own[1] - MERGE(a, b, 1), p;
    memcpy(&p, value + e, sizeof p);
    lanes pq = p / (1.0f + dx * dx + dy * dy);
    sum_x += pq * dx;
    sum_y += pq * dy;
  }
  memcpy(sum[0], &sum_x, sizeof sum_x);
  memcpy(sum[1], &sum_y, sizeof sum_y);
}

CLONES static void pull3(const int32_t *restrict j, const float *restrict value, int64_t count, const float *restrict y,
                         const float *restrict own, float sum[restrict 3][LANES]) {
  for (int64_t e = 0; e < count; e += LANES)
    for (int lane = 0; lane < LANES; lane++) {
      const float *other = y + 3 * (int64_t)j[e + lane];
      float d0 = own[0] - other[0], d1 = own[1] - other[1], d2 = own[2] - other[2];
      float pq = value[e + lane] / (1.0f + d0 * d0 + d1 * d1 + d2 * d2);
      sum[0][lane] += pq * d0;
      sum[1][lane] += pq * d1;
      sum[2][lane] += pq * d2;
    }
}

static void pull_rows(void *argument, int64_t begin, int64_t end) {
  const job *k = argument;
  const springs *s = k->springs;
  for (int64_t i = begin; i < end; i++) {
    float sum[MAX_MAP_DIMS][LANES] = { { 0 } };
    int64_t from = s->start[i], count = s->start[i + 1] - from;
    if (k->m == 2) pull2(s->column + from, s->value + from, count, k->y, k->y + i * 2, sum);
    else pull3(s->column + from, s->value + from, count, k->y, k->y + i * 3, sum);
    for (int d = 0; d < k->m; d++) {
      float total = k->rest ? k->rest[i * k->m + d] : 0;
      for (int lane = 0; lane < LANES; lane++) total += sum[d][lane];
      k->attraction[i * k->m + d] = total;
    }
  }
}

void springs_attraction(context *c, const springs *s, const float *y, int m, const float *rest,
                        float *attraction) {
  job k = { s, y, m, rest, attraction };
  parallel_for(c, s->n, 128, pull_rows, &k);
}
