/* random.c -- Philox 4x32-10 and the distributions drawn from it.
** Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3.  SC 2011.
**
** A fill of n items cuts the stream into blocks; block b is a pure function of (seed, offset + b), so blocks are
** computed in parallel and the bits do not depend on the number of threads. */
#include "random.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "parallel.h"

enum { ROUNDS = 10, BLOCKS_A_CHUNK = 4096 };
static const double TWO_PI = 6.283185307179586476925286766559;

void philox(uint32_t words[4], uint64_t seed, uint64_t counter) {
  uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
  uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32), c2 = 0, c3 = 0;
  for (int round = 0; round < ROUNDS; round++) {
    uint64_t product0 = (uint64_t)0xD2511F53u * c0;
    uint64_t product1 = (uint64_t)0xCD9E8D57u * c2;
    uint32_t next0 = (uint32_t)(product1 >> 32) ^ c1 ^ key0;
    uint32_t next2 = (uint32_t)(product0 >> 32) ^ c3 ^ key1;
    c1 = (uint32_t)product1;
    c3 = (uint32_t)product0;
    c0 = next0;
    c2 = next2;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

/* [0, 1) with 24 and 53 random bits: every value is exact in its type. */
static float unit_float32(uint32_t word) { return (float)(word >> 8) * 0x1p-24f; }
static double unit_float64(uint32_t high, uint32_t low) {
  return (double)((((uint64_t)high << 32) | low) >> 11) * 0x1p-53;
}

/* Box & Muller 1958: two independent normals from two uniforms; u is shifted to (0, 1] for the logarithm. */
static void box_muller(double u, double v, double *a, double *b) {
  double radius = sqrt(-2.0 * log(1.0 - u));
  *a = radius * cos(TWO_PI * v);
  *b = radius * sin(TWO_PI * v);
}

typedef struct fill {
  uint64_t seed, offset;
  float *float32;
  double *float64;
  int64_t n;
  bool normal;
} fill;

/* One block: four float32 or two float64 items. */
static void block_float32(const fill *f, int64_t block, float out[4]) {
  uint32_t words[4];
  philox(words, f->seed, f->offset + (uint64_t)block);
  for (int k = 0; k < 4; k++) out[k] = unit_float32(words[k]);
  if (!f->normal) return;
  for (int k = 0; k < 4; k += 2) {
    double a, b;
    box_muller(out[k], out[k + 1], &a, &b);
    out[k] = (float)a;
    out[k + 1] = (float)b;
  }
}

static void block_float64(const fill *f, int64_t block, double out[2]) {
  uint32_t words[4];
  philox(words, f->seed, f->offset + (uint64_t)block);
  out[0] = unit_float64(words[0], words[1]);
  out[1] = unit_float64(words[2], words[3]);
  if (f->normal) box_muller(out[0], out[1], &out[0], &out[1]);
}

static void fill_float32(void *argument, int64_t begin, int64_t end) {
  const fill *f = argument;
  for (int64_t block = begin; block < end; block++) {
    float items[4];
    block_float32(f, block, items);
    for (int64_t k = 0; k < 4 && 4 * block + k < f->n; k++) f->float32[4 * block + k] = items[k];
  }
}

static void fill_float64(void *argument, int64_t begin, int64_t end) {
  const fill *f = argument;
  for (int64_t block = begin; block < end; block++) {
    double items[2];
    block_float64(f, block, items);
    for (int64_t k = 0; k < 2 && 2 * block + k < f->n; k++) f->float64[2 * block + k] = items[k];
  }
}

static void run(context *c, fill f) {
  int64_t items_a_block = f.float32 != NULL ? 4 : 2;
  int64_t n_blocks = (f.n + items_a_block - 1) / items_a_block;
  f.seed = c->random.seed;
  f.offset = c->random.offset;
  parallel_for(c, n_blocks, BLOCKS_A_CHUNK, f.float32 != NULL ? fill_float32 : fill_float64, &f);
  c->random.offset += (uint64_t)n_blocks;
}

void random_uniform_float32(context *c, float *out, int64_t n) { run(c, (fill){ .float32 = out, .n = n }); }
void random_uniform_float64(context *c, double *out, int64_t n) { run(c, (fill){ .float64 = out, .n = n }); }
void random_normal_float32(context *c, float *out, int64_t n) {
  run(c, (fill){ .float32 = out, .n = n, .normal = true });
}
void random_normal_float64(context *c, double *out, int64_t n) {
  run(c, (fill){ .float64 = out, .n = n, .normal = true });
}

static uint64_t next_word(context *c) {
  uint32_t words[4];
  philox(words, c->random.seed, c->random.offset++);
  return (uint64_t)words[0] << 32 | words[1];
}

/* Unbiased in [0, span): words past the last whole multiple of span are drawn again.  span = 0 means 2^64. */
static uint64_t next_below(context *c, uint64_t span) {
  uint64_t word = next_word(c);
  if (span == 0) return word;
  uint64_t first_refused = UINT64_MAX - (UINT64_MAX % span + 1) % span;
  while (word > first_refused) word = next_word(c);
  return word % span;
}

void random_integers(context *c, int64_t *out, int64_t n, int64_t low, int64_t high) {
  uint64_t span = (uint64_t)high - (uint64_t)low + 1;
  for (int64_t i = 0; i < n; i++) out[i] = (int64_t)((uint64_t)low + next_below(c, span));
}

void random_permutation(context *c, int64_t *out, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = i + 1;
  for (int64_t i = n - 1; i > 0; i--) {
    int64_t j = (int64_t)next_below(c, (uint64_t)i + 1);
    int64_t kept = out[i];
    out[i] = out[j];
    out[j] = kept;
  }
}
